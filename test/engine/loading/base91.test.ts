import { expect, test } from 'vitest';
import { encodeBase91 } from '../../../scripts/base91.ts';
import { decodeBase91 } from '../../../src/engine/loading/base91.ts';

test('decodeBase91, bytes of every remainder of length, gives what was encoded', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 31) & 0xff);
    expect(decodeBase91(encodeBase91(bytes)).subarray(0, length)).toEqual(bytes);
  }
});

test('encodeBase91, any bits, needs no escape between double quotes', () => {
  const bytes = Uint8Array.from({ length: 1 << 16 }, (_, i) => (i * 40_503) >> 8);
  expect(encodeBase91(bytes)).toMatch(/^[#-[\]-~]*$/);
});

test('decodeBase91, two characters, gives their 13 bits', () => {
  // 13 = 0·91 + 13 and 8,191 = 90·91 + 1.
  expect([...decodeBase91('#0')]).toEqual([0]);
  expect([...decodeBase91('~$~$')]).toEqual([255, 255, 255]);
});
