// Operators that read or write elements by their indices.
import { type Tensor, tensor } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';
import { sizeOf } from '../../../checks/shape.ts';
import * as ops from '../../../ops/index.ts';
import type { HostData } from '../../format/element-types.ts';
import type { Operator } from '../../graph/node.ts';
import { int64, Value } from '../../graph/value.ts';
import { axisOf, rowMajor } from '../broadcast.ts';
import { picked } from '../mapped.ts';
import { axisPlaces, pick } from './places.ts';

const gather: Operator = {
  make(node) {
    const axis = node.int('axis', 0);
    return ([x, ids]) => {
      const at = axisOf(axis, x!.shape.length);
      const length = x!.shape[at]!;
      const indices = Int32Array.from(ids!.numbers, (id) => checkedId(id, length));
      const shape = [...x!.shape.slice(0, at), ...ids!.shape, ...x!.shape.slice(at + 1)];
      if (!x!.isHost && at === 0 && x!.shape.length === 2) {
        const table = x!.parameter ?? x!.tensor;
        return Value.ofTensor(ops.reshape(ops.embed(tensor(indices), table), shape), x!.type);
      }
      if (!x!.isHost && ids!.size === 1) {
        const cut = ops.slice(x!.tensor, { axis: at, from: indices[0]!, to: indices[0]! + 1 });
        return Value.ofTensor(ops.reshape(cut, shape), x!.type);
      }
      return pick(x!, axisPlaces(x!.shape, at, indices), shape);
    };
  },
};

/** An index from 0. Throws `ArgumentError` if it is out of range. */
function checkedId(id: number, length: number): number {
  if (id >= -length && id < length) return id < 0 ? id + length : id;
  throw new ArgumentError(`index expected ${-length} to ${length - 1}, got ${id}`);
}

const gatherElements: Operator = {
  make(node) {
    const axis = node.int('axis', 0);
    return ([x, ids]) => {
      const at = axisOf(axis, x!.shape.length);
      return pick(x!, elementPlaces(x!.shape, ids!, at), ids!.shape);
    };
  },
};

/** For each element of `ids`, the place in `shape` that has this index along an axis, and else the same ones. */
function elementPlaces(shape: readonly number[], ids: Value, at: number): Int32Array {
  const [steps, own] = [rowMajor(shape), rowMajor(ids.shape)];
  return Int32Array.from({ length: ids.size }, (_, i) =>
    steps.reduce((sum, step, axis) => {
      const index =
        axis === at ? checkedId(ids.numbers[i]!, shape[at]!) : Math.floor(i / own[axis]!) % ids.shape[axis]!;
      return sum + step * index;
    }, 0),
  );
}

const gatherNd: Operator = {
  make(node) {
    const batchDims = node.int('batch_dims', 0);
    return ([x, ids]) => {
      const { places, shape } = ndPlaces(x!.shape, ids!, batchDims);
      return pick(x!, places, shape);
    };
  },
};

/** Places of the elements of the parts that tuples of indices name, and the shape of all parts. */
function ndPlaces(shape: readonly number[], ids: Value, batchDims: number) {
  const depth = ids.shape.at(-1)!;
  const steps = rowMajor(shape);
  const inner = sizeOf(shape.slice(batchDims + depth));
  const batches = sizeOf(ids.shape.slice(0, batchDims));
  const perBatch = ids.size / Math.max(depth * batches, 1);
  const batchStep = sizeOf(shape.slice(batchDims));
  const places = new Int32Array(batches * perBatch * inner);
  for (let i = 0; i < batches * perBatch; i++) {
    let place = Math.floor(i / perBatch) * batchStep;
    for (let d = 0; d < depth; d++) {
      const axis = batchDims + d;
      place += steps[axis]! * checkedId(ids.numbers[i * depth + d]!, shape[axis]!);
    }
    for (let j = 0; j < inner; j++) places[i * inner + j] = place + j;
  }
  return { places, shape: [...ids.shape.slice(0, -1), ...shape.slice(batchDims + depth)] };
}

const reductions = ['none', 'add', 'mul', 'max', 'min'] as const;
type Reduction = (typeof reductions)[number];

/** x with `updates` put, or combined, at places. */
function scatter(x: Value, places: Int32Array, updates: Value, reduction: Reduction): Value {
  if (!x.isHost || !updates.isHost) {
    if (!x.isFloat) throw new ArgumentError('expected integers outside the graph of gradients');
    return Value.ofTensor(scattered(x, places, updates, reduction), x.type);
  }
  const data = x.type === 'string' ? [...(x.host as string[])] : (x.numbers.slice() as unknown as number[]);
  const combine: Record<Reduction, (a: number, b: number) => number> = {
    none: (_, b) => b,
    add: (a, b) => a + b,
    mul: (a, b) => a * b,
    max: Math.max,
    min: Math.min,
  };
  places.forEach((place, i) => {
    (data as number[])[place] = combine[reduction]((data as number[])[place]!, updates.host[i] as number);
  });
  return Value.ofHost(x.type, x.shape, data as unknown as HostData);
}

/** For each reduction, what changes nothing, and the op that combines. */
const combinations = {
  add: [0, ops.add],
  mul: [1, ops.mul],
  max: [Number.NEGATIVE_INFINITY, ops.maximum],
  min: [Number.POSITIVE_INFINITY, ops.minimum],
} as const;

/** The same with gradients: each element of the result is one of x or of the updates, or combines several. */
function scattered(x: Value, places: Int32Array, updates: Value, reduction: Reduction): Tensor {
  // The update that an element shows: the last one that names it.
  const from = new Int32Array(x.size).fill(-1);
  places.forEach((place, i) => {
    from[place] = i;
  });
  if (reduction === 'none') {
    const hidden = ops.zeros(x.shape);
    from.forEach((i, place) => {
      if (i >= 0) hidden.dataView()[place] = 1;
    });
    return ops.where(hidden, picked(updates.tensor, from, x.shape), x.tensor);
  }
  const [neutral, combine] = combinations[reduction];
  // Updates of one place come one after the other.
  const rounds: Int32Array[] = [];
  const turn = new Int32Array(x.size);
  places.forEach((place, i) => {
    const round = turn[place]!++;
    rounds[round] ??= new Int32Array(x.size).fill(-1);
    rounds[round]![place] = i;
  });
  return rounds.reduce<Tensor>((all, round) => combine(all, picked(updates.tensor, round, x.shape, neutral)), x.tensor);
}

const scatterElements: Operator = {
  make(node) {
    const [axis, reduction] = [node.int('axis', 0), node.choice('reduction', reductions, 'none')];
    return ([x, ids, updates]) =>
      scatter(x!, elementPlaces(x!.shape, ids!, axisOf(axis, x!.shape.length)), updates!, reduction);
  },
};

const scatterNd: Operator = {
  make(node) {
    const reduction = node.choice('reduction', reductions, 'none');
    return ([x, ids, updates]) => {
      return scatter(x!, ndPlaces(x!.shape, ids!, 0).places, updates!, reduction);
    };
  },
};

const compress: Operator = {
  isOpen: true,
  make(node) {
    const axis = node.has('axis') ? node.int('axis', 0) : undefined;
    return ([x, condition]) => {
      const from = axis === undefined ? x!.reshaped([x!.size]) : x!;
      const at = axisOf(axis ?? 0, from.shape.length);
      const kept = Array.from(condition!.numbers.keys()).filter((i) => condition!.numbers[i] && i < from.shape[at]!);
      return pick(from, axisPlaces(from.shape, at, kept), from.shape.with(at, kept.length));
    };
  },
};

const nonZero: Operator = {
  isOpen: true,
  make:
    () =>
    ([x]) => {
      const steps = rowMajor(x!.shape);
      const found = Array.from(x!.numbers.keys()).filter((i) => x!.numbers[i] !== 0);
      const rank = Math.max(x!.shape.length, 0);
      const data = x!.shape.flatMap((n, axis) => found.map((at) => Math.floor(at / steps[axis]!) % n));
      return int64(data, [rank, found.length]);
    },
};

const oneHot: Operator = {
  shapeFrom: [1],
  make(node) {
    const axis = node.int('axis', -1);
    return ([ids, depth, values]) => {
      const count = depth!.item;
      const rank = ids!.shape.length + 1;
      const at = axisOf(axis, rank);
      const shape = ids!.shape.toSpliced(at, 0, count);
      const isOn = new Int32Array(sizeOf(shape));
      const inner = sizeOf(shape.slice(at + 1));
      Array.from(ids!.numbers).forEach((given, i) => {
        const id = Math.trunc(given < 0 ? given + count : given);
        if (id >= 0 && id < count) isOn[(Math.floor(i / inner) * count + id) * inner + (i % inner)] = 1;
      });
      return pick(values!, isOn, shape);
    };
  },
};

export const indexing: Readonly<Record<string, Operator>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterNd,
  Compress: compress,
  NonZero: nonZero,
  OneHot: oneHot,
};
