import { afterEach, expect, test, vi } from 'vitest';
import { utf8Decoder } from '../../../src/data/text/utf8.ts';

afterEach(() => vi.unstubAllGlobals());

test.each(['with', 'without'])(
  'utf8Decoder %s a TextDecoder, has the text of what is UTF-8 and marks in what is not',
  (which) => {
    if (which === 'without') vi.stubGlobal('TextDecoder', undefined);
    const decoder = utf8Decoder();
    expect(decoder.decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xc3, 0xa9))).toBe('\ufeffaé');
    expect(decoder.decode(Uint8Array.of(0x61, 0xc3))).toBe(which === 'with' ? 'a\ufffd' : 'a?');
  },
);
