import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, visitFolder } from '../hosts/browsers.ts';
import { bundlePage, bundleScripts } from '../hosts/bundlers.ts';

interface Seen {
  losses: [number, number];
  /** Samples whose bits are not those of `model.stream()` on the page. */
  different: number;
  relativeError: number;
  /** Milliseconds a block, rendered as fast as it goes. */
  perBlock: number;
  played: { missing: string } | Played;
}

interface Played {
  missing?: never;
  blocks: number;
  due: number;
  perBlock: number;
  longest: number;
  lacks: string[];
  underruns?: number;
}

/** The page as it stands, its button pressed. */
export async function audioPage(app: string): Promise<string> {
  const folder = join(app, 'examples/audio-worklet');
  const scripts = ['main.js', 'processor.js'].map((name) => join(folder, name));
  await bundleScripts([...scripts, join(app, 'press.mjs')], join(folder, 'bundle'));
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const press = '<script type="module" src="./bundle/press.js"></script></html>';
  writeFileSync(join(folder, 'index.html'), page.replace('</html>', press));
  const { last, times, button } = await visitFolder<{ last: string; times: number; button: string }>(
    'chromium',
    folder,
  );
  assert.match(last, /^\d+ samples a second go through 16 LSTM units$/);
  assert.equal(button, 'Pluck');
  assert.ok(times > 50, `expected to be told of every epoch, got ${times} texts`);
  return last;
}

const BLOCK_MS = (1000 * 128) / 48_000;

/** The example's effect, learned, rendered and played: the bits of the page's own stream, and no block too late. */
export const audioWorklet = (browser: Browser) => async (app: string) => {
  const dir = join(app, 'audio');
  await bundlePage(join(app, 'audio-page.mjs'), dir);
  await bundleScripts([join(app, 'examples/audio-worklet/processor.js'), join(app, 'timed-processor.mjs')], dir);
  const { losses, different, relativeError, perBlock, played } = await visitFolder<Seen>(browser, dir);
  assert.ok(losses[1] < losses[0] / 30, `expected the loss to fall, got ${losses}`);
  assert.equal(different, 0, 'samples whose bits differ from model.stream()');
  assert.ok(relativeError < 0.3, `expected the sound of the effect, got an error of ${relativeError}`);
  assert.ok(perBlock < BLOCK_MS / 4, `expected a block in less than a quarter of ${BLOCK_MS} ms, got ${perBlock}`);
  const rendered = `same bits, ${(1000 * perBlock).toFixed(0)} µs of ${(1000 * BLOCK_MS).toFixed(0)} a block`;
  if (played.missing !== undefined) return `${rendered}; not played: ${played.missing}`;
  assert.ok(Math.abs(played.blocks - played.due) < 20, `expected ${played.due} blocks, got ${played.blocks}`);
  assert.ok(played.due > 500, `expected about 1,125 blocks in 3 s, got ${played.due}`);
  if (browser === 'chromium')
    assert.ok(played.lacks.includes('TextDecoder'), 'a scope that lacks what the loader wants');
  assert.equal(played.underruns ?? 0, 0, 'underruns while it played');
  const each = `${(1000 * played.perBlock).toFixed(0)} µs in the model each`;
  return `${rendered}; played ${played.blocks} blocks, ${played.underruns ?? 'unknown'} dropped, ${each}`;
};
