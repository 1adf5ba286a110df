// One step of attention: a query for each sequence looks at a memory.
import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { record, type Tape } from '../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../autograd/tensor.ts';
import { extraKernels } from '../engine/extra/extra-kernels.ts';
import { inOrder } from '../ops/shapes/layout.ts';

// The least float32, whose softmax beside any other score is 0.
const LEAST = -3.4028234663852886e38;

/** What a query looks at, in row-major order. */
export interface Attended {
  /** `[B, S, D]` */
  readonly keys: Tensor;
  /** `[B, S, M]`, finite also where it is masked. */
  readonly memory: Tensor;
  /** `[B, S]`; places where it is 0 get the weight 0. */
  readonly mask: Tensor | undefined;
  /** `[D]` f32, v of an additive score; undefined for the dot product. */
  readonly scale: Weight | undefined;
}

/**
 * Attention of one query for each sequence.
 *
 * weights = softmax(scores), context = Σ_s weights_s·memory_s; scores_s = q·k_s, or Σ_d v_d·tanh(q_d + k_sd)
 *
 * Backward computes the hyperbolic tangents again and keeps only the weights.
 *
 * @param query `[B, D]` f32.
 * @returns context `[B, M]` and weights `[B, S]`; in a sequence that is masked entirely all weights are 1/S.
 */
export function attend(query: Tensor, attended: Attended): { context: Tensor; weights: Tensor } {
  const q = inOrder(query, false);
  const { keys, memory, mask } = attended;
  const scale = attended.scale && floatsOf(attended.scale, 'attend: scale');
  const [batch, steps, width] = keys.shape as [number, number, number];
  const values = memory.shape[2]!;
  expectShape('attend: query', q.shape, [batch, width]);
  const { engine } = q;
  const { kernels } = engine;
  const extra = extraKernels(engine);
  const size = batch * steps;
  const context = empty([batch, values], { name: 'context', engine });
  const weights = empty([batch, steps], { name: 'attention', engine });
  const at = weights.ptr;
  if (scale) extra.attention_additive(batch, steps, width, q.ptr, keys.ptr, scale.ptr, at);
  else extra.attention_dots(batch, steps, width, q.ptr, keys.ptr, at);
  const kept = mask && (inOrder(mask, false).toArray() as Float32Array);
  const setMasked = (value: number, to: number): void => {
    if (!kept) return;
    const numbers = engine.f32(to, size);
    for (let i = 0; i < size; i++) if (kept[i] === 0) numbers[i] = value;
  };
  setMasked(LEAST, at);
  kernels.softmax(batch, steps, at, at);
  extra.attention_combine(batch, steps, values, at, memory.ptr, context.ptr, 0);

  const backward = (tape: Tape): void => {
    const dContext = tape.gradientOf(context);
    const dGiven = tape.gradientOf(weights);
    const dMemory = dContext && tape.intoZeroed(memory);
    const dQuery = tape.intoZeroed(q);
    const dKeys = tape.intoZeroed(keys);
    const dScale = scale && tape.intoZeroed(scale);
    engine.scratch(() => {
      const dScores = engine.allocateScratch(size);
      if (dContext) {
        extra.attention_dots(batch, steps, values, dContext, memory.ptr, dScores);
        if (dGiven) kernels.axpy(size, 1, dGiven, dScores);
        if (dMemory) extra.attention_spread(batch, steps, values, at, dContext, dMemory);
      } else kernels.scale(size, 1, dGiven, dScores);
      kernels.softmax_backward(batch, steps, at, dScores, dScores, 0);
      setMasked(0, dScores);
      if (!scale) {
        if (dQuery) extra.attention_combine(batch, steps, width, dScores, keys.ptr, dQuery, 1);
        if (dKeys) extra.attention_spread(batch, steps, width, dScores, q.ptr, dKeys);
        return;
      }
      // Unused gradients go to scratch.
      const [forQuery, forKeys, forScale] = [
        dQuery ?? engine.allocateScratch(batch * width),
        dKeys ?? engine.allocateScratch(size * width),
        dScale ?? engine.allocateScratch(width),
      ];
      extra.attention_additive_backward(
        ...[batch, steps, width, q.ptr, keys.ptr, scale.ptr, dScores, forQuery, forKeys, forScale],
      );
    });
  };
  record([q, keys, memory, scale], [context, weights], backward);
  return { context, weights };
}
