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
  played: {
    /** The empty processor's turn is for a round in which the model's dropped something. */
    rounds: { model: Played | { missing: string }; empty?: Played }[];
    /** What takes longer than a block lasts. */
    late?: Played;
  };
}

interface Played {
  missing?: never;
  blocks: number;
  due: number;
  perBlock: number;
  longest: number;
  lacks: string[];
  /** Times that the host had nothing to play; undefined where it does not count them. */
  drops?: number;
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
  return `${rendered}; ${playedWell(played, browser)}`;
};

/**
 * Holds the best round of the model to the best of an empty processor on the same host, which drops blocks too while
 * others crowd it. A model that is too slow, or a pause that comes again and again, drops some in every round.
 */
function playedWell({ rounds, late }: Seen['played'], browser: Browser): string {
  const model: Played[] = [];
  for (const round of rounds) {
    if (round.model.missing !== undefined) return `not played: ${round.model.missing}`;
    model.push(round.model);
  }
  for (const { blocks, due } of model) {
    assert.equal(blocks, due, 'blocks that were asked of the processor, of those that the context went on by');
    assert.ok(blocks >= 1000, `expected about 1,125 blocks, got ${blocks} before patience ended`);
  }
  if (browser === 'chromium')
    assert.ok(model[0]!.lacks.includes('TextDecoder'), 'a scope that lacks what the loader wants');
  const { blocks, perBlock } = model.at(-1)!;
  const played = `played ${blocks} blocks, ${(1000 * perBlock).toFixed(0)} µs in the model each`;
  if (!late) {
    assert.notEqual(browser, 'chromium', 'Chromium counts dropped blocks');
    return `${played}; it does not tell how many it dropped`;
  }
  assert.ok(late.drops! > 0, 'expected blocks that take 1.5 times as long as they last to be dropped and counted');
  const fewest = (all: Played[]): number => Math.min(...all.map(({ drops }) => drops!));
  const dropped = fewest(model);
  const host = fewest(rounds.flatMap(({ empty }) => empty ?? []));
  const turns = `${dropped} dropped in the best of ${rounds.length}`;
  if (dropped === 0) return `${played}, ${turns}`;
  assert.ok(dropped <= host, `${turns}, ${host} of an empty processor`);
  return `${played}, ${turns}: no more than the ${host} of an empty processor on a host that drops blocks by itself`;
}
