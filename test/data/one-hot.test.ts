import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { type DataLike, ndarray } from '../../src/data/array.ts';
import { oneHot } from '../../src/data/one-hot.ts';

describe('oneHot', () => {
  test('of a list, has 1 at the place of each id', () => {
    expect(oneHot([2, 0], 3)).toEqual(ndarray(Float32Array.of(0, 0, 1, 1, 0, 0), [2, 3]));
  });

  test('of ids of more axes, adds an axis at the end', () => {
    const rows = oneHot(ndarray(Int32Array.of(0, 1, 1, 0), [2, 2]), 2);
    expect(rows.toNested()).toEqual([
      [
        [1, 0],
        [0, 1],
      ],
      [
        [0, 1],
        [1, 0],
      ],
    ]);
  });

  test('without a depth, has one more than the greatest id, as to_categorical', () => {
    expect(oneHot([0, 3]).shape).toEqual([2, 4]);
    expect(oneHot([0, 0]).shape).toEqual([2, 1]);
  });

  test.each<[unknown, number | undefined, string]>([
    [[0, 3], 3, 'oneHot: ids expected ids in [0, 3), got 3 in sample 1 of [2] (flat index 1)'],
    [[-1], undefined, 'oneHot: ids expected ids in [0, 1), got -1'],
    [[0.5], 3, 'oneHot: ids expected integers of 32 bits, got 0.5'],
    [[0], 0, 'oneHot: depth expected an integer ≥ 1, got 0'],
    [[], undefined, 'oneHot: depth expected, for there are no ids'],
    [3, 4, 'oneHot: ids expected at least one axis, got a single number'],
    [['a'], 4, "oneHot: ids[0]: expected a number, got 'a'"],
    [[2 ** 30, 0, 0, 0, 0, 0, 0, 0, 0], undefined, 'oneHot: ids expected fewer numbers than this host has room for'],
  ])('of %j with depth %s, is refused', (ids, depth, message) => {
    const call = (): unknown => oneHot(ids as DataLike, depth);
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});
