import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { swapTimeBatch } from '../../src/ops/index.ts';
import { adam } from '../../src/optimizers/adam.ts';
import { values } from '../kernels/reference/values.ts';

const make = (): [Parameter, Parameter] => [
  new Parameter('a', [2, 3], values(6, 1)),
  new Parameter('b', [4], values(4, 2)),
];
const f32 = (shape: number[]): Tensor =>
  tensor(
    values(
      shape.reduce((n, m) => n * m, 1),
      3,
    ),
    { shape },
  );

describe('apply of an optimizer', () => {
  const [a, b] = make();
  test.each<[string, Parameter[], Tensor[], string]>([
    ['a gradient that is too short', [a, b], [f32([2, 3]), f32([3])], "gradient of 'b' expected [4], got [3]"],
    [
      'a gradient of as many numbers and another shape',
      [a],
      [f32([3, 2])],
      "gradient of 'a' expected [2, 3], got [3, 2]",
    ],
    [
      'ids for a gradient',
      [b],
      [tensor([1, 2, 3, 4], { dtype: 'i32' })],
      "gradient of 'b' expected f32, got i32 for 'tensor'",
    ],
    ['a gradient in another memory order', [a], [swapTimeBatch(f32([3, 2]))], "gradient of 'a' expected row-major"],
    ['too few gradients', [a, b], [f32([2, 3])], 'expected distinct parameters and a gradient for each, got 2 and 1'],
    [
      'a parameter twice',
      [a, a],
      [f32([2, 3]), f32([2, 3])],
      'expected distinct parameters and a gradient for each, got 2 and 2',
    ],
  ])('given %s, throws and changes nothing', (_, parameters, gradients, message) => {
    const optimizer = adam();
    const before = [a, b].map((parameter) => parameter.toArray());
    expect(() => optimizer.apply(parameters, gradients)).toThrow(new ArgumentError(`adam: ${message}`));
    expect([a, b].map((parameter) => parameter.toArray())).toEqual(before);
    expect(optimizer.steps).toBe(0);
  });
});
