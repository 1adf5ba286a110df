import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { record } from '../autograd/tape.ts';
import { empty, type Tensor } from '../autograd/tensor.ts';
import { checkOptions } from '../checks/options.ts';
import { Binary, type Ptr, Unary } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { type AxisBlock, axisBlock, sumAxis } from './shapes/axis.ts';
import { asRows, reshape, transpose } from './shapes/layout.ts';
import { spread } from './shapes/runs.ts';

/** The greatest float32. */
const GREATEST = 3.4028234663852886e38;

export interface ReduceOptions {
  /** The axis to reduce; negative ones count from the end. Default: all axes. */
  axis?: number | undefined;
  /** Whether reduced axes stay, with length 1. Default false. */
  keepDims?: boolean | undefined;
}

function total(name: string, x: Tensor, factor: number): Tensor {
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

function totalAlong(name: string, x: Tensor, block: AxisBlock, factor: number): Tensor {
  const { engine } = x;
  const { axis } = block;
  // Memory may exchange only the first two axes. With one of them removed, the result is row-major.
  const y = empty(x.shape.toSpliced(axis, 1), { name, timeMajor: x.timeMajor && axis > 1, engine });
  sumAxis(engine, block, x.ptr, y.ptr, 0);
  if (factor !== 1) engine.kernels.scale(y.size, factor, y.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    if (factor !== 1) engine.kernels.scale(y.size, factor, dy, dy);
    const dx = engine.allocateScratch(x.size);
    const { outer, length, inner } = block;
    spread(engine, dy, [outer, 1, inner], [outer, length, inner], dx);
    tape.give(x, dx);
  });
  return y;
}

/** The result of a reduction. If `keepDims` is true, it has the reduced axes with length 1. */
function withAxes(x: Tensor, y: Tensor, { axis, keepDims = false }: ReduceOptions): Tensor {
  if (!keepDims) return y;
  return reshape(y, axis === undefined ? x.shape.map(() => 1) : x.shape.with(axis, 1));
}

function reduce(name: string, x: Weight, options: ReduceOptions, factor: (count: number) => number): Tensor {
  x = floatsOf(x, `${name}: x`);
  const { axis } = checkOptions(name, options, { axis: 1, keepDims: true });
  if (axis === undefined) return withAxes(x, total(name, x, factor(x.size)), options);
  const block = axisBlock(name, x, axis);
  return withAxes(x, totalAlong(name, x, block, factor(block.length)), { ...options, axis: block.axis });
}

/**
 * Sum of all elements, or along one axis: y = Σ x, summed in float64
 *
 * @param x `[…]` f32, any shape.
 * @param options.axis the axis to reduce; negative ones count from the end. Default: all axes.
 * @param options.keepDims whether reduced axes stay, with length 1; default false.
 * @returns shape [], or the shape of `x` without the axis.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or an option is unknown.
 * @see numpy.sum
 */
export const sum = (x: Weight, options: ReduceOptions = {}): Tensor => reduce('sum', x, options, () => 1);

/**
 * Mean of all elements, or along one axis: y = Σ x / n, summed in float64; NaN for n = 0
 *
 * @param x `[…]` f32, any shape.
 * @param options.axis the axis to reduce; negative ones count from the end. Default: all axes.
 * @param options.keepDims whether reduced axes stay, with length 1; default false.
 * @returns shape [], or the shape of `x` without the axis.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or an option is unknown.
 * @see numpy.mean
 */
export const mean = (x: Weight, options: ReduceOptions = {}): Tensor =>
  reduce('mean', x, options, (count) => 1 / count);

/** Reduces each row of `x` after the axis is moved to the end, or all of `x` as one row. */
function byRows(name: string, x: Weight, options: ReduceOptions, row: (x: Tensor, columns: number) => Tensor): Tensor {
  x = floatsOf(x, `${name}: x`);
  checkOptions(name, options, { axis: 1, keepDims: true });
  if (options.axis === undefined) return withAxes(x, reshape(row(reshape(x, [1, -1]), x.size), []), options);
  const { axis, length } = axisBlock(name, x, options.axis);
  const others = [...x.shape.keys()].filter((at) => at !== axis);
  const last = asRows(transpose(x, [...others, axis]));
  return withAxes(x, row(last, length), { ...options, axis });
}

/** A tensor with one element for each row of `x`, in the memory order of the leading axes. */
const onePerRow = (name: string, x: Tensor): Tensor => {
  const shape = x.shape.slice(0, -1);
  return empty(shape, { name, timeMajor: x.timeMajor && shape.length > 1, engine: x.engine });
};

/**
 * Greatest of all elements, or along one axis: y = max x, NaN if one is NaN. Equal ones share the gradient equally.
 *
 * @param x `[…]` f32, any shape.
 * @param options.axis the axis to reduce; negative ones count from the end. Default: all axes.
 * @param options.keepDims whether reduced axes stay, with length 1; default false.
 * @returns shape [], or the shape of `x` without the axis.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or an option is unknown.
 * @see numpy.max
 */
export function max(x: Weight, options: ReduceOptions = {}): Tensor {
  return byRows('max', x, options, (rows, columns) => {
    const { engine } = rows;
    const { kernels } = engine;
    const y = onePerRow('max', rows);
    kernels.row_max(y.size, columns, rows.ptr, y.ptr);
    record([rows], [y], (tape) => {
      const dy = tape.gradientOf(y);
      const dx = engine.allocateScratch(rows.size);
      engine.scratch(() => {
        const bits = engine.allocateScratch(2);
        engine.f32(bits, 2).set([0, 1]);
        const counts = engine.allocateScratch(y.size);
        kernels.binary(Binary.Sub, y.size, columns, y.ptr, 1, 0, rows.ptr, columns, 1, dx);
        kernels.select(rows.size, dx, bits, 0, bits + 4, 0, dx);
        kernels.row_sum(y.size, columns, dx, columns, counts, 0);
        kernels.binary(Binary.Div, 1, y.size, dy, 0, 1, counts, 0, 1, counts);
        kernels.binary(Binary.Mul, y.size, columns, dx, columns, 1, counts, 1, 0, dx);
      });
      tape.give(rows, dx);
    });
    return y;
  });
}

/** Limits infinities to the greatest float32, so that ∞ − ∞ does not give NaN. */
function bound(engine: Engine, count: number, x: Ptr): void {
  engine.scratch(() => {
    const limits = engine.allocateScratch(2);
    engine.f32(limits, 2).set([-GREATEST, GREATEST]);
    engine.kernels.binary(Binary.Max, 1, count, x, 0, 1, limits, 0, 0, x);
    engine.kernels.binary(Binary.Min, 1, count, x, 0, 1, limits + 4, 0, 0, x);
  });
}

/**
 * Logarithm of the sum of exponentials of all elements, or along one axis: y = ln Σ exp x. The maximum is subtracted
 * first, so that nothing overflows.
 *
 * @param x `[…]` f32, any shape.
 * @param options.axis the axis to reduce; negative ones count from the end. Default: all axes.
 * @param options.keepDims whether reduced axes stay, with length 1; default false.
 * @returns shape [], or the shape of `x` without the axis.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or an option is unknown.
 * @see scipy.special.logsumexp, torch.logsumexp
 */
export function logSumExp(x: Weight, options: ReduceOptions = {}): Tensor {
  return byRows('logSumExp', x, options, (rows, columns) => {
    const { engine } = rows;
    const { kernels } = engine;
    const y = onePerRow('logSumExp', rows);
    engine.scratch(() => {
      const greatest = engine.allocateScratch(y.size);
      const terms = engine.allocateScratch(rows.size);
      kernels.row_max(y.size, columns, rows.ptr, greatest);
      bound(engine, y.size, greatest);
      kernels.binary(Binary.Sub, y.size, columns, rows.ptr, columns, 1, greatest, 1, 0, terms);
      kernels.unary(rows.size, Unary.Exp, terms, terms);
      kernels.row_sum(y.size, columns, terms, columns, y.ptr, 0);
      kernels.unary(y.size, Unary.Log, y.ptr, y.ptr);
      kernels.binary(Binary.Add, 1, y.size, y.ptr, 0, 1, greatest, 0, 1, y.ptr);
    });
    record([rows], [y], (tape) => {
      const dx = engine.allocateScratch(rows.size);
      kernels.softmax(y.size, columns, rows.ptr, dx);
      kernels.binary(Binary.Mul, y.size, columns, dx, columns, 1, tape.gradientOf(y), 1, 0, dx);
      tape.give(rows, dx);
    });
    return y;
  });
}
