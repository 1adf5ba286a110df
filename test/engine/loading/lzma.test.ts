import fc from 'fast-check';
import { compress } from 'lzma';
import { expect, test } from 'vitest';
import { decodeLzma } from '../../../src/engine/loading/lzma.ts';

const HEADER = 13;
const coded = (bytes: Uint8Array, level: 3 | 9): Uint8Array =>
  Uint8Array.from(compress([...bytes], level)).subarray(HEADER);
/** The kernels are compressed with level 9, whose tables of 32 MB take longer to make than a short text to compress. */
const decoded = (bytes: Uint8Array, size = bytes.length, level: 3 | 9 = 9): Buffer =>
  Buffer.from(decodeLzma(coded(bytes, level), size));

test('decodeLzma of bytes that repeat near and far, gives what was compressed', () => {
  let noise = 1;
  const next = (): number => {
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
    return noise >>> 24;
  };
  const block = Uint8Array.from({ length: 8000 }, next);
  const ramp = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 3);
  const whole = Buffer.concat([block, ramp, block.subarray(100, 6000), new Uint8Array(70_000), ramp, block]);
  expect(decoded(whole).equals(whole)).toBe(true);
});

test('decodeLzma of a size below the whole, gives the first bytes', () => {
  const whole = Buffer.from('a stream of bytes, a stream of bits, a stream of bytes and bits'.repeat(9));
  expect(decoded(whole, 40).equals(whole.subarray(0, 40))).toBe(true);
});

test('decodeLzma of any bytes, gives what was compressed', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), fc.array(fc.nat(19)), (parts, order) => {
      const whole = Buffer.concat([...parts, ...order.flatMap((i) => parts[i] ?? [])]);
      expect(decoded(whole, whole.length, 3).equals(whole)).toBe(true);
    }),
    { seed: 1, numRuns: 60 },
  );
});
