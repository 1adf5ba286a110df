// The heat map shows the values of a plain computation, and the gradient flow shows what the page says about it.
import { decodeModel } from 'tapeloop';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { downloadBy, pause, Site, start, until } from './chromium.ts';
import { plainGates } from './plain-gates.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.open();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

/** A table of numbers whose first row and column are names. */
function parseCsv(text: string): { characters: string[]; rows: number[][] } {
  const [head, ...lines] = text.trimEnd().split('\r\n');
  const characters = Array.from(head.matchAll(/"((?:[^"]|"")*)"/gs), ([, name]) => name.replaceAll('""', '"'));
  return { characters, rows: lines.map((line) => line.split(',').slice(1).map(Number)) };
}

for (const [cell, names] of [
  ['lstm', ['c', 'f', 'i', 'g', 'o', 'h']],
  ['gru', ['h', 'z', 'r', 'g']],
  ['rnn', ['h']],
] as const) {
  test(`heat map of a ${cell}, every quantity of its second layer, is units × characters of a plain computation`, async () => {
    const { page } = await site.page();
    await start(page, { cell, layers: '2' });
    await until(page, 'step', { above: 20 });
    await pause(page);
    const { model, vocabulary } = decodeModel((await downloadBy(page, '#save')).bytes);
    const read = '(a[b]c){d}';
    await page.selectOption('#layer', '1');
    await page.fill('#read', `${read}é`);
    await page.waitForSelector('#quantity-help:has-text("do") >> text=é');
    const ids = [...read].map((character) => vocabulary!.indexOf(character));
    const expected = plainGates(model, ids, 1);
    expect(
      await page.$$eval('#quantity option', (all) => all.map((option) => (option as HTMLOptionElement).value)),
    ).toEqual(names);
    for (const name of names) {
      await page.selectOption('#quantity', name);
      const { characters, rows } = parseCsv((await downloadBy(page, '#csv')).bytes.toString());
      expect(characters.join('')).toBe(read);
      expect(rows.length).toBe(32);
      const worst = Math.max(...rows.flatMap((row, u) => row.map((x, t) => Math.abs(x - expected[name][t][u]))));
      expect(worst, name).toBeLessThan(1e-5);
    }
  });
}

test('heat map, pointed at, tells the value under the pointer', async () => {
  const { page } = await site.page();
  await start(page);
  await until(page, 'step', { above: 20 });
  await pause(page);
  await page.fill('#read', 'a(b)');
  await page.selectOption('#order', 'number');
  await page.waitForFunction(() => document.getElementById('map')?.ariaLabel?.includes('32 units by 4 characters'));
  const { rows } = parseCsv((await downloadBy(page, '#csv')).bytes.toString());
  const canvas = page.locator('#map-canvas');
  const box = (await canvas.boundingBox())!;
  // 20 px of characters above the cells.
  const cellHeight = (box.height - 20) / 32;
  expect(cellHeight).toBeGreaterThanOrEqual(8);
  await canvas.hover({ position: { x: (2.5 / 4) * box.width, y: 20 + 5.5 * cellHeight } });
  expect(await page.textContent('#value')).toBe(`Unit 5, character 3 ‘b’: c = ${rows[5][2].toFixed(4)}`);
  expect(await page.locator('#unit-text span').allTextContents()).toEqual(['a', '(', 'b', ')']);
});

test('gradient flow, compared until the end, says how far back each network’s gradient reaches', async () => {
  const { page } = await site.page();
  await page.selectOption('#source', 'brackets');
  await page.selectOption('#hidden', '32');
  await page.click('#compare');
  await page.waitForSelector('#compare-status:has-text("Done after 600 steps")', { timeout: 150_000 });
  expect(await page.textContent('#flow-summary')).toMatch(/^The RNN’s gradient .+ The LSTM’s gradient .+\.$/);
  expect(await page.getAttribute('#flow-chart', 'aria-label')).toContain('after 600 steps');
  await page.click('#compare');
  await page.click('#compare:has-text("Stop")');
  expect(await page.textContent('#compare-status')).toBe('Stopped.');
});
