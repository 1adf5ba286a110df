// Checks for every page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const widths = [1360, 800, 390];
export const colorSchemes = ['light', 'dark'] as const;

/** Fails where a page scrolls sideways, or axe-core finds something that some people cannot use. */
export async function expectAccessible(page: Page, what: string, without: string[] = []): Promise<void> {
  const { scrollWidth, innerWidth } = await page.evaluate(() => ({
    scrollWidth: document.documentElement.scrollWidth,
    innerWidth: window.innerWidth,
  }));
  expect(scrollWidth, `${what}: width`).toBeLessThanOrEqual(innerWidth);
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async (disabled) => {
    const { axe } = window as unknown as { axe: typeof Axe };
    const results = await axe.run({ rules: Object.fromEntries(disabled.map((id) => [id, { enabled: false }])) });
    return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }, without);
  expect(violations, what).toEqual([]);
}

/** Presses Tab until an element of a selector has the focus; fails where it never has. */
export async function tabTo(page: Page, selector: string, most = 60): Promise<void> {
  const isFocused = (): Promise<boolean> =>
    page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
  for (let i = 0; i < most && !(await isFocused()); i++) await page.keyboard.press('Tab');
  expect(await isFocused(), `focus on ${selector}`).toBe(true);
}
