// Twenty updates of two small parameters, by an optimizer and by a rule in float64.
import { expect } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import { expectClose, expectSameBits } from '../kernels/compare.ts';
import type * as reference from '../kernels/reference/optimizer.ts';
import { values } from '../kernels/reference/values.ts';

export const STEPS = 20;
const SIZES = [15, 4];
const SHAPES = [[3, 5], [4]];

/** Two parameters, of 15 and 4 elements, at the same start in every test. */
export const parameters = (): Parameter[] =>
  SHAPES.map((shape, i) => new Parameter(`p${i}`, shape, values(SIZES[i]!, 50 + i)));
export const gradientsAt = (step: number, scale = 1): Float32Array[] =>
  SIZES.map((n, i) => values(n, 100 + 2 * step + i, scale));
export const tensors = (gradients: Float32Array[]): Tensor[] =>
  gradients.map((g, i) => tensor(g, { shape: SHAPES[i]! }));

/** One rule in float64 for one element at step t ≥ 1. */
export type Rule = (slot: reference.Slot, t: number) => void;

/** `STEPS` updates by kernel and by rule; `clip` changes the gradients as Keras does. */
export function expectRule(
  optimizer: Optimizer,
  rule: Rule,
  { state = [0, 0, 0], clip = (g: Float64Array[]) => g, scale = 1 } = {},
): void {
  const trained = parameters();
  const slots = SIZES.map((n, i) =>
    Array.from({ length: n }, (_, j) => ({ p: values(n, 50 + i)[j]!, g: 0, state: [...state] })),
  );
  for (let step = 0; step < STEPS; step++) {
    const gradients = gradientsAt(step, scale);
    clip(gradients.map((g) => Float64Array.from(g))).forEach((g, i) => {
      g.forEach((value, j) => {
        const slot = slots[i]![j]!;
        slot.g = value;
        rule(slot, step + 1);
      });
    });
    const made = tensors(gradients);
    optimizer.apply(trained, made);
    for (const t of made) t.dispose();
  }
  expect(optimizer.iterations).toBe(STEPS);
  trained.forEach((parameter, i) => {
    expect(parameter.version).toBe(STEPS);
    const expected = slots[i]!.map((slot) => slot.p);
    expectClose(
      parameter.toArray(),
      expected,
      { absolute: 2e-6, relative: 2e-6 },
      `${parameter.name} after ${STEPS} steps`,
    );
  });
}

export function expectSameParameters(got: readonly Parameter[], expected: readonly Parameter[], what: string): void {
  expected.forEach((p, i) => expectSameBits(got[i]!.toArray(), p.toArray(), `${what}, ${p.name}`));
}
