import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/data/sources/data-error.ts';
import { loadLines, loadText } from '../../../src/data/text/lines.ts';
import { loadPairs } from '../../../src/data/text/pairs.ts';
import { TextError } from '../../../src/data/text/text.ts';

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

describe('loadText', () => {
  test('UTF-8, is decoded without its mark', async () => {
    expect(await loadText(utf8('\ufeffÇa 😀\r\n'))).toBe('Ça 😀\r\n');
  });

  test('bytes that are not, are an error with name and offset', async () => {
    await expect(loadText(Uint8Array.of(0x61, 0xe9, 0x62), { name: 'f.txt' })).rejects.toThrow(
      new TextError('f.txt: expected UTF-8, got byte 0x62 at offset 2'),
    );
  });
});

test.each([
  ['', []],
  ['a\nb\n', ['a', 'b']],
  ['a\r\n\r\nb', ['a', '', 'b']],
  ['a\rb\r', ['a', 'b']],
  ['\n', ['']],
])('loadLines of %j, gives its lines', async (text, lines) => {
  expect(await loadLines(utf8(text))).toEqual(lines);
});

describe('loadPairs', () => {
  const load = (text: string, options = {}) => loadPairs(utf8(text), { name: 'p.txt', ...options });

  test('pairs with and without attribution, are read', async () => {
    expect(await load('Go.\tVa !\r\nRun!\tCours\u202f!\tCC-BY\n')).toEqual([
      ['Go.', 'Va !'],
      ['Run!', 'Cours\u202f!'],
    ]);
    expect(await load('')).toEqual([]);
  });

  test.each([
    ['no tab', 'a\tb\nonly one\nc\td\n', 2],
    ['an empty sentence', 'a\tb\nc\td\n \te\nf\tg\n', 3],
    ['an empty line', '\na\tb\n', 1],
  ])('line with %s, is an error with its number whatever the option', async (_, text, line) => {
    for (const incomplete of ['error', 'skip']) {
      const error = await load(text, { incomplete }).catch((e: unknown) => e as DataError);
      expect(error).toBeInstanceOf(DataError);
      expect(error).toMatchObject({ file: 'p.txt', line });
      expect((error as DataError).message).toContain(
        `p.txt:${line}: expected two sentences with a tab between them, got "`,
      );
    }
  });

  test.each(['c', 'c\t', 'c\td e ', 'c\t \n'])('last line %j, is cut off: an error, or left out', async (last) => {
    await expect(load(`a\tb\n${last}`)).rejects.toThrow(
      /^p\.txt:2: the last line is cut off \(incomplete: 'skip' leaves it out\)/,
    );
    expect(await load(`a\tb\n${last}`, { incomplete: 'skip' })).toEqual([['a', 'b']]);
  });

  test('option that is none, is an error', async () => {
    await expect(load('', { incomplete: 'keep' })).rejects.toThrow(
      `loadPairs: incomplete expected 'error' or 'skip', got 'keep'`,
    );
  });
});
