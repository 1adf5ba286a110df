// An op tells its operands and its result, not its options. What an option was follows from the shapes and the values of
// both traces: inputs are random, so only one option gives the values that were computed. `exportOnnx` runs the graph in
// the end and compares it with the model.
import type { Tensor } from '../../autograd/tensor.ts';
import { type Shape, sameShape, sizeOf } from '../../checks/shape.ts';
import { rowMajor } from '../ops/broadcast.ts';
import type { Pair } from './writer.ts';

/** Row-major elements. */
export interface Elements {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

export const elementsOf = (t: Tensor): Elements => ({ shape: t.shape, data: t.toArray() });

/** The elements at `at(index)` for every index of `shape`. */
function gathered({ shape, data }: Elements, to: Shape, at: (index: readonly number[]) => readonly number[]): Elements {
  const strides = rowMajor(shape);
  const [toStrides, made] = [rowMajor(to), new Float64Array(sizeOf(to))];
  for (let i = 0; i < made.length; i++) {
    const index = to.map((n, axis) => Math.floor(i / toStrides[axis]!) % n);
    made[i] = data[at(index).reduce((sum, n, axis) => sum + n * strides[axis]!, 0)]!;
  }
  return { shape: to, data: made };
}

export function isSame(a: Elements, b: Elements, tolerance = 0): boolean {
  if (!sameShape(a.shape, b.shape)) return false;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i]!, b.data[i]!];
    if (!(Object.is(x, y) || Math.abs(x - y) <= tolerance * (1 + Math.abs(y)))) return false;
  }
  return true;
}

/** The largest difference, relative to 1 + |expected|; NaN for another shape. */
export function differenceOf(expected: Elements, got: Elements | undefined): number {
  if (!got || !sameShape(expected.shape, got.shape)) return Number.NaN;
  let most = 0;
  for (const [i, value] of Array.from(expected.data).entries()) {
    const other = got.data[i]!;
    if (value !== other) most = Math.max(most, Math.abs(value - other) / (1 + Math.abs(value)));
  }
  return most;
}

/** All orders of the axes 0 to rank − 1. */
function orders(rank: number): number[][] {
  if (rank === 0) return [[]];
  return orders(rank - 1).flatMap((order) => Array.from({ length: rank }, (_, at) => order.toSpliced(at, 0, rank - 1)));
}

const both = <T>(pair: Pair, f: (t: Tensor, i: 0 | 1) => T): [T, T] => [f(pair[0], 0), f(pair[1], 1)];

/** The first candidate that fits both traces. */
export const candidate = <T>(
  list: readonly T[],
  x: Pair,
  y: Pair,
  fits: (option: T, x: Elements, y: Elements) => boolean,
): T | undefined => {
  const [xs, ys] = [both(x, elementsOf), both(y, elementsOf)];
  return list.find((option) => ([0, 1] as const).every((i) => fits(option, xs[i], ys[i])));
};

/** The order of axes by which `y` is a transpose of `x`. */
export const orderOf = (x: Pair, y: Pair): number[] | undefined =>
  candidate(
    orders(x[0].shape.length),
    x,
    y,
    (order, from, to) =>
      order.every((axis, i) => from.shape[axis] === to.shape[i]) &&
      isSame(
        gathered(from, to.shape, (index) => {
          const at: number[] = [];
          for (const [i, axis] of order.entries()) at[axis] = index[i]!;
          return at;
        }),
        to,
      ),
  );

/** A range along an axis: from the start, or from the end if negative; the end of the axis if `to` is undefined. */
export interface Range {
  readonly axis: number;
  readonly from: number;
  readonly to: number | undefined;
  /** Whether the axis is left out of the result. */
  readonly isIndex: boolean;
}

/** The part of one axis of `x` that `y` is. */
export function rangeOf(x: Pair, y: Pair): Range | undefined {
  const isIndex = y[0].shape.length === x[0].shape.length - 1;
  for (const axis of x[0].shape.keys()) {
    const starts = both(x, (t, i) => startOf(elementsOf(t), elementsOf(y[i]), axis, isIndex));
    if (starts[0] === undefined || starts[1] === undefined) continue;
    const lengths = both(x, (t) => t.shape[axis]!);
    const ends = starts.map((start, i) => start! + (isIndex ? 1 : y[i]!.shape[axis]!)) as [number, number];
    const from = placeOf(starts as [number, number], lengths);
    const to = ends.every((end, i) => end === lengths[i]) ? 'end' : placeOf(ends, lengths);
    if (from !== undefined && to !== undefined) return { axis, from, to: to === 'end' ? undefined : to, isIndex };
  }
  return undefined;
}

/** A place that is the same from the start of the axis, or else from its end. */
function placeOf([a, b]: readonly [number, number], [n, m]: readonly [number, number]): number | undefined {
  if (a === b) return a;
  return a - n === b - m ? a - n : undefined;
}

function startOf(x: Elements, y: Elements, axis: number, isIndex: boolean): number | undefined {
  const expected = isIndex ? x.shape.toSpliced(axis, 1) : x.shape.with(axis, y.shape[axis]!);
  if (!sameShape(expected, y.shape)) return undefined;
  const length = isIndex ? 1 : y.shape[axis]!;
  const stride = rowMajor(x.shape)[axis]!;
  for (let start = 0; start + length <= x.shape[axis]!; start++) {
    // Most places differ in the first element already.
    if (y.data.length > 0 && x.data[start * stride] !== y.data[0]) continue;
    const part = gathered(x, y.shape, (index) =>
      isIndex ? index.toSpliced(axis, 0, start) : index.with(axis, index[axis]! + start),
    );
    if (isSame(part, y)) return start;
  }
  return undefined;
}

/** The axis along which `y` is `x` from the last element to the first. */
export const reversedAxis = (x: Pair, y: Pair): number | undefined =>
  candidate([...x[0].shape.keys()], x, y, (axis, from, to) =>
    isSame(
      gathered(from, to.shape, (index) => index.with(axis, from.shape[axis]! - 1 - index[axis]!)),
      to,
    ),
  );

/** Elements added in front of and behind each axis, and their value. */
export function padsOf(x: Pair, y: Pair): { pads: number[]; value: number } | undefined {
  const fronts = both(x, (t, i) => frontOf(elementsOf(t), elementsOf(y[i])));
  if (!fronts[0] || !fronts[1] || !fronts[0].every((n, axis) => n === fronts[1]![axis])) return undefined;
  const front = fronts[0];
  const behind = front.map((n, axis) => y[0].shape[axis]! - x[0].shape[axis]! - n);
  if (behind.some((n, axis) => n !== y[1].shape[axis]! - x[1].shape[axis]! - front[axis]!)) return undefined;
  const values = elementsOf(y[0]).data;
  const isAdded = [front, behind].flat().some((n) => n > 0);
  return {
    pads: [...front, ...behind],
    value: isAdded ? (front.some((n) => n > 0) ? values[0]! : values[values.length - 1]!) : 0,
  };
}

function frontOf(x: Elements, y: Elements): number[] | undefined {
  if (x.shape.length !== y.shape.length) return undefined;
  const counts = x.shape.map((n, axis) => y.shape[axis]! - n + 1);
  if (counts.some((n) => n < 1)) return undefined;
  const [strides, places] = [rowMajor(counts), rowMajor(y.shape)];
  for (let i = 0; i < sizeOf(counts); i++) {
    const front = counts.map((n, axis) => Math.floor(i / strides[axis]!) % n);
    if (x.data.length > 0 && y.data[front.reduce((at, n, axis) => at + n * places[axis]!, 0)] !== x.data[0]) continue;
    if (
      isSame(
        gathered(y, x.shape, (index) => index.map((at, axis) => at + front[axis]!)),
        x,
      )
    )
      return front;
  }
  return undefined;
}

/** Reductions along one axis, or all of them. */
export type Reduction = (values: readonly number[]) => number;

export const reductions: Readonly<Record<string, Reduction>> = {
  sum: (values) => values.reduce((sum, x) => sum + x, 0),
  mean: (values) => values.reduce((sum, x) => sum + x, 0) / values.length,
  max: (values) => values.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY),
  min: (values) => values.reduce((least, x) => Math.min(least, x), Number.POSITIVE_INFINITY),
};

/** All lists of some of the given axes, in their order. */
const subsets = (axes: readonly number[]): number[][] =>
  axes.reduce<number[][]>((all, axis) => all.concat(all.map((each) => each.concat(axis))), [[]]);

/** The axes along which `y` is the reduction of `x`, and whether they stay with length 1. */
export function reducedAxes(name: string, x: Pair, y: Pair): { axes: number[]; keepdims: boolean } | undefined {
  const rank = x[0].shape.length;
  const sets = subsets([...Array(rank).keys()])
    .filter((axes) => axes.length > 0)
    .sort((a, b) => a.length - b.length);
  const options = sets.flatMap((axes) => [false, true].map((keepdims) => ({ axes, keepdims })));
  return candidate(options, x, y, ({ axes, keepdims }, from, to) => {
    const shape = from.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
    const shown = keepdims ? shape : shape.filter((_, axis) => !axes.includes(axis));
    if (!sameShape(shown, to.shape)) return false;
    const [strides, toStrides] = [rowMajor(from.shape), rowMajor(shape)];
    const lists = Array.from({ length: sizeOf(shape) }, (): number[] => []);
    for (let i = 0; i < from.data.length; i++) {
      const at = from.shape.reduce((sum, n, axis) => {
        return axes.includes(axis) ? sum : sum + (Math.floor(i / strides[axis]!) % n) * toStrides[axis]!;
      }, 0);
      lists[at]!.push(from.data[i]!);
    }
    return isSame({ shape: to.shape, data: lists.map((list) => reductions[name]!(list)) }, to, 1e-4);
  });
}

/** The number c for which y = f(x, c), by the element that determines it best. */
export function numberOf(
  x: Pair,
  y: Pair,
  solve: (x: number, y: number) => number,
  weight: (x: number) => number,
  apply: (x: number, c: number) => number,
): number | undefined {
  const [from, to] = [elementsOf(x[0]), elementsOf(y[0])];
  let best = -1;
  for (let i = 0; i < from.data.length; i++) {
    if (best < 0 || weight(from.data[i]!) > weight(from.data[best]!)) best = i;
  }
  if (best < 0 || weight(from.data[best]!) <= 0) return undefined;
  const near = Math.fround(solve(from.data[best]!, to.data[best]!));
  // The short decimal that the caller wrote, if it fits as well.
  const short = Number(near.toPrecision(6));
  return candidate([Math.fround(short), near], x, y, (c, a, b) =>
    isSame({ shape: b.shape, data: Array.from(a.data, (value) => apply(value, c)) }, b, 1e-6),
  );
}
