import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inflateRaw } from '../../src/engine/inflate.ts';

const repetitive = Uint8Array.from({ length: 5000 }, (_, i) => ((i * i) % 251) & (i % 7 ? 0xf0 : 0xff));

test.each([
  ['stored', { level: 0 }],
  ['fixed codes', { strategy: constants.Z_FIXED }],
  ['dynamic codes', { level: 9 }],
  ['literals alone', { strategy: constants.Z_HUFFMAN_ONLY }],
])('inflateRaw of %s, gives what the host deflated', (_, options) => {
  const bytes = inflateRaw(deflateRawSync(repetitive, options), repetitive.length);
  expect(Buffer.from(bytes).equals(repetitive)).toBe(true);
});

test('inflateRaw of any bytes after any dictionary, gives what the host deflated', () => {
  const bytes = fc.uint8Array({ maxLength: 600 });
  fc.assert(
    fc.property(bytes, bytes, fc.boolean(), (data, dictionary, alike) => {
      const whole = alike ? Uint8Array.from([...dictionary, ...data, ...dictionary]) : data;
      const deflated = dictionary.length > 0 ? deflateRawSync(whole, { dictionary }) : deflateRawSync(whole);
      expect(Buffer.from(inflateRaw(deflated, whole.length, dictionary)).equals(Buffer.from(whole))).toBe(true);
    }),
    { seed: 7, numRuns: 300 },
  );
});
