import { record } from '../autograd/tape.ts';
import { empty, expectF32, type Tensor } from '../autograd/tensor.ts';

function total(name: string, x: Tensor, factor: number): Tensor {
  expectF32(`${name}: x`, x);
  const { engine } = x;
  const y = empty([], { name, engine });
  engine.f32(y.ptr, 1)[0] = engine.kernels.sum(x.size, x.ptr) * factor;
  record([x], [y], (tape) => {
    const dy = engine.f32(tape.gradientOf(y), 1)[0]!;
    const dx = engine.allocateScratch(x.size);
    engine.kernels.fill(x.size, dy * factor, dx);
    tape.give(x, dx);
  });
  return y;
}

/** Σ x over every element, summed in float64; shape []. */
export const sum = (x: Tensor): Tensor => total('sum', x, 1);

/** Mean of every element, summed in float64; shape []. NaN for an empty tensor. */
export const mean = (x: Tensor): Tensor => total('mean', x, 1 / x.size);
