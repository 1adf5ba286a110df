import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectType } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import { type DataLike, toNdArray } from '../../data/array.ts';
import { classOf } from '../../host/class-of.ts';
import { select } from '../../ops/elementwise/select.ts';
import { broadcastTo } from '../../ops/shapes/broadcast.ts';
import { concatenate } from '../../ops/shapes/joins.ts';
import { expandDims } from '../../ops/shapes/layout.ts';
import { slice } from '../../ops/shapes/slices.ts';
import type { UnrollOptions, UnrollResult } from './recurrent.ts';
import { type Scan, withUnroll } from './unroll-with.ts';

/** Numbers `[B]` or `[B, T]`, row-major. */
interface Resets {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

/** An f32 tensor `[rows, columns]`, or `[rows]`, of 1 where `holds` and 0 elsewhere. */
function flags({ engine }: Tensor, shape: Shape, holds: (row: number, column: number) => boolean): Tensor {
  const mask = empty(shape, { name: 'mask', engine });
  const columns = shape[1] ?? 1;
  const to = mask.dataView();
  for (let i = 0; i < to.length; i++) to[i] = Number(holds(Math.floor(i / columns), i % columns));
  return mask;
}

/**
 * Unrolls a sequence in pieces, cut before each step at which a row starts anew. Between two pieces the states of such
 * rows become zeros.
 */
function unrollInPieces({ shape, data }: Resets, scan: Scan, x: Tensor, options: UnrollOptions): UnrollResult {
  const { mask, reverse } = options;
  const [batch, time] = x.shape as [number, number];
  const isPerStep = shape.length > 1;
  expectShape('resetMask', shape, isPerStep ? [batch, time] : [batch]);
  const startsAnew = (row: number, t: number): boolean => data[isPerStep ? row * time + t : row] !== 0;
  const anyAt = (t: number): boolean => Array.from({ length: batch }, (_, row) => startsAnew(row, t)).includes(true);
  const restart = (tensors: readonly Tensor[] | undefined, t: number): readonly Tensor[] | undefined => {
    if (!tensors || !anyAt(t)) return tensors;
    const kept = flags(x, [batch], (row) => !startsAnew(row, t));
    return tensors.map((each) => select(kept, each, 0));
  };
  const cuts = [0];
  for (let t = 1; isPerStep && t < time; t++) if (anyAt(t)) cuts.push(t);
  const pieces = cuts.map((from, i) => ({ axis: 1, from, to: cuts[i + 1] ?? time }));
  if (reverse) pieces.reverse();

  // In reverse, step 0 comes last: only a mask without steps says how the batch begins.
  let states = reverse && isPerStep ? options.initialState : restart(options.initialState, 0);
  let result: UnrollResult | undefined;
  const outputs: Tensor[] = [];
  for (const piece of pieces) {
    let last: readonly Tensor[] | undefined;
    if (result) {
      const before = reverse ? piece.to : piece.from;
      states = restart(result.states, before);
      last = restart([result.last], before);
    }
    const seen = mask && slice(mask, piece);
    const made = scan(slice(x, piece), { ...options, initialState: states, mask: seen });
    result = seen && last ? afterMasked(made, seen, last[0]!, reverse) : made;
    if (result.outputs) outputs.push(result.outputs);
  }
  if (reverse) outputs.reverse();
  return { ...result!, outputs: outputs.length > 1 ? concatenate(outputs, 1) : outputs[0] };
}

/** The result of a piece in which rows that begin with masked steps repeat the output of the piece before. */
function afterMasked(made: UnrollResult, mask: Tensor, before: Tensor, reverse: boolean): UnrollResult {
  const [batch, time] = mask.shape as [number, number];
  const kept = mask.toArray();
  const hasStepped = (row: number, t: number): boolean => {
    const [from, to] = reverse ? [t, time] : [0, t + 1];
    return kept.subarray(row * time + from, row * time + to).some((value) => value !== 0);
  };
  const { outputs } = made;
  const all = outputs && broadcastTo(expandDims(before, 1), outputs.shape);
  const last = flags(mask, [batch], (row) => hasStepped(row, reverse ? 0 : time - 1));
  return {
    ...made,
    outputs: outputs && select(flags(mask, [batch, time], hasStepped), outputs, all!),
    last: select(last, made.last, before),
  };
}

/** `withResetMask` for checked numbers. @internal */
export const withResets = <T>(resets: Resets, body: () => T): T =>
  withUnroll((scan, x, options) => unrollInPieces(resets, scan, x, options), body);

/**
 * Runs `body`, in which rows of recurrent layers start anew where a mask says so: episodes of unequal length can share
 * a batch.
 *
 * states_{b,t−1} = 0 where mask_{b,t} ≠ 0
 *
 * It works for `trainOnBatch`, `evaluate` and `predict` of one batch of samples, for calls of models and layers, and
 * for the states that stateful layers carry. `fit`, and `predict` of more batches, take the mask as `resetMask`.
 *
 * @param mask `[B]`: 1 if the row's initial states of this batch are zeros. Or `[B, T]`: 1 if no state passes from step
 *   t − 1 to step t of the row, in either direction; step 0 is about the initial states of a layer that goes forward.
 *   T is the number of steps of the recurrent layers. Neither states nor gradients pass.
 * @param body a function that computes at once.
 * @returns the result of `body`.
 * @throws ArgumentError if the mask is not `[B]` or `[B, T]`, `body` is not a function or returns a promise, or the
 *   mask does not fit the input of a recurrent layer; and any error of `body`.
 *
 * @example
 * const y = withResetMask([[0, 0, 1, 0, 0]], () => gru({ units: 4 })(ops.ones([1, 5, 2])));
 */
export function withResetMask<T>(mask: DataLike, body: () => T): T {
  const resets = toNdArray(mask, 'f32', 'withResetMask: mask');
  if (resets.shape.length !== 1 && resets.shape.length !== 2) {
    throw new ArgumentError(`withResetMask: mask expected [B] or [B, T], got [${resets.shape.join(', ')}]`);
  }
  expectType('withResetMask: body', body, 'a function');
  const result = withResets(resets, body);
  if (classOf(result) === 'Promise') {
    throw new ArgumentError(
      'withResetMask: body expected to be done, got a promise; fit takes resetMask with its data',
    );
  }
  return result;
}
