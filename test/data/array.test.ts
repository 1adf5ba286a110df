import { describe, expect, test } from 'vitest';
import { asArray, type DataLike, type NumberArray, ndarray, toNdArray } from '../../src/data/array.ts';
import { padSequences } from '../../src/data/pad-sequences.ts';
import { ragged } from '../../src/data/ragged.ts';
import { windows } from '../../src/data/windows.ts';
import { ArgumentError } from '../../src/engine/argument-error.ts';

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
    ['a string', '1', 'got string'],
    ['null', null, 'got object'],
    ['a bigint', 1n, 'got bigint'],
    ['an object without words', { toString: null }, 'got object'],
    ['true', true, 'got boolean'],
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
