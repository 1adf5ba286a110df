import { loadIds } from '../../../src/data.ts';
import type { Random } from '../random.ts';
import { type Target, Violation } from '../target.ts';
import { made } from '../values.ts';
import { bytesOf, latin, optionsOf, partsOf } from './text-pieces.ts';

const widths = { u8: 1, u16: 2, u32: 4 };
const options = {
  numWords: [0, 1, 3, 10],
  skipTop: [0, 1, 2],
  maxLength: [0, 1, 3, 100],
  outOfVocabulary: [2, 0, null, 7, 2 ** 31 - 1, 2 ** 31],
  gzip: [false],
  widths: [{ ids: 'u8' }, { ids: 'u32', offsets: 'u16' }, { labels: 'u16' }, { ids: 'u64' }, { ids: '__proto__' }, {}],
  sha256: [{ ids: '0'.repeat(64) }, {}],
};

function numbers(random: Random, values: readonly number[], width: keyof typeof widths): string {
  const bytes = new Uint8Array(values.length * widths[width]);
  for (const [i, value] of values.entries()) {
    for (let b = 0; b < widths[width]; b++) bytes[i * widths[width] + b] = Math.floor(value / 256 ** b) & 255;
  }
  if (bytes.length > 0 && random.chance(0.15)) bytes[random.below(bytes.length)] = random.below(256);
  return latin(random.chance(0.05) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes);
}

export const target: Target = {
  name: 'ids',
  share: 0.5,
  generate(random) {
    const lengths = random.list(0, 5, () => random.below(5));
    const total = lengths.reduce((sum, n) => sum + n, 0);
    const offsets = [0];
    for (const length of lengths) offsets.push(offsets.at(-1)! + length);
    return {
      ids: numbers(
        random,
        Array.from({ length: total }, () => random.below(12)),
        random.chance(0.1) ? 'u32' : 'u16',
      ),
      offsets: numbers(random, offsets, random.chance(0.05) ? 'u16' : 'u32'),
      labels: numbers(
        random,
        lengths.map(() => random.below(2)),
        'u8',
      ),
      options: optionsOf(random, options),
    };
  },
  async run(input) {
    const { ids, offsets, labels, options: plain = {} } = partsOf(input);
    const sources = { ids: bytesOf(ids), offsets: bytesOf(offsets), labels: bytesOf(labels) };
    const read = await loadIds(sources, made(plain) as object);
    if (read.sequences.length !== read.labels.length) throw new Violation('another number of labels than of sequences');
    if (read.sequences.some((sequence) => sequence.some((id) => id < 0))) throw new Violation('an id below 0');
  },
};
