import { loadIdx } from '../../../src/data.ts';
import { type Target, Violation } from '../target.ts';
import { made } from '../values.ts';
import { bytesOf, latin, optionsOf, partsOf } from './text-pieces.ts';

const bytesOfType: Readonly<Record<number, number>> = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 };
const options = { gzip: [true, false], name: ['digits'], sha256: ['0'.repeat(64)], cache: [false] };

export const target: Target = {
  name: 'idx',
  share: 0.5,
  generate(random) {
    const type = random.pick([8, 9, 11, 12, 13, 14, 8, 8, 10, 0]);
    const shape = random.list(0, 4, () =>
      random.pick([0, 1, 2, 3, 5, random.chance(0.1) ? 2 ** 32 - 1 : 2, random.chance(0.05) ? 65536 : 1]),
    );
    const size = shape.reduce((product, n) => product * n, 1) * (bytesOfType[type] ?? 1);
    const length = 4 + 4 * shape.length + (size < 5000 ? size : 0);
    const bytes = new Uint8Array(length);
    bytes.set([0, 0, type, shape.length]);
    const view = new DataView(bytes.buffer);
    for (const [i, n] of shape.entries()) view.setUint32(4 + 4 * i, n);
    for (let i = 4 + 4 * shape.length; i < length; i++) bytes[i] = random.below(256);
    for (let n = random.pick([0, 0, 0, 1, 2, 4]); n > 0; n--)
      bytes[random.below(random.chance(0.7) ? Math.min(length, 12) : length)] = random.below(256);
    if (random.chance(0.03)) bytes.set([0x1f, 0x8b, 8]);
    const cut = random.chance(0.2) ? random.below(length + 1) : length;
    return { bytes: latin(bytes.subarray(0, cut)), options: optionsOf(random, options) };
  },
  async run(input) {
    const { bytes, options: plain = {} } = partsOf(input);
    const { data, shape } = await loadIdx(bytesOf(bytes), made(plain) as object);
    if (shape.reduce((product, n) => product * n, 1) !== data.length)
      throw new Violation('another number of values than the shape says');
  },
};
