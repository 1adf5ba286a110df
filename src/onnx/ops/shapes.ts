// Operators that look at shapes, move elements and join tensors.
import { ArgumentError } from '../../checks/argument-error.ts';
import { sizeOf } from '../../checks/shape.ts';
import * as ops from '../../ops/index.ts';
import { type ElementType, type HostData, hostArray, isFloat, toBfloat16, toFloat16 } from '../format/element-types.ts';
import type { NodeView, Operator } from '../graph/node.ts';
import { int64, Value } from '../graph/value.ts';
import { axisOf, broadcastShape, eachPlace, rowMajor } from './broadcast.ts';
import { picked } from './mapped.ts';

/** Elements of an array by their places; `otherwise` where a place is −1. */
export function pickHost(
  x: Value,
  places: ArrayLike<number>,
  shape: readonly number[],
  otherwise: number | string = 0,
): Value {
  const from = x.host as ArrayLike<number | string>;
  const data = (x.type === 'string' ? Array(places.length) : hostArray(x.type, places.length)) as Array<
    number | string
  >;
  for (let i = 0; i < places.length; i++) data[i] = places[i]! < 0 ? otherwise : from[places[i]!]!;
  return Value.ofHost(x.type, shape, data as unknown as HostData);
}

/** The same of either kind of value. */
export function pick(x: Value, places: Int32Array, shape: readonly number[], otherwise = 0): Value {
  return x.isHost
    ? pickHost(x, places, shape, otherwise)
    : Value.ofTensor(picked(x.tensor, places, shape, otherwise), x.type);
}

/** Axes from an attribute in old versions, from an input in new ones. */
export function axesFrom(
  node: NodeView,
  place: number,
): (inputs: readonly (Value | undefined)[]) => number[] | undefined {
  const fixed = node.ints('axes');
  return (inputs) => fixed ?? (inputs[place] && [...inputs[place].numbers]);
}

const reshape: Operator = {
  shapeFrom: [1],
  make(node) {
    const [fixed, allowsZero] = [node.ints('shape'), node.flag('allowzero')];
    return ([x, given]) => {
      const wanted = fixed ?? [...given!.numbers];
      const shape = wanted.map((n, i) => (n === 0 && !allowsZero ? x!.shape[i]! : n));
      const known = sizeOf(shape.filter((n) => n !== -1));
      return x!.reshaped(shape.map((n) => (n === -1 ? x!.size / known : n)));
    };
  },
};

const flatten: Operator = {
  make(node) {
    const axis = node.int('axis', 1);
    return ([x]) => {
      const at = axis < 0 ? axis + x!.shape.length : axis;
      return x!.reshaped([sizeOf(x!.shape.slice(0, at)), sizeOf(x!.shape.slice(at))]);
    };
  },
};

const squeeze: Operator = {
  shapeFrom: [1],
  make(node) {
    const axesOf = axesFrom(node, 1);
    return (inputs) => {
      const [x] = inputs as [Value];
      const axes = axesOf(inputs)?.map((axis) => axisOf(axis, x.shape.length));
      const wrong = axes?.find((axis) => x.shape[axis] !== 1);
      if (wrong !== undefined) throw new ArgumentError(`axis ${wrong} of [${x.shape}] expected length 1`);
      return x.reshaped(x.shape.filter((n, axis) => (axes ? !axes.includes(axis) : n !== 1)));
    };
  },
};

const unsqueeze: Operator = {
  shapeFrom: [1],
  make(node) {
    const axesOf = axesFrom(node, 1);
    return (inputs) => {
      const [x] = inputs as [Value];
      const axes = axesOf(inputs)!;
      const rank = x.shape.length + axes.length;
      const at = axes.map((axis) => axisOf(axis, rank));
      const rest = [...x.shape];
      return x.reshaped(Array.from({ length: rank }, (_, axis) => (at.includes(axis) ? 1 : rest.shift()!)));
    };
  },
};

const transpose: Operator = {
  make(node) {
    const perm = node.ints('perm');
    return ([x]) => {
      const order = perm ?? [...x!.shape.keys()].reverse();
      const shape = order.map((axis) => x!.shape[axis]!);
      if (!x!.isHost) return Value.ofTensor(ops.transpose(x!.tensor, order), x!.type);
      const steps = rowMajor(x!.shape);
      return pickHost(
        x!,
        placesOf(
          shape,
          order.map((axis) => steps[axis]!),
        ),
        shape,
      );
    };
  },
};

/** Places of the elements of `shape` in order, for the given steps along its axes, from `first` on. */
export function placesOf(shape: readonly number[], steps: readonly number[], first = 0): Int32Array {
  const places = new Int32Array(sizeOf(shape));
  let made = 1;
  if (places.length === 0) return places;
  places[0] = first;
  // From the last axis on, what exists is repeated along the next axis.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    for (let i = 1; i < shape[axis]!; i++) {
      for (let j = 0; j < made; j++) places[i * made + j] = places[j]! + i * steps[axis]!;
    }
    made *= shape[axis]!;
  }
  return places;
}

const slice: Operator = {
  shapeFrom: [1, 2, 3, 4],
  make(node) {
    const [starts, ends, axes] = [node.ints('starts'), node.ints('ends'), node.ints('axes')];
    return ([x, from, to, along, by]) => {
      const { shape } = x!;
      const first = starts ?? [...from!.numbers];
      const last = ends ?? [...to!.numbers];
      const which = (axes ?? (along && [...along.numbers]) ?? [...first.keys()]).map((axis) =>
        axisOf(axis, shape.length),
      );
      const steps = by ? [...by.numbers] : first.map(() => 1);
      const ranges = shape.map((length, axis) => {
        const i = which.indexOf(axis);
        return i < 0 ? { from: 0, count: length, step: 1 } : rangeOf(length, first[i]!, last[i]!, steps[i]!);
      });
      const made = ranges.map(({ count }) => count);
      if (!x!.isHost && ranges.every(({ step }) => step === 1)) {
        const cut = ranges.reduce(
          (t, { from: low, count }, axis) =>
            count === shape[axis] ? t : ops.slice(t, { axis, from: low, to: low + count }),
          x!.tensor,
        );
        return Value.ofTensor(cut, x!.type);
      }
      const inner = rowMajor(shape);
      const start = ranges.reduce((sum, { from: low }, axis) => sum + low * inner[axis]!, 0);
      return pick(
        x!,
        placesOf(
          made,
          ranges.map(({ step }, axis) => step * inner[axis]!),
          start,
        ),
        made,
      );
    };
  },
};

/** The range of a slice, as NumPy clamps it. */
function rangeOf(
  length: number,
  start: number,
  end: number,
  step: number,
): { from: number; count: number; step: number } {
  if (step === 0) throw new ArgumentError('steps expected no 0');
  const place = (n: number, low: number, high: number): number => Math.min(Math.max(n < 0 ? n + length : n, low), high);
  const [from, to] =
    step > 0
      ? [place(start, 0, length), place(end, 0, length)]
      : [place(start, 0, length - 1), place(end, -1, length - 1)];
  return { from, count: Math.max(Math.ceil((to - from) / step), 0), step };
}

const concat: Operator = {
  make(node) {
    const axis = node.int('axis', 1);
    return (inputs) => {
      const values = inputs as Value[];
      const [first] = values as [Value];
      const at = axisOf(axis, first.shape.length);
      if (values.length === 1) return first;
      if (!values.every(({ isHost }) => isHost))
        return Value.ofTensor(
          ops.concatenate(
            values.map(({ tensor }) => tensor),
            at,
          ),
          first.type,
        );
      return joinHost(values, at);
    };
  },
};

/** Joins arrays along an axis. */
export function joinHost(values: readonly Value[], at: number): Value {
  const [first] = values as [Value];
  const lengths = values.map(({ shape }) => shape[at]!);
  const shape = first.shape.with(
    at,
    lengths.reduce((sum, n) => sum + n, 0),
  );
  const outer = sizeOf(shape.slice(0, at));
  const inner = sizeOf(shape.slice(at + 1));
  const data = (first.type === 'string' ? Array(sizeOf(shape)) : hostArray(first.type, sizeOf(shape))) as number[];
  let to = 0;
  for (let o = 0; o < outer; o++) {
    values.forEach(({ host }, i) => {
      const count = lengths[i]! * inner;
      for (let j = 0; j < count; j++) data[to++] = host[o * count + j] as number;
    });
  }
  return Value.ofHost(first.type, shape, data as unknown as HostData);
}

const split: Operator = {
  shapeFrom: [1],
  make(node) {
    const [axis, fixed, count] = [
      node.int('axis', 0),
      node.ints('split'),
      node.int('num_outputs', node.outputs.length),
    ];
    return ([x, given]) => {
      const at = axisOf(axis, x!.shape.length);
      const length = x!.shape[at]!;
      const each = Math.ceil(length / count);
      const parts =
        fixed ??
        (given && [...given.numbers]) ??
        Array.from({ length: count }, (_, i) => Math.max(Math.min(each, length - i * each), 0));
      if (!x!.isHost) return ops.split(x!.tensor, parts, at).map((part) => Value.ofTensor(part, x!.type));
      const steps = rowMajor(x!.shape);
      let from = 0;
      return parts.map((n) => {
        const shape = x!.shape.with(at, n);
        const part = pickHost(x!, placesOf(shape, steps, from * steps[at]!), shape);
        from += n;
        return part;
      });
    };
  },
};

const expand: Operator = {
  shapeFrom: [1],
  make:
    () =>
    ([x, given]) => {
      const shape = broadcastShape(x!.shape, [...given!.numbers]);
      if (!x!.isHost) return Value.ofTensor(ops.broadcastTo(x!.tensor, shape), x!.type);
      const places = new Int32Array(sizeOf(shape));
      eachPlace(shape, [x!.shape], (at, [place]) => {
        places[at] = place!;
      });
      return pickHost(x!, places, shape);
    },
};

const tile: Operator = {
  shapeFrom: [1, 2],
  make:
    () =>
    ([x, repeats, axis]) => {
      // Version 1 repeats one axis.
      const times = axis ? x!.shape.map((_, i) => (i === axis.item ? repeats!.item : 1)) : [...repeats!.numbers];
      const shape = x!.shape.map((n, i) => n * times[i]!);
      const steps = rowMajor(x!.shape);
      const whole = rowMajor(shape);
      const places = Int32Array.from({ length: sizeOf(shape) }, (_, at) =>
        steps.reduce((sum, step, i) => sum + step * (Math.floor(at / whole[i]!) % x!.shape[i]!), 0),
      );
      return pick(x!, places, shape);
    },
};

const gather: Operator = {
  make(node) {
    const axis = node.int('axis', 0);
    return ([x, ids]) => {
      const at = axisOf(axis, x!.shape.length);
      const length = x!.shape[at]!;
      const indices = Int32Array.from(ids!.numbers, (id) => checkedId(id, length));
      const shape = [...x!.shape.slice(0, at), ...ids!.shape, ...x!.shape.slice(at + 1)];
      if (!x!.isHost && at === 0 && x!.shape.length === 2) {
        const flat = Value.ofHost('int32', [indices.length], indices);
        const table = x!.parameter ?? x!.tensor;
        return Value.ofTensor(ops.reshape(ops.embed(idsTensor(flat), table), shape), x!.type);
      }
      if (!x!.isHost && ids!.size === 1) {
        const cut = ops.slice(x!.tensor, { axis: at, from: indices[0]!, to: indices[0]! + 1 });
        return Value.ofTensor(ops.reshape(cut, shape), x!.type);
      }
      const inner = sizeOf(x!.shape.slice(at + 1));
      const outer = sizeOf(x!.shape.slice(0, at));
      const places = new Int32Array(outer * indices.length * inner);
      let to = 0;
      for (let o = 0; o < outer; o++) {
        for (const id of indices) for (let i = 0; i < inner; i++) places[to++] = (o * length + id) * inner + i;
      }
      return pick(x!, places, shape);
    };
  },
};

/** An index from 0. Throws `ArgumentError` if it is out of range. */
export function checkedId(id: number, length: number): number {
  if (id >= -length && id < length) return id < 0 ? id + length : id;
  throw new ArgumentError(`index expected ${-length} to ${length - 1}, got ${id}`);
}

/** Integers as an i32 tensor. */
export const idsTensor = (x: Value) => {
  const ids = ops.zeros(x.shape, { dtype: 'i32' });
  ids.dataView().set(x.numbers);
  return ids;
};

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
      const { places, inner, shape } = ndPlaces(x!.shape, ids!, batchDims);
      const all = new Int32Array(places.length * inner);
      places.forEach((place, i) => {
        for (let j = 0; j < inner; j++) all[i * inner + j] = place + j;
      });
      return pick(x!, all, shape);
    };
  },
};

/** Places of the parts that tuples of indices name, and the number of elements of a part. */
function ndPlaces(shape: readonly number[], ids: Value, batchDims: number) {
  const depth = ids.shape.at(-1)!;
  const steps = rowMajor(shape);
  const inner = sizeOf(shape.slice(batchDims + depth));
  const batches = sizeOf(ids.shape.slice(0, batchDims));
  const perBatch = ids.size / Math.max(depth * batches, 1);
  const batchStep = sizeOf(shape.slice(batchDims));
  const places = Int32Array.from({ length: batches * perBatch }, (_, i) => {
    let place = Math.floor(i / perBatch) * batchStep;
    for (let d = 0; d < depth; d++) {
      const axis = batchDims + d;
      place += steps[axis]! * checkedId(ids.numbers[i * depth + d]!, shape[axis]!);
    }
    return place;
  });
  return { places, inner, shape: [...ids.shape.slice(0, -1), ...shape.slice(batchDims + depth)] };
}

type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min';

/** x with `updates` put, or combined, at places. */
function scatter(x: Value, places: Int32Array, updates: Value, reduction: Reduction): Value {
  if (!x.isHost || !updates.isHost) {
    if (!x.isFloat) throw new ArgumentError('expected integers outside the graph of gradients');
    if (reduction === 'none' || reduction === 'add')
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

/** The same with gradients: each element of the result is one of x or of the updates, or a sum. */
function scattered(x: Value, places: Int32Array, updates: Value, reduction: 'none' | 'add') {
  const isSum = reduction === 'add';
  // The update that an element shows: the last one that names it.
  const from = new Int32Array(x.size).fill(-1);
  places.forEach((place, i) => {
    from[place] = i;
  });
  if (!isSum) {
    const hidden = ops.zeros(x.shape);
    from.forEach((i, place) => {
      if (i >= 0) hidden.dataView()[place] = 1;
    });
    return ops.where(hidden, picked(updates.tensor, from, x.shape), x.tensor);
  }
  // Updates of one place are added one after the other.
  const rounds: Int32Array[] = [];
  const turn = new Int32Array(x.size);
  places.forEach((place, i) => {
    const round = turn[place]!++;
    rounds[round] ??= new Int32Array(x.size).fill(-1);
    rounds[round]![place] = i;
  });
  return rounds.reduce((sum, round) => ops.add(sum, picked(updates.tensor, round, x.shape)), x.tensor);
}

const reductions = ['none', 'add', 'mul', 'max', 'min'] as const;

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
      const { places, inner } = ndPlaces(x!.shape, ids!, 0);
      const all = new Int32Array(places.length * inner);
      places.forEach((place, i) => {
        for (let j = 0; j < inner; j++) all[i * inner + j] = place + j;
      });
      return scatter(x!, all, updates!, reduction);
    };
  },
};

const pad: Operator = {
  shapeFrom: [1, 3],
  make(node) {
    const mode = node.choice('mode', ['constant', 'reflect', 'edge', 'wrap'], 'constant');
    const [fixed, old] = [node.ints('pads') ?? node.ints('paddings'), node.float('value', 0)];
    return ([x, pads, value, axes]) => {
      const { shape } = x!;
      const given = fixed ?? [...pads!.numbers];
      const which = axes ? [...axes.numbers].map((axis) => axisOf(axis, shape.length)) : [...shape.keys()];
      const widths = shape.map((_, axis) => {
        const i = which.indexOf(axis);
        return i < 0 ? ([0, 0] as const) : ([given[i]!, given[i + which.length]!] as const);
      });
      const filler = value && value.size > 0 && value.type !== 'string' ? value.item : old;
      const isGrowing = widths.flat().every((n) => n >= 0);
      if (mode === 'constant' && isGrowing && !x!.isHost)
        return Value.ofTensor(ops.pad(x!.tensor, widths, filler), x!.type);
      const made = shape.map((n, axis) => n + widths[axis]![0] + widths[axis]![1]);
      const maps = shape.map((n, axis) =>
        Array.from({ length: made[axis]! }, (_, i) => sourceIndex(i - widths[axis]![0], n, mode)),
      );
      const steps = rowMajor(shape);
      const whole = rowMajor(made);
      const places = Int32Array.from({ length: sizeOf(made) }, (_, at) => {
        let place = 0;
        for (let axis = 0; axis < made.length; axis++) {
          const index = maps[axis]![Math.floor(at / whole[axis]!) % made[axis]!]!;
          if (index < 0) return -1;
          place += index * steps[axis]!;
        }
        return place;
      });
      return pick(x!, places, made, filler);
    };
  },
};

/** The index that a padded place shows; −1 for the filler. */
function sourceIndex(i: number, length: number, mode: 'constant' | 'reflect' | 'edge' | 'wrap'): number {
  if (i >= 0 && i < length) return i;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return Math.min(Math.max(i, 0), length - 1);
  if (mode === 'wrap') return ((i % length) + length) % length;
  const period = Math.max(2 * (length - 1), 1);
  const at = ((i % period) + period) % period;
  return at < length ? at : period - at;
}

/** Makes values of another type. Integers cut off towards 0 and wrap around; a boolean is whether it is not 0. */
export function castTo(x: Value, type: ElementType): Value {
  if (x.type === type) return x;
  if (type === 'string')
    return Value.ofHost(
      'string',
      x.shape,
      Array.from(x.numbers, (n) => textOfNumber(n, x.type)),
    );
  if (x.type === 'string') {
    const data = hostArray(type, x.size);
    (x.host as string[]).forEach((text, i) => {
      data[i] = Number(text.replace(/^([+-]?)inf(inity)?$/i, '$1Infinity'));
    });
    return Value.ofHost(type, x.shape, data);
  }
  // float16 and float64 are computed as float32, and float16 is rounded.
  if (!x.isHost && isFloat(type) && type !== 'float16' && type !== 'bfloat16') return Value.ofTensor(x.tensor, type);
  const data = hostArray(type, x.size);
  const { numbers } = x;
  const convert = conversionTo(type, x.isFloat);
  for (let i = 0; i < data.length; i++) data[i] = convert(numbers[i]!);
  return Value.ofHost(type, x.shape, data);
}

function conversionTo(type: ElementType, isFromFloat: boolean): (x: number) => number {
  if (type === 'bool') return (x) => (x !== 0 ? 1 : 0);
  if (type === 'float16') return toFloat16;
  if (type === 'bfloat16') return toBfloat16;
  if (type === 'uint4') return (x) => Math.trunc(x) & 15;
  if (type === 'int4') return (x) => (Math.trunc(x) << 28) >> 28;
  return isFromFloat && !isFloat(type) ? Math.trunc : (x) => x;
}

/** A number as C prints it with %g and enough digits. */
function textOfNumber(x: number, type: ElementType): string {
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? 'INF' : '-INF';
  return isFloat(type) ? String(Number(Math.fround(x).toPrecision(8))) : String(x);
}

const shapeOf: Operator = {
  readsShape: true,
  make(node) {
    const [start, end] = [node.int('start', 0), node.has('end') ? node.int('end', 0) : undefined];
    return ([x]) => int64(x!.shape.slice(start, end));
  },
};

const constant: Operator = {
  make(node) {
    const value = node.tensor('value');
    const [float, floats, int, ints] = [
      node.has('value_float'),
      node.floats('value_floats'),
      node.has('value_int'),
      node.ints('value_ints'),
    ];
    const made = value
      ? Value.ofHost(value.type, value.shape, value.data)
      : float
        ? Value.ofHost('float32', [], Float32Array.of(node.float('value_float', 0)))
        : floats
          ? Value.ofHost('float32', [floats.length], Float32Array.from(floats))
          : int
            ? int64([node.int('value_int', 0)], [])
            : ints
              ? int64(ints)
              : node.has('value_string')
                ? Value.ofHost('string', [], [node.string('value_string', '')])
                : node.has('value_strings')
                  ? Value.ofHost('string', [node.strings('value_strings')!.length], node.strings('value_strings')!)
                  : node.refuse('no value that is supported');
    return () => made;
  },
};

const constantOfShape: Operator = {
  shapeFrom: [0],
  make(node) {
    const { type, data } = node.tensor('value') ?? { type: 'float32' as const, data: [0] };
    return ([shape]) => {
      const lengths = [...shape!.numbers];
      const made = hostArray(type, sizeOf(lengths));
      made.fill(data[0] as number);
      return Value.ofHost(type, lengths, made);
    };
  },
};

const range: Operator = {
  shapeFrom: [0, 1, 2],
  make:
    () =>
    ([start, limit, delta]) => {
      const [from, to, by] = [start!.item, limit!.item, delta!.item];
      const count = Math.max(Math.ceil((to - from) / by), 0);
      const data = hostArray(start!.type, count);
      for (let i = 0; i < count; i++) data[i] = from + i * by;
      return Value.ofHost(start!.type, [count], data);
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
      const [off, on] = values!.numbers as unknown as [number, number];
      const data = hostArray(values!.type, sizeOf(shape));
      data.fill(off);
      const inner = sizeOf(shape.slice(at + 1));
      Array.from(ids!.numbers).forEach((given, i) => {
        const id = Math.trunc(given < 0 ? given + count : given);
        if (id >= 0 && id < count) data[(Math.floor(i / inner) * count + id) * inner + (i % inner)] = on;
      });
      return Value.ofHost(values!.type, shape, data);
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
      const shape = from.shape.with(at, kept.length);
      const [inner, outer] = [sizeOf(shape.slice(at + 1)), sizeOf(shape.slice(0, at))];
      const places = new Int32Array(sizeOf(shape));
      let to = 0;
      for (let o = 0; o < outer; o++) {
        for (const id of kept) for (let i = 0; i < inner; i++) places[to++] = (o * from.shape[at]! + id) * inner + i;
      }
      return pick(from, places, shape);
    };
  },
};

const spaceDepth = (isToDepth: boolean): Operator => ({
  make(node) {
    const [size, mode] = [node.int('blocksize', 1), isToDepth ? 'DCR' : node.choice('mode', ['DCR', 'CRD'], 'DCR')];
    return ([x]) => {
      const [n, c, h, w] = x!.shape as [number, number, number, number];
      const t = x!.tensor;
      const view = (shape: number[], axes: number[], to: number[]) =>
        Value.ofTensor(ops.reshape(ops.transpose(ops.reshape(t, shape), axes), to), x!.type);
      const [b, d] = [size, c / size ** 2];
      if (isToDepth) return view([n, c, h / b, b, w / b, b], [0, 3, 5, 1, 2, 4], [n, c * b * b, h / b, w / b]);
      if (mode === 'DCR') return view([n, b, b, d, h, w], [0, 3, 4, 1, 5, 2], [n, d, h * b, w * b]);
      return view([n, d, b, b, h, w], [0, 1, 4, 2, 5, 3], [n, d, h * b, w * b]);
    };
  },
});

const triangle: Operator = {
  make(node) {
    const isUpper = node.flag('upper', true);
    return ([x, diagonal]) => {
      const k = diagonal ? diagonal.item : 0;
      const [rows, columns] = x!.shape.slice(-2) as [number, number];
      const places = Int32Array.from({ length: x!.size }, (_, i) => {
        const [row, column] = [Math.floor(i / columns) % rows, i % columns];
        return (isUpper ? column - row >= k : column - row <= k) ? i : -1;
      });
      return pick(x!, places, x!.shape);
    };
  },
};

const reverseSequence: Operator = {
  make(node) {
    const [batchAxis, timeAxis] = [node.int('batch_axis', 1), node.int('time_axis', 0)];
    return ([x, lengths]) => {
      const steps = rowMajor(x!.shape);
      const places = Int32Array.from({ length: x!.size }, (_, i) => {
        const t = Math.floor(i / steps[timeAxis]!) % x!.shape[timeAxis]!;
        const length = lengths!.numbers[Math.floor(i / steps[batchAxis]!) % x!.shape[batchAxis]!]!;
        return t < length ? i + (length - 1 - 2 * t) * steps[timeAxis]! : i;
      });
      return pick(x!, places, x!.shape);
    };
  },
};

const identity: Operator = {
  make:
    () =>
    ([x]) =>
      x!,
};

export const shapes: Readonly<Record<string, Operator>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Slice: slice,
  Concat: concat,
  Split: split,
  Expand: expand,
  Tile: tile,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterNd,
  Pad: pad,
  Cast: {
    make(node) {
      node.int('saturate', 1);
      node.string('round_mode', '');
      const to = node.type('to', 1);
      return ([x]) => castTo(x!, to);
    },
  },
  CastLike: {
    make(node) {
      node.int('saturate', 1);
      node.string('round_mode', '');
      return ([x, like]) => castTo(x!, like!.type);
    },
  },
  Shape: shapeOf,
  Size: {
    readsShape: true,
    make:
      () =>
      ([x]) =>
        int64([x!.size], []),
  },
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  NonZero: nonZero,
  OneHot: oneHot,
  Compress: compress,
  DepthToSpace: spaceDepth(false),
  SpaceToDepth: spaceDepth(true),
  Trilu: triangle,
  ReverseSequence: reverseSequence,
  Identity: identity,
  EyeLike: {
    make(node) {
      const [k, type] = [node.int('k', 0), node.has('dtype') ? node.type('dtype', 1) : undefined];
      return ([x]) => {
        const [, columns] = x!.shape as [number, number];
        const data = hostArray(type ?? x!.type, x!.size);
        for (let i = 0; i < data.length; i++) data[i] = (i % columns) - Math.floor(i / columns) === k ? 1 : 0;
        return Value.ofHost(type ?? x!.type, x!.shape, data);
      };
    },
  },
};
