import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { textOfUtf8, utf8Of } from '../../src/host/utf8.ts';

afterEach(() => vi.unstubAllGlobals());

const texts = fc.string({
  unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.constantFrom('\ud800', '\udc01', '%', '\ufeff')),
});

test('utf8Of without a TextEncoder, gives its bytes', () => {
  fc.assert(
    fc.property(texts, (text) => {
      vi.unstubAllGlobals();
      const expected = new TextEncoder().encode(text);
      vi.stubGlobal('TextEncoder', undefined);
      expect(utf8Of(text)).toEqual(expected);
    }),
  );
});

test('textOfUtf8 without a TextDecoder, gives its text, and refuses what it refuses', () => {
  const outcome = (bytes: Uint8Array): string | undefined => {
    try {
      return textOfUtf8(bytes);
    } catch {
      return undefined;
    }
  };
  const bytes = fc.oneof(
    fc.uint8Array(),
    texts.map((text) => new TextEncoder().encode(text)),
  );
  fc.assert(
    fc.property(bytes, (given) => {
      vi.unstubAllGlobals();
      const expected = outcome(given);
      vi.stubGlobal('TextDecoder', undefined);
      expect(outcome(given)).toBe(expected);
    }),
  );
});
