import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { asArray, type DataLike, type NumberArray, ndarray, type SliceRange, toNdArray } from '../../src/data/array.ts';
import { addArrayMethods } from '../../src/data/array-methods.ts';
import { padSequences } from '../../src/data/pad-sequences.ts';
import { ragged } from '../../src/data/ragged.ts';
import { windows } from '../../src/data/windows.ts';

addArrayMethods();

function inItself(): DataLike {
  const list: unknown[] = [1];
  list[0] = list;
  return list as number[];
}

function deepList(depth: number): DataLike {
  let list: unknown = [1];
  for (let i = 0; i < depth; i++) list = [list];
  return list as number[];
}

describe('ndarray', () => {
  test.each<[string, unknown, unknown, string]>([
    ['negative lengths', [], [-1, 0], 'shape expected a list of integers ≥ 0, got [-1, 0]'],
    ['fractions', [1, 2, 3], [1.5, 2], 'shape expected a list of integers ≥ 0, got [1.5, 2]'],
    ['a number for its shape', [1], 1, 'shape expected a list of integers ≥ 0, got 1'],
    ['too few numbers', [1], [2], 'ndarray: shape [2] holds 2 values, got 1'],
    ['no data', null, [2], 'ndarray: shape [2] holds 2 values, got null'],
    [
      'bigints',
      new BigInt64Array(2),
      [2],
      'ndarray: shape [2] holds 2 values, got bigints; Int32Array.from(data, Number)',
    ],
  ])('of %s, throws', (_, data, shape, message) => {
    const make = () => ndarray(data as NumberArray, shape as number[]);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });

  test('whose buffer was handed to another thread, is refused where it is read', () => {
    const data = new Float32Array([1, 2]);
    const array = ndarray(data, [2, 1]);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    for (const use of [() => asArray(array, 'x'), () => toNdArray(array, 'i32', 'x')]) {
      expect(use).toThrow('x: shape [2, 1] holds 2 values, got 0');
    }
    expect(() => ragged([array])).toThrow('ragged[0]: shape [2, 1] holds 2 values, got 0');
  });
});

describe('an array', () => {
  const x = ndarray(
    Float32Array.from({ length: 24 }, (_, i) => i),
    [2, 3, 4],
  );

  test('is written by JSON.stringify as nested arrays', () => {
    expect(JSON.stringify({ x: ndarray([1, 2, 3, 4], [2, 2]) })).toBe('{"x":[[1,2],[3,4]]}');
    expect(JSON.stringify(ndarray([5], []))).toBe('5');
  });

  test.each<[string, SliceRange[], number[], number[]]>([
    ['an index', [1], [3, 4], [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]],
    ['indices from the end', [-1, -2], [4], [16, 17, 18, 19]],
    ['an index of each axis', [1, 0, 2], [], [14]],
    ['ranges', [[0, 1], [1]], [1, 2, 4], [4, 5, 6, 7, 8, 9, 10, 11]],
    ['a range to the end but one, and a column', [null, [0, -1], 3], [2, 2], [3, 7, 15, 19]],
    ['an empty range', [[1, 1]], [0, 3, 4], []],
    ['nothing', [], [2, 3, 4], Array.from(x.data)],
  ])('sliced by %s, is a copy as in NumPy', (_, ranges, shape, data) => {
    const part = x.slice(...ranges);
    expect(part.shape).toEqual(shape);
    expect(part.data).toEqual(Float32Array.from(data));
    expect(part.data.buffer).not.toBe(x.data.buffer);
  });

  test('of a list or ids, keeps the kind of its numbers', () => {
    expect(ndarray([1, 2, 3], [3]).slice([1]).data).toEqual([2, 3]);
    expect(ndarray(Int32Array.of(1, 2), [2, 1]).row(-1)).toEqual(ndarray(Int32Array.of(2), [1]));
  });

  test.each<[() => unknown, string]>([
    [() => x.row(2), 'slice: axis 0 of [2, 3, 4] expected a range or an index within it, got 2'],
    [() => x.row('1' as never), "row: i expected a number, got '1'"],
    [() => x.slice(null, [2, 1]), 'slice: axis 1 of [2, 3, 4] expected a range or an index within it, got [2, 1]'],
    [() => x.slice(0.5), 'got 0.5'],
    [() => x.slice([0, 3]), 'got [0, 3]'],
    [() => x.slice('1' as never), "slice: axis 0 expected [from, to], an index or null, got '1'"],
    [() => x.slice(0, 0, 0, 0), 'slice: expected 3 ranges at most, got 4'],
    [() => x.argMax(3), 'argMax: expected an axis of [2, 3, 4], got 3'],
    [() => x.argMax(-4), 'argMax: expected an axis of [2, 3, 4], got -4'],
    [() => ndarray([], [0, 2]).argMax(), 'argMax: expected a number or more, got [0, 2]'],
    [() => ndarray([], [2, 0]).argMax(1), 'argMax: expected a number or more, got [2, 0]'],
  ])('%s, is refused', (call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  test('has its greatest number where NumPy finds it, the first of equals and of NaNs', () => {
    expect(ndarray([1, 5, 5, 2], [2, 2]).argMax()).toBe(1);
    expect(ndarray([1, NaN, 9, NaN], [4]).argMax()).toBe(1);
    expect(ndarray([1, 5, 5, 2], [2, 2]).argMax(0)).toEqual(ndarray(Int32Array.of(1, 0), [2]));
    expect(ndarray([1, 5, 5, 2], [2, 2]).argMax(-1)).toEqual(ndarray(Int32Array.of(1, 0), [2]));
    expect(ndarray([], [0, 2]).argMax(1)).toEqual(ndarray(new Int32Array(0), [0]));
  });
});

test('a copy of an array that structuredClone made, is data as the array is', () => {
  const array = ndarray(Float32Array.of(1, 2, 3, 4), [2, 2]);
  const copy = structuredClone(array);
  expect(asArray(copy, 'x')).toEqual(array);
  expect(asArray(JSON.parse('{"data":[1,2],"shape":[2,1]}'), 'x')).toEqual(ndarray([1, 2], [2, 1]));
  expect(() => asArray({ data: [1], shape: [2] } as never, 'x')).toThrow('x: shape [2] holds 2 values, got 1');
});

test('a batch in place of data, is told', () => {
  const batch = windows([1, 2, 3], { inputSteps: 1 });
  expect(() => asArray(batch as never, 'x')).toThrow(
    new ArgumentError('x expected data, got an object with x; give its x and y as two arguments'),
  );
});

describe('data that no array is made of', () => {
  test.each<[string, DataLike]>([
    ['a list in itself', inItself()],
    ['lists deeper than a stack', deepList(20_000)],
    ['lists one deeper than the rest', [[1], deepList(20_000)] as number[][]],
  ])('%s, is refused as data of every kind', (_, data) => {
    const uses: (() => unknown)[] = [
      () => asArray(data, 'x'),
      () => ragged([data]),
      () => padSequences([data] as never),
      () => windows(data, { inputSteps: 1 }),
      () => ndarray([1], data as number[]),
    ];
    for (const use of uses) expect(use).toThrow(ArgumentError);
  });

  test.each<[string, unknown, string]>([
    ['a string', '1', "got '1'"],
    ['null', null, 'got null'],
    ['a bigint', 1n, 'got 1n'],
    ['an object without words', { toString: null }, 'got an object'],
    ['true', true, 'got true'],
  ])('%s among numbers, is no number', (_, value, got) => {
    const flat = ndarray([1, value as number], [2]);
    expect(() => toNdArray(flat, 'f32', 'x')).toThrow(`x expected finite numbers, ${got} in sample 1`);
    expect(() => toNdArray(flat, 'i32', 'x')).toThrow(`x expected integers of 32 bits, ${got} in sample 1`);
    expect(() => asArray([1, value as number], 'x')).toThrow(`x[1]: expected a number, ${got}`);
  });

  test('bigints of a typed array, say how to make numbers of them', () => {
    expect(() => asArray(new BigInt64Array(3) as never, 'x')).toThrow('x: shape [3] holds 3 values, got bigints');
  });
});
