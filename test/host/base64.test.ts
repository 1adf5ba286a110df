import { expect, test } from 'vitest';
import { decodeBase64Alone } from '../../src/host/base64.ts';

test('decodeBase64Alone, bytes of every remainder of length, gives what the host encoded', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 31) & 0xff);
    expect(decodeBase64Alone(Buffer.from(bytes).toString('base64'))).toEqual(bytes);
  }
});
