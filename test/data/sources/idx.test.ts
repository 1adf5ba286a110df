import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadIdx } from '../../../src/data/sources/idx.ts';

const head = (type: number, ...shape: number[]): number[] => [
  0,
  0,
  type,
  shape.length,
  ...shape.flatMap((n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]),
];
const load = (bytes: number[]) => loadIdx(Uint8Array.from(bytes), { name: 'x.idx' });

describe('loadIdx', () => {
  test('bytes of two axes, gzipped, give a Uint8Array of this shape', async () => {
    const array = await loadIdx(new Uint8Array(gzipSync(Uint8Array.from([...head(8, 2, 3), 1, 2, 3, 4, 5, 255]))));
    expect(array.data).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 255));
    expect(array.shape).toEqual([2, 3]);
  });

  test.each<[number, number[], ArrayLike<number>]>([
    [0x09, [0xff, 0x01], Int8Array.of(-1, 1)],
    [0x0b, [0xff, 0xfe, 0x01, 0x00], Int16Array.of(-2, 256)],
    [0x0c, [0xff, 0xff, 0xff, 0xfe, 0, 1, 0, 0], Int32Array.of(-2, 65536)],
    [0x0d, [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], Float32Array.of(1.5, -2)],
    [0x0e, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], Float64Array.of(1.5, -2)],
  ])('type %i, is read big-endian', async (type, values, expected) => {
    expect((await load([...head(type, 2), ...values])).data).toEqual(expected);
  });

  test('array within a larger buffer at an odd place, is read and not shared', async () => {
    const bytes = Uint8Array.of(9, ...head(8, 2), 3, 4, 9).subarray(1, 11);
    const { data } = await loadIdx(bytes);
    bytes[8] = 77;
    expect(data).toEqual(Uint8Array.of(3, 4));
  });

  test('axis of no length, is an empty array', async () => {
    expect((await load(head(8, 0, 28))).shape).toEqual([0, 28]);
  });

  test.each<[string, number[], RegExp]>([
    ['empty file', [], /got an empty file$/],
    ['other file', [0x89, 0x50, 0x4e, 0x47], /^x\.idx: expected an idx file, .*, got 89 50 4e 47$/],
    ['type that is none', head(0x0a, 1), /got 00 00 0a 01$/],
    ['no axis', [0, 0, 8, 0], /got 00 00 08 00$/],
    [
      'sizes cut',
      head(8, 2, 2).slice(0, 9),
      /^x\.idx: expected 12 bytes before the values of 2 axes, got 9: the file is cut short$/,
    ],
    [
      'values cut',
      [...head(12, 2), 0, 0, 0, 1],
      /^x\.idx: expected 16 bytes for its shape \[2\], got 12: the file is cut short$/,
    ],
    ['more values', [...head(8, 1), 1, 2], /^x\.idx: expected 9 bytes for its shape \[1\], got 10$/],
    ['sizes beyond all files', head(14, 0xffffffff, 0xffffffff, 0xffffffff), /cut short$/],
  ])('%s, is an error that names the file', async (_, bytes, message) => {
    await expect(load(bytes)).rejects.toThrow(message);
  });

  test('any bytes, are an array or a DataError', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(8, 9, 11, 12, 13, 14),
        fc.array(fc.nat(3), { maxLength: 20 }),
        async (type, rest) => {
          const array = await load([0, 0, type, ...rest]).catch((error: Error) => error);
          if (array instanceof Error) expect(array.name).toBe('DataError');
          else expect(array.data.length).toBe(array.shape.reduce((a, b) => a * b, 1));
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});
