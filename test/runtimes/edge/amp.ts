import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportNam, learnedState, waveNet } from '../../../src/audio-models.ts';
import { dense, lstm, sequential, setSeed } from '../../../src/index.ts';
import { visitFolder } from '../hosts/browsers.ts';
import { bundlePage, bundleScripts } from '../hosts/bundlers.ts';

interface Measured {
  name: string;
  /** Samples whose bits are not those of a stream on the page. */
  different: number;
  /** Samples that differ from the input when dry. */
  dry: number;
  /** Milliseconds a block, rendered as fast as it goes: the least and the median of five rounds. */
  least: number;
  median: number;
  dropped?: number;
}

const BLOCK_MS = (1000 * 128) / 48_000;
const doubled = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 ** i);

/** Captures of the sizes that NAM's trainer makes, untrained. */
function captures(): Record<string, string> {
  setSeed(1);
  const amp = sequential([
    learnedState(lstm({ units: 16, returnSequences: true, inputShape: [null, 1] })),
    dense({ units: 1 }),
  ]);
  const arrays = [
    { channels: 16, kernelSize: 3, dilations: doubled(10), headSize: 8 },
    { channels: 8, kernelSize: 3, dilations: doubled(10), headSize: 1, headBias: true },
  ];
  const wave = sequential([waveNet({ arrays, headScale: 0.02, inputShape: [null, 1] })]);
  const text = (model: Parameters<typeof exportNam>[0]): string => new TextDecoder().decode(exportNam(model));
  return { 'LSTM 1×16': text(amp), 'standard WaveNet': text(wave) };
}

/** The example amp in a page: the bits of a stream, the input when dry, and half of a block's time to spare. */
export async function ampInChromium(app: string): Promise<string> {
  const dir = join(app, 'amp');
  writeFileSync(join(app, 'captures.js'), `export const captures = ${JSON.stringify(captures())};`);
  await bundlePage(join(app, 'amp-page.mjs'), dir);
  await bundleScripts([join(app, 'examples/amp/processor.js')], dir);
  const results = await visitFolder<Measured[] | { error: string }>('chromium', dir);
  if (!Array.isArray(results)) throw new Error(results.error);
  return results
    .map(({ name, different, dry, least, median, dropped }) => {
      assert.equal(different, 0, `${name}: samples whose bits differ from those of a stream on the page`);
      assert.equal(dry, 0, `${name}: samples that differ from the input when dry`);
      assert.ok(least < BLOCK_MS / 2, `${name}: expected half of ${BLOCK_MS} ms to spare, got ${least} ms a block`);
      const [fewest, middle] = [least, median].map((ms) => (1000 * ms).toFixed(0));
      return `${name}: ${fewest} µs a block at least, median ${middle}, of ${(1000 * BLOCK_MS).toFixed(0)}; ${dropped ?? 'unknown'} dropped`;
    })
    .join('; ');
}
