// The page in a narrow window, in the dark theme, without a mouse, without storage; and how long its frames take.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { compared, launchOptions, pause, Site, start, until } from './chromium.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.open();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const screenshots = fileURLToPath(new URL('../../build/demo/', import.meta.url));
mkdirSync(screenshots, { recursive: true });

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360]) {
    test(`page, ${colorScheme} and ${width} wide, fits its width while it trains`, async () => {
      const { page } = await site.page({ colorScheme, viewport: { width, height: 780 } });
      const fits = (): Promise<boolean> => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      expect(await fits()).toBe(true);
      await page.selectOption('#source', 'own');
      expect(await fits()).toBe(true);
      await start(page, { source: 'code', hidden: '64' });
      await page.click('#compare');
      await compared(page);
      await until(page, 'validation', { below: 3.2 });
      expect(await fits()).toBe(true);
      await page.screenshot({ path: `${screenshots}${colorScheme}-${width}.png`, fullPage: true });
    });
  }
}

describe('storage', () => {
  test('full: training goes on, and the page says that nothing is kept', async () => {
    const { page, context } = await site.page();
    const session = await context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(site.address).origin, quotaSize: 1000 });
    await start(page);
    await until(page, 'step', { above: 5 });
    await pause(page);
    await page.waitForSelector(`#storage:has-text("Not kept: this browser's storage is full. Training goes on")`);
    const step = await until(page, 'step', { above: 0 });
    await page.click('#run');
    await until(page, 'step', { above: step + 5 });
    expect(await page.isVisible('#problem')).toBe(false);
  });

  test('denied: training goes on, and the page says that nothing is kept', async () => {
    // As "block all cookies" in the browser's settings.
    const profile = mkdtempSync(join(tmpdir(), 'tapeloop-profile-'));
    mkdirSync(join(profile, 'Default'));
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
    const context = await chromium.launchPersistentContext(profile, launchOptions);
    const { page } = await site.watch(context, context.pages()[0]);
    expect(
      await page.evaluate(() => {
        try {
          return String(localStorage.length);
        } catch (error) {
          return (error as Error).name;
        }
      }),
    ).toBe('SecurityError');
    await page.waitForSelector(`#storage:has-text("Not kept: this browser denies the page its storage")`);
    await start(page);
    await until(page, 'step', { above: 10 });
    expect(await page.isVisible('#problem')).toBe(false);
  });
});

describe('keyboard and screen reader', () => {
  const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.id ?? '');
  async function tabTo(page: Page, id: string): Promise<void> {
    for (let i = 0; i < 40; i++) {
      if ((await focused(page)) === id) return;
      await page.keyboard.press('Tab');
    }
    expect(await focused(page)).toBe(id);
  }

  test('by keyboard alone a network is chosen, trained, paused and looked into', async () => {
    const { page } = await site.page();
    await tabTo(page, 'source');
    await page.keyboard.press('ArrowDown');
    expect(await page.inputValue('#source')).toBe('brackets');
    await page.keyboard.press('Home');
    await page.keyboard.press('N');
    expect(await page.inputValue('#source')).toBe('brackets');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('ArrowRight');
    expect(await page.textContent('#temperature-value')).toBe('0.9');
    while ((await focused(page)) !== 'run') await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await until(page, 'step', { above: 10 });
    expect(await focused(page)).toBe('run');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#run:has-text("Resume")');
    await tabTo(page, 'map');
    const before = await page.textContent('#value');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    const after = await page.textContent('#value');
    expect(after).not.toBe(before);
    expect(after).toMatch(/^Unit \d+, character 96 ‘.’: c = -?\d+\.\d{4}$/u);
    expect(await page.getAttribute('#value', 'aria-live')).toBe('polite');
    await tabTo(page, 'compare');
  });

  test('everything that takes focus has a name, charts tell their numbers, and headings stand in order', async () => {
    const { page, context } = await site.page();
    await start(page);
    await until(page, 'validation', { below: 2.3 });
    await pause(page);
    const session = await context.newCDPSession(page);
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const focusable = nodes.filter(
      ({ ignored, role, properties }) =>
        !ignored &&
        role?.value !== 'RootWebArea' &&
        properties?.some((each) => each.name === 'focusable' && each.value.value),
    );
    expect(focusable.length).toBeGreaterThan(15);
    expect(focusable.filter(({ name }) => !name?.value).map(({ role }) => role?.value)).toEqual([]);
    expect(await page.getAttribute('#loss-chart', 'aria-label')).toMatch(/At step \d+: \d\.\d\d nat/);
    expect(await page.getAttribute('#map', 'aria-label')).toMatch(/^Heat map of c: 32 units by 96 characters/);
    const levels = await page.$$eval('h1, h2, h3', (all) => all.map(({ tagName }) => tagName).join(' '));
    expect(levels).toMatch(/^H1 H2 H2 H2 (H3 )+H2 H2$/);
  });
});

test('page is cross-origin isolated, and forbids inline scripts and eval', async () => {
  const { page } = await site.page();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const policy = (await page.request.head(site.address)).headers()['content-security-policy'];
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
  expect(await page.locator('script:not([src]), style, [style*="{"]').count()).toBe(0);
});
