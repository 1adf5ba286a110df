import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type IdOptions, loadIds } from '../../../src/data/text/id-sequences.ts';

const bytesOf = (list: Uint16Array | Uint32Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(list.buffer as ArrayBuffer);
const file = (bytes: Uint8Array<ArrayBuffer>, name: string): File => new File([bytes], name);

const ids = file(bytesOf(Uint16Array.of(1, 5, 9, 1, 7, 1, 3, 4, 300)), 'ids');
const offsets = (...list: number[]) => file(bytesOf(Uint32Array.from(list)), 'offsets');
const labels = file(Uint8Array.of(1, 0, 1), 'labels');
const load = async (options: IdOptions = {}) => {
  const { sequences, labels: found } = await loadIds({ ids, offsets: offsets(0, 3, 5, 9), labels }, options);
  return [sequences.map((sequence) => [...sequence]), [...found]];
};

describe('loadIds', () => {
  test('three files, are sequences and labels', async () => {
    expect(await load()).toEqual([
      [
        [1, 5, 9],
        [1, 7],
        [1, 3, 4, 300],
      ],
      [1, 0, 1],
    ]);
  });

  test('numWords, makes ids from there on 2', async () => {
    expect((await load({ numWords: 9 }))[0]).toEqual([
      [1, 5, 2],
      [1, 7],
      [1, 3, 4, 2],
    ]);
  });

  test('skipTop, makes ids below 2, the start among them', async () => {
    expect((await load({ skipTop: 4 }))[0]).toEqual([
      [2, 5, 9],
      [2, 7],
      [2, 2, 4, 300],
    ]);
  });

  test('outOfVocabulary, replaces or, null, leaves out', async () => {
    expect((await load({ numWords: 6, outOfVocabulary: 0 }))[0]).toEqual([
      [1, 5, 0],
      [1, 0],
      [1, 3, 4, 0],
    ]);
    expect((await load({ numWords: 6, skipTop: 2, outOfVocabulary: null }))[0]).toEqual([[5], [], [3, 4]]);
  });

  test('maxLength, leaves out sequences of this length with their labels', async () => {
    expect(await load({ maxLength: 4 })).toEqual([
      [
        [1, 5, 9],
        [1, 7],
      ],
      [1, 0],
    ]);
    expect(await load({ maxLength: 3 })).toEqual([[[1, 7]], [0]]);
    await expect(load({ maxLength: 2 })).rejects.toThrow('loadIds: maxLength 2 left none of 3 sequences');
  });

  test('other widths and gzip, are read', async () => {
    const sources = {
      ids: new Uint8Array(gzipSync(bytesOf(Uint32Array.of(70000, 1, 2)))),
      offsets: Uint8Array.of(0, 1, 3),
      labels: bytesOf(Uint16Array.of(300, 4)),
    };
    const { sequences, labels: found } = await loadIds(sources, {
      widths: { ids: 'u32', offsets: 'u8', labels: 'u16' },
    });
    expect(sequences).toEqual([Int32Array.of(70000), Int32Array.of(1, 2)]);
    expect(found).toEqual(Int32Array.of(300, 4));
  });

  test('checksum of one file that is wrong, names that file', async () => {
    await expect(load({ sha256: { labels: '0'.repeat(64) } })).rejects.toThrow(/^labels: expected sha256 0{64}, got/);
  });

  test.each<[string, number[], string]>([
    ['too few', [0, 3, 9], 'offsets: expected 4 offsets for the 3 labels of labels, got 3'],
    ['not from 0', [1, 3, 5, 9], 'offsets: offset 0 expected 0, got 1'],
    ['falling', [0, 5, 3, 9], 'offsets: offset 2 expected 5 or more, the offset before, got 3'],
    ['short of the end', [0, 3, 5, 8], 'offsets: offset 3, the last, expected 9, the number of ids, got 8'],
    ['beyond the end', [0, 3, 5, 10], 'offsets: offset 3, the last, expected 9, the number of ids, got 10'],
    ['beyond 31 bits', [0, 0x80000000, 5, 9], 'offsets: expected numbers below 2^31, got 2147483648 at index 1'],
  ])('offsets %s, are an error with file and index', async (_, list, message) => {
    await expect(loadIds({ ids, offsets: offsets(...list), labels })).rejects.toThrow(message);
  });

  test('file that ends within a number, is an error', async () => {
    const cut = file(Uint8Array.of(1, 0, 5), 'ids');
    await expect(loadIds({ ids: cut, offsets: offsets(0, 1, 1, 1), labels })).rejects.toThrow(
      'ids: expected numbers of 2 bytes, got 3 bytes: the file is cut short or of another width',
    );
  });

  test.each([
    [
      { outOfVocabulary: 2 ** 31 },
      'loadIds: outOfVocabulary expected a whole number from 0 to 2^31 - 1, got 2147483648',
    ],
    [{ outOfVocabulary: -1 }, 'loadIds: outOfVocabulary expected a whole number from 0 to 2^31 - 1, got -1'],
    [{ widths: { ids: '__proto__' } as never }, "loadIds: widths expected 'u8', 'u16' or 'u32', got '__proto__'"],
    [{ widths: { labels: 'toString' } as never }, "loadIds: widths expected 'u8', 'u16' or 'u32', got 'toString'"],
    [{ numWords: -1 }, 'loadIds: numWords expected a whole number of 0 or more, got -1'],
    [{ maxLength: 1.5 }, 'loadIds: maxLength expected a whole number of 0 or more, got 1.5'],
    [{ widths: { ids: 'u64' } }, `loadIds: widths expected 'u8', 'u16' or 'u32', got 'u64'`],
  ])('option %j, is an error', async (options, message) => {
    await expect(load(options as IdOptions)).rejects.toThrow(message);
  });
});
