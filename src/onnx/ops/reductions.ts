// Operators that reduce axes, and those that look for the largest elements.

import type { Tensor } from '../../autograd/tensor.ts';
import { sizeOf } from '../../checks/shape.ts';
import * as ops from '../../ops/index.ts';
import { hostArray } from '../format/element-types.ts';
import type { Operator } from '../graph/node.ts';
import { int64, Value } from '../graph/value.ts';
import { axisOf, rowMajor } from './broadcast.ts';
import * as real from './elementwise/real-functions.ts';
import { axesFrom } from './shapes/layout.ts';
import { pick, placesOf } from './shapes/places.ts';

/** How elements become one. */
interface Reduction {
  readonly start: number;
  readonly add: (sum: number, x: number) => number;
  readonly end?: (sum: number, count: number) => number;
  /** The same of a tensor `[outer, n]` along axis 1; its result is `[outer]`. */
  readonly kernel: (x: Tensor) => Tensor;
}

const sumRows = (x: Tensor): Tensor => ops.sum(x, { axis: 1 });

const kinds: Readonly<Record<string, Reduction>> = {
  ReduceSum: { start: 0, add: (sum, x) => sum + x, kernel: sumRows },
  ReduceMean: { start: 0, add: (sum, x) => sum + x, end: (sum, n) => sum / n, kernel: (x) => ops.mean(x, { axis: 1 }) },
  ReduceMax: { start: Number.NEGATIVE_INFINITY, add: Math.max, kernel: (x) => ops.max(x, { axis: 1 }) },
  ReduceMin: {
    start: Number.POSITIVE_INFINITY,
    add: Math.min,
    kernel: (x) => ops.neg(ops.max(ops.neg(x), { axis: 1 })),
  },
  ReduceProd: { start: 1, add: (product, x) => product * x, kernel: productRows },
  ReduceL1: { start: 0, add: (sum, x) => sum + Math.abs(x), kernel: (x) => sumRows(ops.abs(x)) },
  ReduceL2: { start: 0, add: (sum, x) => sum + x * x, end: Math.sqrt, kernel: (x) => ops.sqrt(sumRows(ops.square(x))) },
  ReduceSumSquare: { start: 0, add: (sum, x) => sum + x * x, kernel: (x) => sumRows(ops.square(x)) },
  ReduceLogSum: { start: 0, add: (sum, x) => sum + x, end: real.log, kernel: (x) => ops.log(sumRows(x)) },
  ReduceLogSumExp: {
    start: 0,
    add: (sum, x) => sum + real.exp(x),
    end: real.log,
    kernel: (x) => ops.logSumExp(x, { axis: 1 }),
  },
};

/** The product of each row, column by column. */
function productRows(x: Tensor): Tensor {
  const columns = ops.split(x, x.shape[1]!, 1);
  const product = columns.reduce((a, b) => ops.mul(a, b));
  return ops.reshape(product, [x.shape[0]!]);
}

/** The order of axes that puts some of them last, and the lengths of the rest and of those. */
function axesLast(shape: readonly number[], axes: readonly number[]) {
  const rest = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const order = [...rest, ...axes];
  const count = sizeOf(axes.map((axis) => shape[axis]!));
  return { order, outer: sizeOf(rest.map((axis) => shape[axis]!)), count };
}

const reduction = (kind: Reduction): Operator => ({
  shapeFrom: [1],
  make(node) {
    const axesOf = axesFrom(node, 1);
    const [keeps, isNoop] = [node.flag('keepdims', true), node.flag('noop_with_empty_axes')];
    return (inputs) => {
      const [x] = inputs as [Value];
      const given = axesOf(inputs);
      const none = !given || given.length === 0;
      if (none && isNoop) return x.isHost ? reduceHost(x, [], x.shape, kind) : x;
      const axes = none ? [...x.shape.keys()] : given.map((axis) => axisOf(axis, x.shape.length)).sort((a, b) => a - b);
      const shape = x.shape.flatMap((n, axis) => (!axes.includes(axis) ? [n] : keeps ? [1] : []));
      if (x.isHost || x.size === 0) return reduceHost(x, axes, shape, kind);
      const { order, outer, count } = axesLast(x.shape, axes);
      const turned = order.every((axis, i) => axis === i) ? x.tensor : ops.transpose(x.tensor, order);
      return Value.ofTensor(ops.reshape(kind.kernel(ops.reshape(turned, [outer, count])), shape), x.type);
    };
  },
});

function reduceHost(x: Value, axes: readonly number[], shape: readonly number[], kind: Reduction): Value {
  const { order, outer, count } = axesLast(x.shape, axes);
  const steps = rowMajor(x.shape);
  const places = placesOf(
    order.map((axis) => x.shape[axis]!),
    order.map((axis) => steps[axis]!),
  );
  const data = hostArray(x.type, outer);
  const { numbers } = x;
  for (let o = 0; o < outer; o++) {
    let sum = kind.start;
    for (let i = 0; i < count; i++) sum = kind.add(sum, numbers[places[o * count + i]!]!);
    data[o] = kind.end ? kind.end(sum, count) : sum;
  }
  return Value.ofHost(x.type, shape, data);
}

/** The index of the largest or the smallest element along an axis. */
const argument = (isLess: (a: number, b: number) => boolean): Operator => ({
  make(node) {
    const [axis, keeps, takesLast] = [node.int('axis', 0), node.flag('keepdims', true), node.flag('select_last_index')];
    return ([x]) => {
      const at = axisOf(axis, x!.shape.length);
      const [length, inner] = [x!.shape[at]!, sizeOf(x!.shape.slice(at + 1))];
      const outer = x!.size / Math.max(length * inner, 1);
      const { numbers } = x!;
      const found: number[] = [];
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const value = (j: number): number => numbers[(o * length + j) * inner + i]!;
          let best = 0;
          for (let j = 1; j < length; j++) {
            if (isLess(value(best), value(j)) || (takesLast && value(best) === value(j))) best = j;
          }
          found.push(best);
        }
      }
      return int64(found, keeps ? x!.shape.with(at, 1) : x!.shape.toSpliced(at, 1));
    };
  },
});

const topK: Operator = {
  shapeFrom: [1],
  make(node) {
    const [axis, largest, fixed] = [node.int('axis', -1), node.flag('largest', true), node.int('k', 0)];
    node.int('sorted', 1);
    return ([x, k]) => {
      const at = axisOf(axis, x!.shape.length);
      const count = k ? k.item : fixed;
      const [length, inner] = [x!.shape[at]!, sizeOf(x!.shape.slice(at + 1))];
      const outer = x!.size / Math.max(length * inner, 1);
      const { numbers } = x!;
      const shape = x!.shape.with(at, count);
      const places = new Int32Array(sizeOf(shape));
      const ids = new Float64Array(places.length);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const place = (j: number): number => (o * length + j) * inner + i;
          const order = Array.from({ length }, (_, j) => j).sort((a, b) => {
            const difference = numbers[place(a)]! - numbers[place(b)]!;
            return (largest ? -difference : difference) || a - b;
          });
          for (let j = 0; j < count; j++) {
            places[(o * count + j) * inner + i] = place(order[j]!);
            ids[(o * count + j) * inner + i] = order[j]!;
          }
        }
      }
      return [pick(x!, places, shape), Value.ofHost('int64', shape, ids)];
    };
  },
};

const cumSum: Operator = {
  make(node) {
    const [isExclusive, isReverse] = [node.flag('exclusive'), node.flag('reverse')];
    return ([x, axis]) => {
      const at = axisOf(axis!.item, x!.shape.length);
      if (!x!.isHost && !isExclusive) {
        const turned = isReverse ? ops.reverse(x!.tensor, at) : x!.tensor;
        const sums = ops.cumsum(turned, at);
        return Value.ofTensor(isReverse ? ops.reverse(sums, at) : sums, x!.type);
      }
      if (!x!.isHost) {
        const turned = isReverse ? ops.reverse(x!.tensor, at) : x!.tensor;
        const sums = ops.sub(ops.cumsum(turned, at), turned);
        return Value.ofTensor(isReverse ? ops.reverse(sums, at) : sums, x!.type);
      }
      const [length, inner] = [x!.shape[at]!, sizeOf(x!.shape.slice(at + 1))];
      const data = hostArray(x!.type, x!.size);
      const { numbers } = x!;
      for (let o = 0; o < x!.size / Math.max(length * inner, 1); o++) {
        for (let i = 0; i < inner; i++) {
          let sum = 0;
          for (let step = 0; step < length; step++) {
            const j = (o * length + (isReverse ? length - 1 - step : step)) * inner + i;
            if (!isExclusive) sum += numbers[j]!;
            data[j] = sum;
            if (isExclusive) sum += numbers[j]!;
          }
        }
      }
      return Value.ofHost(x!.type, x!.shape, data);
    };
  },
};

/** Softmax and its like: along an axis since version 13, before that over all axes from one on. */
const softmaxLike = (kernel: (x: Tensor, options: { axis: number }) => Tensor): Operator => ({
  make(node) {
    const isOld = node.version < 13;
    const axis = node.int('axis', isOld ? 1 : -1);
    return ([x]) => {
      const at = axisOf(axis, x!.shape.length);
      if (!isOld) return Value.ofTensor(kernel(x!.tensor, { axis: at }), x!.type);
      const rows = ops.reshape(x!.tensor, [sizeOf(x!.shape.slice(0, at)), sizeOf(x!.shape.slice(at))]);
      return Value.ofTensor(ops.reshape(kernel(rows, { axis: 1 }), x!.shape), x!.type);
    };
  },
});

const hardmax: Operator = {
  hasNoGradient: true,
  make(node) {
    const isOld = node.version < 13;
    const axis = node.int('axis', isOld ? 1 : -1);
    return ([x]) => {
      const at = axisOf(axis, x!.shape.length);
      const [length, inner] = isOld ? [sizeOf(x!.shape.slice(at)), 1] : [x!.shape[at]!, sizeOf(x!.shape.slice(at + 1))];
      const data = hostArray(x!.type, x!.size);
      for (let o = 0; o < x!.size / Math.max(length * inner, 1); o++) {
        for (let i = 0; i < inner; i++) {
          let best = o * length * inner + i;
          for (let j = 1; j < length; j++) {
            const place = (o * length + j) * inner + i;
            if (x!.numbers[place]! > x!.numbers[best]!) best = place;
          }
          data[best] = 1;
        }
      }
      return Value.ofHost(x!.type, x!.shape, data);
    };
  },
};

export const reductions: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, reduction(kind)])),
  ArgMax: argument((a, b) => a < b),
  ArgMin: argument((a, b) => a > b),
  TopK: topK,
  CumSum: cumSum,
  Softmax: softmaxLike(ops.softmax),
  LogSoftmax: softmaxLike(ops.logSoftmax),
  Hardmax: hardmax,
};
