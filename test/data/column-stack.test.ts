import { expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { columnStack } from '../../src/data/column-stack.ts';

test('vectors and matrices, stand side by side in their order', () => {
  const matrix = ndarray(Float32Array.of(3, 4, 5, 6), [2, 2]);
  const stack = columnStack([[1, 2], matrix, Float64Array.of(7, 8)]);
  expect(stack.toNested()).toEqual([
    [1, 3, 4, 7],
    [2, 5, 6, 8],
  ]);
  expect(stack.data).toBeInstanceOf(Float64Array);
});

test.each<[unknown, string]>([
  [[], 'arrays expected one array or more, got none'],
  [3, 'arrays expected a list, got 3'],
  [[[1, 2], [1]], 'arrays[1] expected [2] or [2, F], as arrays[0] has 2 rows, got [1]'],
  [[[[[1]]]], 'arrays[0] expected [N] or [N, F], got [1, 1, 1]'],
])('%j, is an error', (arrays, message) => {
  expect(() => columnStack(arrays as never)).toThrow(`columnStack: ${message}`);
});
