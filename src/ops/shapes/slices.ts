import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import { Binary, type Ptr } from '../../engine/abi.ts';
import { type AxisBlock, axisBlock } from './axis.ts';

export interface SliceOptions {
  /** The axis; negative ones count from the end. */
  axis: number;
  /** First index; negative ones count from the end. Default 0. */
  from?: number | undefined;
  /** Index after the last one; negative ones count from the end. Default the axis's length. */
  to?: number | undefined;
}

/** The places [from, from + count) of an axis. `shape` is the shape of the result. */
interface Piece {
  name: string;
  from: number;
  count: number;
  shape: Shape;
}

/**
 * Pieces of `x` along one axis, with one tape entry for all. A piece that is contiguous in memory is a view, others are
 * copies.
 */
function cut(x: Tensor, { outer, length, inner }: AxisBlock, pieces: readonly Piece[], timeMajor: boolean): Tensor[] {
  const { engine } = x;
  const { kernels } = engine;
  const row = length * inner;
  const parts = pieces.map(({ name, from, count, shape }) => {
    const offset = from * inner;
    if (outer === 1 || count === length) return x.view(shape, timeMajor, name, offset);
    const y = empty(shape, { dtype: x.dtype, name, timeMajor, engine });
    kernels.copy_2d(outer, count * inner, x.ptr + 4 * offset, row, y.ptr, count * inner);
    return y;
  });
  record([x], parts, (tape) => {
    const { ptr, accumulate } = tape.into(x)!;
    if (!accumulate) kernels.fill(x.size, 0, ptr);
    for (const [i, { from, count }] of pieces.entries()) {
      const dy = tape.gradientOf(parts[i]!);
      if (!dy) continue;
      const [at, width] = [ptr + 4 * from * inner, count * inner];
      if (outer === 1) kernels.axpy(width, 1, dy, at);
      else
        engine.scratch(() => {
          const sums = engine.allocateScratch(outer * width);
          kernels.binary(Binary.Add, outer, width, at, row, 1, dy, width, 1, sums);
          kernels.copy_2d(outer, width, sums, width, at, row);
        });
    }
  });
  return parts;
}

/**
 * Takes a range of one axis, as `x[:, from:to]` does in Python.
 *
 * @param x `[…]` f32 or i32, with one axis or more.
 * @param options.axis the axis; negative ones count from the end.
 * @param options.from first index; negative ones count from the end. Default 0.
 * @param options.to index after the last one; negative ones count from the end. Default: the length of the axis.
 * @returns the shape of `x` with `to − from` along the axis, in the memory order of `x`: a view if the range is
 *   contiguous in memory, else a copy.
 * @throws ArgumentError if `x` is not a tensor, there is no such axis, an option is unknown, or not 0 ≤ from ≤ to ≤
 *   length after negative ones are counted from the end.
 * @see https://numpy.org/doc/stable/user/basics.indexing.html
 *
 * @example
 * const sequences = ops.ones([2, 5, 3]); // [B, T, F]
 * ops.slice(sequences, { axis: 1, from: -2 }).shape; // [2, 2, 3]: the last two steps
 */
export function slice(x: Weight, options: SliceOptions): Tensor {
  const { axis, from = 0, to } = checkOptions('slice', options, { axis: 1, from: 1, to: 1 });
  x = tensorOf(x, 'slice: x');
  const block = axisBlock('slice', x, axis);
  const { length } = block;
  const place = (index: number): number => (typeof index === 'number' && index < 0 ? index + length : index);
  const [first, end] = [place(from), to === undefined ? length : place(to)];
  if (!(Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first <= end && end <= length)) {
    throw new ArgumentError(
      `slice: from and to expected a range of the ${length} along axis ${axis}, got ${shown(from)} to ${shown(to ?? length)}`,
    );
  }
  const shape = x.shape.with(block.axis, end - first);
  return cut(x, block, [{ name: 'slice', from: first, count: end - first, shape }], x.timeMajor)[0]!;
}

/**
 * Takes one time step of sequences: `[B, T, …]` → `[B, …]`.
 *
 * @param x `[B, T, …]` f32 or i32.
 * @param t the step; negative ones count from the end.
 * @returns a view if `x` is stored time-major, else a copy.
 * @throws ArgumentError if `x` is not a tensor of two or more axes, or there is no step `t`.
 */
export function timeStep(x: Weight, t: number): Tensor {
  x = tensorOf(x, 'timeStep: x');
  if (x.shape.length < 2) throw new ArgumentError(`timeStep: x expected [B, T, …], got ${formatShape(x.shape)}`);
  const block = axisBlock('timeStep', x, 1);
  const { length } = block;
  if (!(Number.isInteger(t) && t >= -length && t < length)) {
    throw new ArgumentError(`timeStep: t expected a step of the ${length} of ${formatShape(x.shape)}, got ${shown(t)}`);
  }
  const from = t < 0 ? t + length : t;
  return cut(x, block, [{ name: `${x.name}[${t}]`, from, count: 1, shape: x.shape.toSpliced(1, 1) }], false)[0]!;
}

/**
 * Takes the last time step of sequences: `[B, T, F]` → `[B, F]`.
 *
 * @param x `[B, T, F]` f32 or i32, with T ≥ 1.
 * @returns a view if `x` is stored time-major, else a copy.
 * @throws ArgumentError if `x` is not a tensor of three axes or has no step.
 */
export function lastStep(x: Weight): Tensor {
  x = tensorOf(x, 'lastStep: x');
  if (x.shape.length !== 3 || x.shape[1] === 0) {
    throw new ArgumentError(`lastStep: x expected [B, T, F] with T ≥ 1, got ${formatShape(x.shape)}`);
  }
  return timeStep(x, -1);
}

/** The result of `split`: a tuple of tensors if the compiler knows their number and it is at most 16, else a list. */
export type SplitParts<P extends number | readonly number[], T extends Tensor[] = []> = P extends readonly number[]
  ? { -readonly [K in keyof P]: Tensor }
  : number extends P
    ? Tensor[]
    : T['length'] extends P
      ? T
      : T['length'] extends 16
        ? Tensor[]
        : SplitParts<P, [...T, Tensor]>;

/**
 * Cuts a tensor along one axis.
 *
 * @param x `[…]` f32 or i32, with one axis or more.
 * @param parts number of equal parts, or the length of each part.
 * @param axis default the last; negative ones count from the end.
 * @returns the parts in order, in the memory order of `x`: a view for a part that is contiguous in memory, else a copy.
 * @throws ArgumentError if `x` is not a tensor, there is no such axis, or the lengths of the parts do not add up to
 *   that of the axis.
 * @see numpy.split
 */
export function split<const P extends number | readonly number[]>(x: Weight, parts: P, axis?: number): SplitParts<P>;
export function split(x: Weight, parts: number | readonly number[], axis = -1): Tensor[] {
  x = tensorOf(x, 'split: x');
  const block = axisBlock('split', x, axis);
  const { length } = block;
  const lengths =
    typeof parts === 'number' ? Array.from({ length: parts <= 65536 ? parts : 0 }, () => length / parts) : parts;
  if (
    !Array.isArray(lengths) ||
    !lengths.every((n) => Number.isInteger(n) && n >= 0) ||
    lengths.reduce((sum, n) => sum + n, 0) !== length
  ) {
    const got = typeof parts === 'number' ? `${parts} equal ones` : formatShape(parts);
    throw new ArgumentError(`split: parts expected to fill the ${length} along axis ${axis}, got ${got}`);
  }
  let next = 0;
  const pieces = lengths.map((count) => {
    const from = next;
    next += count;
    return { name: `${x.name}[${from}…]`, from, count, shape: x.shape.with(block.axis, count) };
  });
  return cut(x, block, pieces, x.timeMajor);
}

/**
 * Reverses the order along one axis.
 *
 * @param x `[…]` f32 or i32, with one axis or more.
 * @param axis default 1, time; negative ones count from the end.
 * @returns a copy, in the memory order of `x`.
 * @throws ArgumentError if `x` is not a tensor or there is no such axis.
 * @see numpy.flip
 */
export function reverse(x: Weight, axis = 1): Tensor {
  x = tensorOf(x, 'reverse: x');
  const { outer, length, inner } = axisBlock('reverse', x, axis);
  const { engine } = x;
  const y = empty(x.shape, { dtype: x.dtype, name: 'reverse', timeMajor: x.timeMajor, engine });
  const turn = (from: Ptr, to: Ptr): void => {
    const bytes = 4 * length * inner;
    for (let o = 0; o < outer; o++) {
      const last = from + o * bytes + 4 * (length - 1) * inner;
      engine.kernels.copy_2d(length, inner, last, -inner, to + o * bytes, inner);
    }
  };
  turn(x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dx = engine.allocateScratch(x.size);
    turn(tape.gradientOf(y), dx);
    tape.give(x, dx);
  });
  return y;
}
