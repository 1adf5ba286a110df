// Operators that give elements another order or shape, and join or cut tensors.
import { ArgumentError } from '../../../checks/argument-error.ts';
import type { Shape } from '../../../checks/shape.ts';
import * as ops from '../../../ops/index.ts';
import type { NodeView, Operator } from '../../graph/node.ts';
import { sizeOf } from '../../graph/room.ts';
import { Value } from '../../graph/value.ts';
import { axisOf, broadcastShape, eachPlace, rowMajor } from '../broadcast.ts';
import { picked } from '../mapped.ts';
import { joinHost, keptPlaces, pick, pickHost, placesOf } from './places.ts';

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
      sizeOf(axes.map(() => 1));
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
      if (count !== node.outputs.length)
        throw new ArgumentError(`num_outputs expected ${node.outputs.length}, got ${count}`);
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

const pad: Operator = {
  shapeFrom: [1, 3],
  make(node) {
    const mode = node.choice('mode', ['constant', 'reflect', 'edge', 'wrap'], 'constant');
    const [fixed, old] = [node.ints('pads') ?? node.ints('paddings'), node.float('value', 0)];
    const kept = keptPlaces();
    return ([x, pads, value, axes]) => {
      const { shape } = x!;
      const given = fixed ?? [...pads!.numbers];
      const which = axes ? [...axes.numbers].map((axis) => axisOf(axis, shape.length)) : [...shape.keys()];
      const widths = shape.map((_, axis) => {
        const i = which.indexOf(axis);
        return i < 0 ? ([0, 0] as const) : ([given[i]!, given[i + which.length]!] as const);
      });
      const made = shape.map((n, axis) => n + widths[axis]![0] + widths[axis]![1]);
      sizeOf(made);
      const filler = value && value.size > 0 && value.type !== 'string' ? value.item : old;
      const isGrowing = widths.flat().every((n) => n >= 0);
      if (mode === 'constant' && isGrowing && !x!.isHost && !value?.isTracked)
        return Value.ofTensor(ops.pad(x!.tensor, widths, filler), x!.type);
      const places = kept(`${shape} ${widths}`, () => paddedPlaces(shape, made, widths, mode));
      if (!value?.isTracked) return pick(x!, places, made, filler);
      // The filler stands behind the elements, as one of them.
      const all = ops.concatenate([ops.reshape(x!.tensor, [x!.size]), ops.reshape(value.tensor, [1])], 0);
      return Value.ofTensor(
        picked(
          all,
          places.map((place) => (place < 0 ? x!.size : place)),
          made,
        ),
        x!.type,
      );
    };
  },
};

type Mode = 'constant' | 'reflect' | 'edge' | 'wrap';

/** The places of the elements of a padded array; −1 for the filler. */
function paddedPlaces(
  shape: Shape,
  made: Shape,
  widths: readonly (readonly [number, number])[],
  mode: Mode,
): Int32Array {
  const maps = shape.map((n, axis) =>
    Array.from({ length: made[axis]! }, (_, i) => sourceIndex(i - widths[axis]![0], n, mode)),
  );
  const [steps, whole] = [rowMajor(shape), rowMajor(made)];
  return Int32Array.from({ length: sizeOf(made) }, (_, at) => {
    let place = 0;
    for (let axis = 0; axis < made.length; axis++) {
      const index = maps[axis]![Math.floor(at / whole[axis]!) % made[axis]!]!;
      if (index < 0) return -1;
      place += index * steps[axis]!;
    }
    return place;
  });
}

/** The index that a padded place shows; −1 for the filler. */
function sourceIndex(i: number, length: number, mode: Mode): number {
  if (i >= 0 && i < length) return i;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return Math.min(Math.max(i, 0), length - 1);
  if (mode === 'wrap') return ((i % length) + length) % length;
  const period = Math.max(2 * (length - 1), 1);
  const at = ((i % period) + period) % period;
  return at < length ? at : period - at;
}

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

export const layout: Readonly<Record<string, Operator>> = {
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
  Pad: pad,
  DepthToSpace: spaceDepth(false),
  SpaceToDepth: spaceDepth(true),
  Trilu: triangle,
  ReverseSequence: reverseSequence,
  Identity: identity,
};
