import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import {
  buildVocabulary,
  decodeIds,
  decodeUtf8,
  encodeText,
  TextError,
  textStreams,
} from '../../../src/data/text/text.ts';

const seed = 11;

describe('decodeUtf8', () => {
  test.each<[string, number[], string]>([
    ['nothing', [], ''],
    ['byte-order mark', [0xef, 0xbb, 0xbf, 0x61], 'a'],
    ['second byte-order mark', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], '\ufeff'],
    ['NUL', [0x61, 0, 0x62], 'a\0b'],
    [
      'last code point of each size',
      [0x7f, 0xdf, 0xbf, 0xef, 0xbf, 0xbf, 0xf4, 0x8f, 0xbf, 0xbf],
      '\x7f\u07ff\uffff\u{10ffff}',
    ],
  ])('%s, decodes', (_, bytes, text) => {
    expect(decodeUtf8(new Uint8Array(bytes), 'f')).toBe(text);
  });

  test.each<[string, number[], string]>([
    ['stray continuation', [0x61, 0x80], 'byte 0x80 at offset 1'],
    ['overlong slash', [0xc0, 0xaf], 'byte 0xc0 at offset 0'],
    ['overlong in three bytes', [0x61, 0xe0, 0x80, 0xaf], 'byte 0x80 at offset 2'],
    ['overlong in four bytes', [0xf0, 0x8f, 0xbf, 0xbf], 'byte 0x8f at offset 1'],
    ['surrogate', [0xed, 0xa0, 0x80], 'byte 0xa0 at offset 1'],
    ['past U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 'byte 0x90 at offset 1'],
    ['lead that no character has', [0xc3, 0xa9, 0xf5], 'byte 0xf5 at offset 2'],
    ['Latin-1', [0x63, 0xe9, 0x20], 'byte 0x20 at offset 2'],
    ['byte-order mark and Latin-1', [0xef, 0xbb, 0xbf, 0xff], 'byte 0xff at offset 3'],
    ['third byte wrong', [0xe2, 0x82, 0x41], 'byte 0x41 at offset 2'],
    ['cut inside a character', [0x61, 0xf0, 0x9f, 0x98], 'the end inside a character at offset 4'],
    ['UTF-16', [0xff, 0xfe, 0x61, 0], 'byte 0xff at offset 0; its first bytes are those of UTF-16'],
  ])('%s, throws with the offset', (_, bytes, got) => {
    expect(() => decodeUtf8(new Uint8Array(bytes), 'f.txt')).toThrow(
      new TextError(`f.txt: expected UTF-8, got ${got}`),
    );
  });

  test('any bytes, offset is where the longest decodable beginning stops', () => {
    const interesting = fc.constantFrom(
      0x41,
      0x80,
      0x8f,
      0x9f,
      0xa0,
      0xbf,
      0xc1,
      0xc2,
      0xe0,
      0xe2,
      0xed,
      0xf0,
      0xf4,
      0xf5,
    );
    fc.assert(
      fc.property(fc.array(interesting, { maxLength: 8 }), (list) => {
        const bytes = new Uint8Array(list);
        const decodes = (length: number) => {
          try {
            new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
            return true;
          } catch {
            return false;
          }
        };
        let offset = bytes.length;
        while (!decodes(offset)) offset--;
        try {
          decodeUtf8(bytes, 'f');
        } catch (error) {
          expect((error as Error).message).toMatch(new RegExp(`at offset ${offset}\\b`));
        }
      }),
      { seed, numRuns: 2000 },
    );
  });
});

describe('vocabulary', () => {
  test('text beyond the basic plane, sorts by code point', () => {
    // By UTF-16 unit the emoji would come before U+FF5E.
    expect(buildVocabulary('b😀a\uff5e\nab')).toEqual(['\n', 'a', 'b', '\uff5e', '😀']);
  });

  test('empty text, throws', () => {
    expect(() => buildVocabulary('')).toThrow(new TextError('buildVocabulary: expected text, got an empty one'));
  });

  test('any text, survives encoding and decoding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const vocabulary = buildVocabulary(text);
        const ids = encodeText(text, vocabulary);
        expect(ids.length).toBe([...text].length);
        expect(decodeIds(ids, vocabulary)).toBe(text);
      }),
      { seed },
    );
  });

  test('character outside the vocabulary, is named with its position and the size', () => {
    expect(() => encodeText('😀aé', ['a', 'b', '😀'])).toThrow(
      new TextError(`encodeText: character "é" (U+00E9) at position 2 is not among the vocabulary's 3 characters`),
    );
  });

  test.each([
    ['two characters in one entry', ['a', 'bc'], "vocabulary[1]: expected one character, not used before, got 'bc'"],
    ['empty entry', [''], "vocabulary[0]: expected one character, not used before, got ''"],
    ['entry twice', ['a', 'b', 'a'], "vocabulary[2]: expected one character, not used before, got 'a'"],
  ])('%s, throws', (_, vocabulary, message) => {
    expect(() => encodeText('a', vocabulary)).toThrow(new ArgumentError(message));
  });

  test.each([2, -1, 0.5, Number.NaN])('id %d outside a vocabulary of 2, throws', (id) => {
    expect(() => decodeIds([0, id], ['a', 'b'])).toThrow(
      new ArgumentError(`decodeIds: ids[1] expected 0 to 1, got ${id}`),
    );
  });
});

describe('textStreams', () => {
  const count = (length: number) => Int32Array.from({ length }, (_, i) => i);

  test('14 ids, batch 2, time 3, walks both streams side by side and begins again', () => {
    const streams = textStreams(count(14), { batch: 2, time: 3 });
    expect(streams.windows).toBe(2);
    const take = () => {
      const { x, y, first } = streams.next();
      return { x: [...x], y: [...y], first };
    };
    expect(take()).toEqual({ x: [0, 1, 2, 6, 7, 8], y: [1, 2, 3, 7, 8, 9], first: true });
    expect(take()).toEqual({ x: [3, 4, 5, 9, 10, 11], y: [4, 5, 6, 10, 11, 12], first: false });
    expect(take()).toEqual({ x: [0, 1, 2, 6, 7, 8], y: [1, 2, 3, 7, 8, 9], first: true });
  });

  test('smallest text that fits, is one window with its last id as the last target', () => {
    const streams = textStreams(count(7), { batch: 2, time: 3 });
    expect(streams.windows).toBe(1);
    const { x, y } = streams.next();
    expect([...x]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...y]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(streams.next().first).toBe(true);
  });

  test('two windows, share their buffers', () => {
    const streams = textStreams(count(20), { batch: 1, time: 4 });
    const { x, y } = streams.next();
    const second = streams.next();
    expect(second.x).toBe(x);
    expect(second.y).toBe(y);
  });

  test('any sizes, targets are the next ids and each stream goes on where its last window ended', () => {
    const sizes = fc.record({
      batch: fc.integer({ min: 1, max: 5 }),
      time: fc.integer({ min: 1, max: 6 }),
      more: fc.nat(60),
    });
    fc.assert(
      fc.property(sizes, ({ batch, time, more }) => {
        const length = batch * time + 1 + more;
        const streams = textStreams(count(length), { batch, time });
        const seen = new Set<number>();
        let last: number[] = [];
        for (let w = 0; w < streams.windows; w++) {
          expect(streams.position).toBe(w);
          const { x, y } = streams.next();
          const window = [...x];
          expect([...y]).toEqual(window.map((id) => id + 1));
          for (const id of window) seen.add(id);
          for (let b = 0; b < batch && w > 0; b++) expect(window[b * time]).toBe(last[b * time + time - 1] + 1);
          last = window;
        }
        expect(seen.size).toBe(streams.windows * batch * time);
        expect(Math.max(...seen)).toBeLessThan(length - 1);
        expect(streams.position).toBe(0);
      }),
      { seed },
    );
  });

  test('position set, goes on as the streams it was read from', () => {
    const streams = textStreams(count(100), { batch: 3, time: 4 });
    for (let i = 0; i < 5; i++) streams.next();
    const resumed = textStreams(count(100), { batch: 3, time: 4 });
    resumed.position = streams.position;
    expect(resumed.next()).toEqual(streams.next());
  });

  test.each([-1, 2, 0.5, Number.NaN])('position set to %d of 2 windows, throws', (position) => {
    const streams = textStreams(count(14), { batch: 2, time: 3 });
    expect(() => {
      streams.position = position;
    }).toThrow(new ArgumentError(`textStreams: position expected 0 to 1, got ${position}`));
  });

  test.each([0, 1, 6])('text of %d characters for batch 2 and time 3, says how many are needed', (length) => {
    expect(() => textStreams(count(length), { batch: 2, time: 3 })).toThrow(
      new TextError(`textStreams: expected a text of at least 7 characters for batch 2 and time 3, got ${length}`),
    );
  });

  test.each([
    ['batch', { batch: 0, time: 3 }, 0],
    ['time', { batch: 1, time: 1.5 }, 1.5],
  ])('%s not a whole number of 1 or more, throws', (key, options, got) => {
    expect(() => textStreams(count(9), options)).toThrow(
      new ArgumentError(`textStreams: ${key} expected a whole number of 1 or more, got ${got}`),
    );
  });
});
