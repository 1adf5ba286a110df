import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { shuffle, splitAt, takeRows, trainTestSplit } from '../../src/data/rows.ts';

const grid = ndarray(Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31), [4, 2]);

describe('splitAt', () => {
  test('array, typed array and list, are cut by rows into copies of their kind', () => {
    const [before, after] = splitAt(grid, 3);
    expect(before).toEqual(ndarray(Float32Array.of(0, 1, 10, 11, 20, 21), [3, 2]));
    expect(after).toEqual(ndarray(Float32Array.of(30, 31), [1, 2]));
    before.data[0] = 5;
    expect(grid.data[0]).toBe(0);
    expect(splitAt(Int16Array.of(1, 2, 3), 1)).toEqual([Int16Array.of(1), Int16Array.of(2, 3)]);
    expect(splitAt(['a', 'b'], 2)).toEqual([['a', 'b'], []]);
  });

  test('part below 1, is a part of the rows rounded down', () => {
    expect(splitAt([1, 2, 3, 4, 5], 0.5)).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  test.each([0.07, 0.28, 0.29, 0.43, 0.57, 0.58])('%d of 100 rows, is the number that it says', (part) => {
    const rows = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(splitAt(rows, part)[0].length).toBe(Math.round(part * 100));
    expect(trainTestSplit([rows], { testSize: part }).test[0].length).toBe(Math.round(part * 100));
  });

  test('context, begins the second part earlier', () => {
    expect(splitAt([1, 2, 3, 4, 5], 3, { context: 2 })).toEqual([
      [1, 2, 3],
      [2, 3, 4, 5],
    ]);
  });

  test.each([
    [5, {}, 'splitAt: at expected 0 to 4, the rows, or a part between 0 and 1, got 5'],
    [1.5, {}, 'splitAt: at expected 0 to 4'],
    [-1, {}, 'splitAt: at expected 0 to 4'],
    [2, { context: 3 }, 'splitAt: context expected 0 to 2, the rows before, got 3'],
  ])('at %d with %j, is an error', (at, options, message) => {
    expect(() => splitAt(grid, at, options)).toThrow(message);
  });
});

test('rows whose buffer was handed to another thread, are none, or fewer than their shape says', () => {
  const list = new Float32Array(2);
  const rows = ndarray(new Float32Array(2), [2, 1]);
  structuredClone([list, rows.data], { transfer: [list.buffer, rows.data.buffer] });
  expect(splitAt(list, 0.5)).toEqual([new Float32Array(0), new Float32Array(0)]);
  for (const call of [() => splitAt(rows, 1), () => takeRows(rows, [0]), () => shuffle([rows])]) {
    expect(call).toThrow('shape [2, 1] holds 2 values, got 0');
  }
});

describe('takeRows', () => {
  test('numbers in any order, twice too, give these rows', () => {
    expect(takeRows(grid, [3, 0, 3]).toNested()).toEqual([
      [30, 31],
      [0, 1],
      [30, 31],
    ]);
    expect(takeRows(Float64Array.of(0.5, 1.5), [1])).toEqual(Float64Array.of(1.5));
    expect(takeRows(['a', 'b'], Uint32Array.of(1, 1))).toEqual(['b', 'b']);
    expect(takeRows(grid, []).shape).toEqual([0, 2]);
    expect(takeRows(ndarray([1, 2], [2]), [1]).data).toEqual([2]);
  });

  test('number of no row, is an error', () => {
    expect(() => takeRows([1, 2], [0, 2])).toThrow('takeRows: indices[1] expected 0 to 1, got 2');
  });
});

describe('shuffle', () => {
  const numbers = Int32Array.from({ length: 50 }, (_, i) => i);

  test('several arrays, come in one order that the seed alone fixes', () => {
    const [a, b] = shuffle([numbers, Array.from(numbers, (i) => `${i}`)], { seed: 7 });
    expect(Array.from(a, String)).toEqual(b);
    expect([...a].sort((x, y) => x - y)).toEqual([...numbers]);
    expect(a).not.toEqual(numbers);
    expect(shuffle([numbers], { seed: 7 })[0]).toEqual(a);
    expect(shuffle([numbers], { seed: 8 })[0]).not.toEqual(a);
  });

  test('order of seed 0, is the same on every host', () => {
    expect([...shuffle([numbers.subarray(0, 8)])[0]]).toEqual([3, 1, 6, 0, 2, 4, 7, 5]);
  });

  test('arrays of unequal length, are an error', () => {
    expect(() => shuffle([grid, [1, 2]])).toThrow('shuffle: arrays[1] expected 4 rows, as arrays[0], got 2');
    expect(() => shuffle([])).toThrow('shuffle: expected one array or more, got none');
  });
});

describe('trainTestSplit', () => {
  test('without shuffling, takes the last rows for the test part', () => {
    const { train, test: held } = trainTestSplit([grid, ['a', 'b', 'c', 'd']], { shuffle: false });
    expect(train[1]).toEqual(['a', 'b', 'c']);
    expect(held[0].toNested()).toEqual([[30, 31]]);
  });

  test('any sizes, every row is in one of both parts, with its label', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 30 }),
        fc.nat(1000),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (count, seed, part) => {
          fc.pre(Math.ceil(part * count) < count);
          const x = Float32Array.from({ length: count }, (_, i) => i);
          const { train, test: held } = trainTestSplit([x, Array.from(x)], { seed, testSize: part });
          expect(held[0].length).toBe(Math.ceil(part * count));
          expect([...train[1], ...held[1]].sort((a, b) => a - b)).toEqual([...x]);
          expect(Array.from(train[0])).toEqual(train[1]);
        },
      ),
      { seed: 9 },
    );
  });

  test.each([0, 4, 1.5, -1])('testSize %d of 4 rows, is an error', (testSize) => {
    expect(() => trainTestSplit([grid], { testSize })).toThrow(
      /^trainTestSplit: testSize expected a part between 0 and 1 or 1 to 3 of 4 rows/,
    );
  });
});
