import { isRecording, record } from '../autograd/tape.ts';
import { empty, type Tensor } from '../autograd/tensor.ts';
import type { Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { extraKernels } from '../engine/extra/extra-kernels.ts';
import { inverseDeviations } from '../ops/epsilon.ts';

/** Mean and variance of each column. */
export interface Statistics {
  readonly mean: Float32Array;
  /** The biased variance, which divides by the number of rows. */
  readonly variance: Float32Array;
}

/** A view of float64 at `at`, which holds until the next allocation. */
const f64 = (engine: Engine, at: Ptr, count: number): Float64Array => new Float64Array(engine.memory.buffer, at, count);

/**
 * The statistics of the columns of x `[rows, columns]` over the rows that `mask` `[rows]` does not hide, and the number
 * of these rows. As in Keras, mean and variance of no rows are 0.
 */
export function columnStatistics(
  x: Tensor,
  columns: number,
  mask: Tensor | undefined,
): Statistics & { readonly count: number } {
  const { engine } = x;
  const rows = x.size / Math.max(columns, 1);
  const count = mask ? mask.dataView().filter((value: number) => value !== 0).length : rows;
  return engine.scratch(() => {
    const at = engine.zeroedScratch(4 * columns);
    extraKernels(engine).batch_norm_sums(rows, columns, x.ptr, mask?.ptr ?? 0, at);
    const sums = f64(engine, at, 2 * columns);
    const n = Math.max(count, 1);
    const means = Array.from(sums.subarray(0, columns), (sum) => sum / n);
    return {
      mean: Float32Array.from(means),
      variance: Float32Array.from(means, (mean, j) => Math.max(sums[columns + j]! / n - mean ** 2, 0)),
      count,
    };
  });
}

/** What a batch is normalized by: its own statistics, or given ones. */
export type NormalizedBy =
  | { readonly own: Statistics & { readonly count: number }; readonly mask: Tensor | undefined }
  | { readonly mean: Tensor; readonly variance: Tensor };

/**
 * Normalizes columns, then scales and shifts them.
 *
 * y = γ ∘ (x − μ)/√(σ² + ε) + β
 *
 * @param x `[…, C]` f32, in either memory order, with its last axis contiguous.
 * @param gamma γ `[C]`; undefined for ones.
 * @param beta β `[C]`; undefined for zeros.
 * @param by given statistics are constants with gradients of their own; the gradient of x flows through its own ones.
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  by: NormalizedBy,
  epsilon: number,
): Tensor {
  const { engine, size } = x;
  const columns = x.shape.at(-1)!;
  const rows = size / Math.max(columns, 1);
  const kernels = extraKernels(engine);
  const given = 'own' in by ? undefined : by;
  // Copies: an allocation below may detach views.
  const own = 'own' in by ? by.own : { mean: by.mean.toArray(), variance: by.variance.toArray() };
  const inverses = inverseDeviations(own.variance, epsilon);
  const inputs = [x, gamma, beta, given?.mean, given?.variance];
  const scales = (): ArrayLike<number> => gamma?.dataView() ?? inverses.map(() => 1);
  // Columns of numbers, one after the other: mean, r, factor and, if there is no β, zeros in its place.
  const place = (): Ptr => {
    const at = engine.allocateScratch(4 * columns);
    const to = engine.f32(at, 4 * columns);
    to.set(own.mean);
    to.set(inverses, columns);
    to.set(
      Float32Array.from(scales(), (scale, j) => scale * inverses[j]!),
      2 * columns,
    );
    to.fill(0, 3 * columns);
    return at;
  };
  const y = empty(x.shape, { name: 'batchNorm', timeMajor: x.timeMajor, engine });
  const run = (at: Ptr): void => {
    const offset = beta?.ptr ?? at + 12 * columns;
    kernels.batch_norm(rows, columns, x.ptr, at, at + 8 * columns, offset, y.ptr);
  };
  if (!isRecording(inputs)) {
    engine.scratch(() => run(place()));
    return y;
  }
  // Saved for backward. Gradients overwrite neither γ nor the statistics before it has run.
  const at = place();
  run(at);
  record(
    inputs,
    [y],
    (tape) => {
      const dy = tape.gradientOf(y);
      const into = tape.into(x);
      const [dGamma, dBeta, dMean, dVariance] = inputs.slice(1).map((input) => input && tape.into(input));
      engine.scratch(() => {
        const sums = engine.zeroedScratch(4 * columns);
        kernels.batch_norm_gradient_sums(rows, columns, x.ptr, at, at + 4 * columns, dy, sums);
        const [shift, slope] = [engine.zeroedScratch(columns), engine.zeroedScratch(columns)];
        const total = f64(engine, sums, 2 * columns);
        const [factor, r] = [engine.f32(at + 8 * columns, columns), engine.f32(at + 4 * columns, columns)];
        const add = (to: typeof dGamma, value: (j: number) => number): void => {
          if (!to) return;
          const view = engine.f32(to.ptr, columns);
          for (let j = 0; j < columns; j++) view[j] = value(j) + (to.accumulate ? view[j]! : 0);
        };
        const products = (j: number): number => total[columns + j]!;
        add(dGamma, products);
        add(dBeta, (j) => total[j]!);
        add(dMean, (j) => -factor[j]! * total[j]!);
        add(dVariance, (j) => -0.5 * factor[j]! * r[j]! * products(j));
        if (!into) return;
        const mask = 'own' in by ? by.mask : undefined;
        if ('own' in by && by.own.count > 0) {
          const { count } = by.own;
          add({ ptr: shift, accumulate: 0 }, (j) => (-factor[j]! * total[j]!) / count);
          add({ ptr: slope, accumulate: 0 }, (j) => (-factor[j]! * r[j]! * products(j)) / count);
        }
        kernels.batch_norm_backward(
          ...([rows, columns, x.ptr, mask?.ptr ?? 0, at, at + 8 * columns, shift, slope] as const),
          ...([dy, into.ptr, into.accumulate] as const),
        );
      });
    },
    { forgetsOutputs: true },
  );
  return y;
}
