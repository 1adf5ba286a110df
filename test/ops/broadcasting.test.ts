// NumPy's broadcasting, by property: operands of every shape with lengths 0 to 3, with axes of length 1 and without
// leading axes, in both memory orders, against plain float64 and its finite differences.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { type Shape, sizeOf } from '../../src/checks/shape.ts';
import { init } from '../../src/engine/engine.ts';
import * as ops from '../../src/ops/index.ts';
import { expectGradient, expectOutput } from '../golden/expect-close.ts';
import { inner, numericGradient } from '../kernels/reference/gradient.ts';
import { values } from '../kernels/reference/values.ts';
import { build, exchanged, pick } from './cases/case.ts';

beforeAll(async () => {
  await init();
});

const length = fc.integer({ min: 0, max: 3 });
const shapes = (minLength: number, maxLength: number): fc.Arbitrary<Shape> =>
  fc.array(length, { minLength, maxLength });

interface Form {
  shape: Shape;
  timeMajor: boolean;
}

/** What may repeat to `whole`: some leading axes are left out, others have length 1. */
const formFor = (whole: Shape): fc.Arbitrary<Form> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: whole.length }),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      fc.boolean(),
    )
    .map(([dropped, ones, timeMajor]) => {
      const shape = whole.slice(dropped).map((n, axis) => (ones[axis] ? 1 : n));
      return { shape, timeMajor: timeMajor && shape.length > 1 };
    });

/** Operands that repeat to a common shape. */
const forms = (count: number): fc.Arbitrary<Form[]> =>
  shapes(0, 4).chain((whole) => fc.tuple(...Array.from({ length: count }, () => formFor(whole))));

/** Where the place `index` of a result of NumPy's broadcasting is read from. */
const read = (x: ArrayLike<number>, shape: Shape, index: readonly number[]): number => {
  const own = index.slice(index.length - shape.length);
  return pick(
    x,
    shape,
    own.map((place, axis) => (shape[axis] === 1 ? 0 : place)),
  );
};

/** NumPy's rule, written once more. */
function common(list: readonly Shape[]): number[] {
  const rank = Math.max(...list.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = list.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return lengths.find((n) => n !== 1) ?? 1;
  });
}

/** Positive numbers, none equal to another, so that no op is at a kink. */
const numbers = (shape: Shape, seed: number): Float32Array => values(sizeOf(shape), seed).map((v) => 1 + v / 2);

/** A leaf, or the same in the other memory order. */
const stored = (data: Float32Array, { shape, timeMajor }: Form): Tensor => {
  const leaf = tensor(data, { shape });
  return timeMajor ? exchanged(leaf) : leaf;
};

function check(
  operands: readonly Form[],
  shape: Shape,
  run: (...inputs: Tensor[]) => Tensor,
  reference: (...inputs: Float64Array[]) => Float64Array,
): void {
  const data = operands.map((form, i) => numbers(form.shape, i + 1));
  const inputs = operands.map((form, i) => stored(data[i]!, form));
  const doubles = data.map((x) => Float64Array.from(x));
  const weights = numbers(shape, 9);
  const { grads } = valueAndGrad(() => {
    const y = run(...inputs);
    expect(y.shape).toEqual(shape);
    expectOutput('output', y.toArray(), { shape: [...shape], values: reference(...doubles) });
    return ops.sum(ops.mul(y, tensor(weights, { shape })));
  }, inputs);
  grads.forEach((grad, i) => {
    const own = operands[i]!.shape;
    expect(grad.shape).toEqual(own);
    const f = (at: Float64Array): number => inner(reference(...doubles.with(i, Float64Array.from(at))), weights);
    const expected = numericGradient(f, doubles[i]!);
    expectGradient(`gradient of operand ${i}`, grad.toArray(), { shape: [...own], values: expected });
  });
}

const binary: [name: string, op: typeof ops.add, meaning: (a: number, b: number) => number][] = [
  ['add', ops.add, (a, b) => a + b],
  ['sub', ops.sub, (a, b) => a - b],
  ['mul', ops.mul, (a, b) => a * b],
  ['div', ops.div, (a, b) => a / b],
  ['maximum', ops.maximum, Math.max],
  ['minimum', ops.minimum, Math.min],
  ['pow', ops.pow, (a, b) => a ** b],
];

describe('operands of any shapes that line up', () => {
  test.each(binary)('%s has the values and gradients of plain loops', (_, op, f) => {
    fc.assert(
      fc.property(forms(2), (operands) => {
        const [a, b] = operands as [Form, Form];
        const shape = common([a.shape, b.shape]);
        check(
          operands,
          shape,
          (x, y) => op(x!, y!),
          (x, y) => build(shape, (at) => f(read(x!, a.shape, at), read(y!, b.shape, at))),
        );
      }),
      { numRuns: 150, examples: [[[form(1, 2), form(2)]], [[form(), form(1)]], [[form(1, 1, 2), form(1, 2)]]] },
    );
  });

  test('where has the values and gradients of plain loops, for masks of both data types', () => {
    fc.assert(
      fc.property(forms(3), fc.boolean(), ([mask, ...operands], isId) => {
        const [a, b] = operands as [Form, Form];
        const shape = common([mask!.shape, a.shape, b.shape]);
        const flags = numbers(mask!.shape, 4).map((v) => (v > 1 ? 1 : 0));
        const choice = tensor(flags, { shape: mask!.shape, dtype: isId ? 'i32' : 'f32' });
        const whole = mask!.timeMajor ? exchanged(choice) : choice;
        check(
          operands,
          shape,
          (x, y) => ops.where(whole, x!, y!),
          (x, y) =>
            build(shape, (at) => (read(flags, mask!.shape, at) === 0 ? read(y!, b.shape, at) : read(x!, a.shape, at))),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('matmul has the values and gradients of plain loops', () => {
    const batches = fc.tuple(
      shapes(0, 2).chain((whole) => fc.tuple(formFor(whole), formFor(whole))),
      shapes(3, 3),
    );
    fc.assert(
      fc.property(batches, fc.boolean(), fc.boolean(), ([leading, sizes], orderA, orderB) => {
        const [m, k, n] = sizes as [number, number, number];
        const [a, b] = [
          { shape: [...leading[0].shape, m, k], timeMajor: orderA },
          { shape: [...leading[1].shape, k, n], timeMajor: orderB },
        ] as const;
        const shape = [...common([leading[0].shape, leading[1].shape]), m, n];
        check(
          [a, b],
          shape,
          (x, y) => ops.matmul(x!, y!),
          (x, y) =>
            build(shape, (at) => {
              const [row, column] = at.slice(-2) as [number, number];
              let sum = 0;
              for (let i = 0; i < k; i++) {
                const outer = at.slice(0, -2);
                sum += matrix(x!, a.shape, outer, row, i) * matrix(y!, b.shape, outer, i, column);
              }
              return sum;
            }),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('broadcastTo has the values and gradients of plain loops', () => {
    const targets = shapes(0, 4).chain((whole) => fc.tuple(fc.constant(whole), formFor(whole)));
    fc.assert(
      fc.property(targets, ([whole, form]) => {
        const to = common([whole, form.shape]);
        check(
          [form],
          to,
          (x) => ops.broadcastTo(x!, to),
          (x) => build(to, (at) => read(x!, form.shape, at)),
        );
      }),
      { numRuns: 200 },
    );
  });
});

/** A form in row-major memory. */
function form(...shape: number[]): Form {
  return { shape, timeMajor: false };
}

/** An element of one matrix of a batch that repeats along its leading axes; the last two never do. */
function matrix(x: ArrayLike<number>, shape: Shape, outer: readonly number[], row: number, column: number): number {
  const leading = shape.slice(0, -2);
  const own = outer.slice(outer.length - leading.length).map((place, axis) => (leading[axis] === 1 ? 0 : place));
  return pick(x, shape, [...own, row, column]);
}

test('a product whose operand only has an axis of length 1 more has its gradient', () => {
  const [w, h] = [tensor([1, 2], [1, 2]), tensor([3, 4], [1, 2, 1])];
  const { value, grads } = valueAndGrad(() => ops.sum(ops.matmul(w, h)), [w, h]);
  expect([value, ...grads.map((grad) => Array.from(grad.toArray()))]).toEqual([11, [3, 4], [1, 2]]);
});

test('broadcastTo of ids keeps every bit, also of those that are no number as floats', () => {
  const ids = tensor([-1, 2 ** 31 - 1, -(2 ** 31)], { shape: [3, 1], dtype: 'i32' });
  const y = ops.broadcastTo(ids, [2, 3, 2]);
  const once = [-1, -1, 2 ** 31 - 1, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31)];
  expect([y.dtype, Array.from(y.toArray())]).toEqual(['i32', [...once, ...once]]);
});
