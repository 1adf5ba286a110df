// The page trains, stores, exports and imports a model, in a real Chromium.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeModel } from 'tapeloop';
import { decodeRun, type Run } from 'tapeloop/characters';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Download, downloadBy, pause, Site, start, until } from './chromium.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.open();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const recordOf = ({ bytes, name }: Download): Run => decodeRun(bytes, name).run;

test('training, paused, saved, loaded after a reload and resumed, goes on with the losses it would have had', async () => {
  const { page } = await site.page();
  await start(page);
  // Guessing evenly among its 11 characters costs 2.4.
  expect(await until(page, 'validation', { below: 2 })).toBeGreaterThan(0.5);
  expect(await page.textContent('#samples li:first-child pre')).toMatch(/[[({abcd]/);
  await pause(page);
  const saved = await downloadBy(page, '#save');
  expect(saved.name).toMatch(/^tapeloop-lstm-1x32-step-\d+\.safetensors$/);
  const { step } = recordOf(saved);

  await page.click('#run');
  await until(page, 'step', { above: step + 20 });
  await pause(page);
  const expected = recordOf(await downloadBy(page, '#save')).train;

  await page.reload();
  await page.waitForSelector('#earlier:visible');
  await page.setInputFiles('#model-file', saved.path);
  await page.click('#loss-dialog >> text=Let it go');
  await page.waitForSelector('#run:has-text("Resume")');
  expect(await until(page, 'step', { above: 0 })).toBe(step);
  await page.click('#run');
  await until(page, 'step', { above: step + 20 });
  await pause(page);
  const { train } = recordOf(await downloadBy(page, '#save'));
  const common = Math.min(train.length, expected.length);
  expect(common).toBeGreaterThan(step + 15);
  expect(train.slice(0, common)).toEqual(expected.slice(0, common));
});

test('a reload, without a save, offers the model of before and goes on with it', async () => {
  const { page } = await site.page();
  await start(page, { cell: 'gru' });
  await until(page, 'step', { above: 30 });
  await pause(page);
  await page.waitForSelector('#storage:has-text("Kept in this browser")');
  const step = await until(page, 'step', { above: 0 });
  await page.reload();
  await page.waitForSelector('#earlier:visible');
  expect(await page.textContent('#earlier-text')).toContain(`GRU, 32 units, step ${step}`);
  expect(await page.inputValue('#source')).toBe('brackets');
  await page.click('#restore');
  await page.waitForSelector('#run:has-text("Pause")');
  await until(page, 'step', { above: step + 10 });
  expect(await page.inputValue('#cell')).toBe('gru');
});

test('a network of the last visit is not replaced by a new one unasked, and may go to a file first', async () => {
  const { page } = await site.page();
  await start(page);
  await until(page, 'step', { above: 10 });
  await pause(page);
  await page.waitForSelector('#storage:has-text("Kept in this browser")');
  const step = await until(page, 'step', { above: 0 });
  await page.reload();
  await page.waitForSelector('#earlier:visible');
  await page.click('#run');
  expect(await page.textContent('#loss-text')).toContain(`LSTM, 32 units, step ${step}) is kept in this browser`);
  await page.keyboard.press('Escape');
  expect([await page.isVisible('#loss-dialog'), await page.textContent('#run')]).toEqual([false, 'Start']);
  await page.reload();
  await page.waitForSelector('#earlier:visible');
  await page.click('#run');
  const saved = await downloadBy(page, '#loss-dialog >> text=Save it');
  expect([saved.name, recordOf(saved).step]).toEqual([`tapeloop-lstm-1x32-step-${step}.safetensors`, step]);
  await page.waitForSelector('#run:has-text("Pause")');
  expect(await page.isVisible('#earlier')).toBe(false);
});

test('a text of one’s own, pasted, is what it learns; one too short is refused in a sentence', async () => {
  const { page } = await site.page();
  await page.selectOption('#source', 'own');
  await page.fill('#own', 'too short');
  await page.click('#run');
  await page.waitForSelector('#problem:visible');
  expect(await page.textContent('#problem')).toMatch(/expected \d+ characters or more to train on, got 9/);
  const text = 'Über den Wolken muß die Freiheit wohl grenzenlos sein.\n'.repeat(100);
  await page.fill('#own', text);
  await page.click('#run:has-text("Start")');
  await until(page, 'validation', { below: 2.5 });
  const sample = (await page.textContent('#samples li:first-child pre'))!;
  expect([...sample].filter((character) => !text.includes(character))).toEqual([]);
});

test('a dropped text file is read, and a dropped model opened', async () => {
  const { page } = await site.page();
  const drop = async (name: string, bytes: number[]): Promise<void> => {
    const data = await page.evaluateHandle(
      ([fileName, content]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(content)], fileName));
        return transfer;
      },
      [name, bytes] as const,
    );
    await page.dispatchEvent('body', 'dragover', { dataTransfer: data });
    await page.waitForSelector('#drop:visible');
    await page.dispatchEvent('body', 'drop', { dataTransfer: data });
  };
  await drop('rhyme.txt', [...Buffer.from('one two buckle my shoe\n'.repeat(300))]);
  expect(await page.inputValue('#source')).toBe('file');
  await page.selectOption('#hidden', '32');
  await page.click('#run');
  await until(page, 'step', { above: 10 });
  await pause(page);
  const saved = await downloadBy(page, '#save');
  expect(decodeModel(saved.bytes).vocabulary!.join('')).toBe('\n bceklmnohstuwy'.split('').sort().join(''));
  await page.click('#discard');
  await page.click('#loss-dialog >> text=Let it go');
  await page.waitForSelector('#run:has-text("Start")');
  await drop('model.safetensors', [...saved.bytes]);
  await page.waitForSelector('#run:has-text("Resume")');
});

test('a file that is no model is refused by name, and the model there is stays', async () => {
  const { page } = await site.page();
  await start(page);
  await until(page, 'step', { above: 5 });
  await pause(page);
  await page.setInputFiles('#model-file', {
    name: 'picture.safetensors',
    mimeType: '',
    buffer: Buffer.from('no model'),
  });
  await page.click('#loss-dialog >> text=Let it go');
  await page.waitForSelector('#problem:visible');
  expect(await page.textContent('#problem')).toContain('picture.safetensors');
  const step = await until(page, 'step', { above: 0 });
  await page.click('#run');
  await until(page, 'step', { above: step });
});

test('a file goes from the page to the command line, and from there to the page', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tapeloop-demo-'));
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [cli, ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const { page } = await site.page();
  await start(page, { layers: '2', threads: '2' });
  await until(page, 'step', { above: 10 });
  await pause(page);
  const saved = await downloadBy(page, '#save');
  expect(run('generate', saved.path, '--length', '20').length).toBeGreaterThan(10);

  writeFileSync(join(folder, 'text.txt'), 'she sells sea shells on the sea shore\n'.repeat(200));
  run('train', 'text.txt', '--hidden', '16', '--steps', '20', '--quiet');
  await page.selectOption('#source', 'own');
  await page.fill('#own', 'she sells sea shells on the sea shore\n'.repeat(200));
  await page.setInputFiles('#model-file', join(folder, 'tapeloop-out', 'model.safetensors'));
  await page.click('#loss-dialog >> text=Let it go');
  await page.waitForFunction(() => document.getElementById('step')?.textContent === '20');
  await page.click('#run');
  await until(page, 'step', { above: 30 });
  await pause(page);
  const { train } = recordOf(await downloadBy(page, '#save'));
  expect(train[20][1]).toBeLessThan(train[0][1]);
});
