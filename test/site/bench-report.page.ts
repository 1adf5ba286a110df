// The page of benchmark reports in a real Chromium: widths, themes, keyboard, choices, and no requests.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBench } from '../../scripts/build-bench.ts';
import { htmlReport } from '../../src/bench/report/html.ts';
import type { BenchReport } from '../../src/bench/results.ts';
import { laterReport, sampleReport } from '../bench/report/sample.ts';
import { launchOptions } from '../demo/chromium.ts';
import { colorSchemes, expectAccessible, tabTo, widths } from './inspect.ts';

const bun = { runtime: 'bun', version: '1.3.2', engine: 'JavaScriptCore', flags: [] };
const ONE = [sampleReport()];
const SEVERAL = [
  sampleReport(),
  laterReport(0.91, '2026-12-09T09:00:00.000Z'),
  laterReport(1.2, '2026-12-02T09:00:00.000Z', bun),
];

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tapeloop-report-'));
  await buildBench(folder);
  browser = await chromium.launch(launchOptions);
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Look {
  width?: number;
  colorScheme?: 'light' | 'dark';
}

/** Opens a page of reports and closes it after `use`. It may neither complain nor request anything. */
async function visit(
  reports: readonly BenchReport[],
  use: (page: Page) => Promise<void>,
  { width = 1360, colorScheme = 'light' }: Look = {},
): Promise<void> {
  const read = (name: string): string => readFileSync(join(folder, 'bench', name), 'utf8');
  const file = join(folder, 'page.html');
  writeFileSync(file, htmlReport(reports, read('report.js'), read('report.css')));
  // The policy of the page would keep out the scripts of the test as well.
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => complaints.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('.uplot canvas');
  await use(page);
  await context.close();
  expect(complaints).toEqual([pathToFileURL(file).href]);
}

const titles = (page: Page): Promise<string[]> => page.locator('h2').allTextContents();
const backgroundOf = (page: Page): Promise<string> =>
  page.evaluate(() => getComputedStyle(document.body).backgroundColor);

for (const colorScheme of colorSchemes) {
  for (const width of [...widths, 360]) {
    test(`page of reports, ${colorScheme} and ${width} wide, fits its width and is clean to axe-core`, async () => {
      for (const reports of [ONE, SEVERAL]) {
        await visit(reports, (page) => expectAccessible(page, `${reports.length} reports`), { width, colorScheme });
      }
    });
  }
}

test('page of reports, of one run, has its parts and no history', async () => {
  await visit(ONE, async (page) => {
    expect(await titles(page)).toEqual([
      ...['Scores by group', 'Roofline', 'Scores by workload', 'Tier-up', 'All numbers'],
    ]);
    expect(await page.locator('dd', { hasText: 'wrong' }).textContent()).toBe(
      '✗ 1 of 12 results wrong: gru-backward-masked/medium',
    );
    expect(await page.locator('dd').first().textContent()).toContain('Model <X> | 3.1 GHz');
    const row = page.locator('tr', { hasText: 'gemm-int8/medium' });
    expect(await row.locator('th, td').allTextContents()).toEqual([
      ...['gemm-int8/medium', '', '', '420 µs', '±0.6%', '', '79.9', '81%', '121.4', '✓ yes'],
    ]);
  });
});

test('page of reports, of a run without references, operations or curves, leaves out what it cannot draw', async () => {
  const results = sampleReport().results.map((each) => ({ ...each, score: null, flops: 0, curve: [] }));
  const report = sampleReport({ results, scores: {}, score: null });
  await visit([report, laterReport(1, '2026-12-01T00:00:00.000Z')], async (page) => {
    await page.getByLabel('Run', { exact: true }).selectOption({ index: 0 });
    await expectAccessible(page, 'without numbers');
    expect(await titles(page)).toEqual([...['Tier-up', 'History', 'Beside each other', 'All numbers']]);
  });
});

test('page of reports, of several, shows the newest first and another when it is chosen', async () => {
  await visit(SEVERAL, async (page) => {
    expect(await titles(page)).toContain('History');
    expect(await page.locator('.summary').textContent()).toContain('Score 120.0 ');
    const beside = page.locator('section', { hasText: 'Beside each other' }).locator('tbody tr').first();
    const cells = await beside.locator('th, td').allTextContents();
    expect([cells.length, cells[0]]).toEqual([6, 'gemm/small']);
    await page.getByLabel('Run', { exact: true }).selectOption({ index: 0 });
    expect(await page.locator('.summary').textContent()).toContain('Score 109.2 ');
    const after = await beside.locator('th, td').allTextContents();
    expect(Number.parseFloat(after[5]!) * Number.parseFloat(cells[3]!)).toBeCloseTo(1, 2);
    await page.getByLabel('Workload', { exact: true }).selectOption('ctc/medium');
    const label = await page.locator('section', { hasText: 'Tier-up' }).locator('canvas').getAttribute('aria-label');
    expect(label).toBe('Times of the first calls of ctc/medium');
  });
});

test('roofline, by keyboard, names its marks one after another, and Escape hides the name', async () => {
  await visit(ONE, async (page) => {
    await tabTo(page, 'button.mark');
    const tip = page.locator('.tip');
    const names: string[] = [];
    for (let i = 0; i < 3; i++) {
      names.push((await tip.locator('div').first().textContent())!);
      await page.keyboard.press('ArrowRight');
    }
    expect(names).toEqual(['lstm-step/small', 'tanh/medium', 'gemm/small']);
    await page.keyboard.press('Escape');
    expect(await tip.isVisible()).toBe(false);
  });
});

test('button of the theme, when pressed, changes the page and the lines of its charts, and back', async () => {
  await visit(ONE, async (page) => {
    const picture = (): Promise<string> => page.$eval('canvas', (canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await page.getByLabel('Workload', { exact: true }).selectOption('ctc/medium');
    const [light, drawn] = [await backgroundOf(page), await picture()];
    await page.getByRole('button', { name: 'Dark theme' }).click();
    await page.waitForSelector('text=Light theme');
    expect(await page.locator('canvas').count()).toBe(2);
    const dark = await backgroundOf(page);
    expect(dark).not.toBe(light);
    expect(await picture()).not.toBe(drawn);
    await expectAccessible(page, 'after the change');
    await page.getByRole('button', { name: 'Light theme' }).click();
    expect(await backgroundOf(page)).toBe(light);
  });
});
