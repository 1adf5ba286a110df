import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { isRecording, record } from '../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { Ptr } from '../engine/abi.ts';
import { ELEMENTWISE_GRAIN } from '../engine/threads.ts';
import { expectEpsilon } from './epsilon.ts';
import { asRows } from './shapes/layout.ts';

export interface LayerNormOptions {
  /** ε under the root, which keeps a constant row finite. Default 1e-3. */
  epsilon?: number | undefined;
}

/**
 * Normalizes each row to mean 0 and variance 1, then scales and shifts it.
 *
 * y = γ ∘ (x − μ)/√(σ² + ε) + β over the last axis, with the mean μ and the variance σ² of each row
 *
 * @param input x `[…, F]` f32, in either memory order.
 * @param gamma γ `[F]` f32; default ones.
 * @param beta β `[F]` f32; default zeros.
 * @param options.epsilon ε > 0; default 1e-3.
 * @returns `[…, F]`, in the memory order of `x`.
 * @throws ArgumentError if an argument is not an f32 tensor, `x` has no axis, γ or β does not fit, ε is not positive as
 *   float32, or an option is unknown.
 * @see keras.layers.LayerNormalization
 */
export function layerNorm(input: Weight, gamma?: Weight, beta?: Weight, options: LayerNormOptions = {}): Tensor {
  const { epsilon = 1e-3 } = checkOptions('layerNorm', options, { epsilon: 1 });
  input = floatsOf(input, 'layerNorm: x');
  const columns = input.shape.at(-1);
  if (columns === undefined) throw new ArgumentError('layerNorm: x expected one axis or more, got []');
  expectEpsilon('layerNorm: epsilon', epsilon);
  const scale = gamma && floatsOf(gamma, 'layerNorm: gamma');
  const offset = beta && floatsOf(beta, 'layerNorm: beta');
  for (const [what, weight] of [['gamma', scale] as const, ['beta', offset] as const]) {
    if (weight) expectShape(`layerNorm: ${what}`, weight.shape, [columns]);
  }
  const x = asRows(input);
  const { engine } = x;
  const rows = x.size / Math.max(columns, 1);
  // Forward takes about twice as long as an elementwise pass, backward three times.
  const grain = ELEMENTWISE_GRAIN / Math.max(2 * columns, 1);
  const y = empty(x.shape, { name: 'layerNorm', timeMajor: x.timeMajor, engine });
  const inputs = [x, scale, offset];
  const run = (stats: Ptr): void => {
    engine.parallel(rows, grain, ({ kernels, from, to }) => {
      const at = 4 * from * columns;
      const [g, b] = [scale?.ptr ?? 0, offset?.ptr ?? 0];
      kernels.layer_norm(to - from, columns, epsilon, x.ptr + at, g, b, y.ptr + at, stats + 8 * from);
    });
  };
  if (!isRecording(inputs)) {
    engine.scratch(() => run(engine.allocateScratch(2 * rows)));
    return y;
  }
  // Saved by forward for backward: the mean and the inverse standard deviation of each row.
  const stats = engine.allocateScratch(2 * rows);
  run(stats);
  record(inputs, [y], (tape) => {
    const dy = tape.gradientOf(y);
    const dOffset = offset && tape.into(offset);
    if (dOffset) engine.kernels.col_sum(rows, columns, dy, columns, dOffset.ptr, dOffset.accumulate);
    const dScale = scale && tape.into(scale);
    const dInput = tape.into(x);
    if (!dScale && !dInput) return;
    engine.scratch(() => {
      const products = engine.allocateScratch(x.size);
      const dx = dInput?.ptr ?? engine.allocateScratch(x.size);
      engine.parallel(rows, grain / 1.5, ({ kernels, from, to }) => {
        const at = 4 * from * columns;
        kernels.layer_norm_backward(
          ...([to - from, columns, x.ptr + at, scale?.ptr ?? 0, stats + 8 * from, dy + at, dx + at] as const),
          ...([dInput?.accumulate ?? 0, products + at] as const),
        );
      });
      if (dScale) engine.kernels.col_sum(rows, columns, products, columns, dScale.ptr, dScale.accumulate);
    });
  });
  return y;
}
