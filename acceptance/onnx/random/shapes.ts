// Draws nodes that move elements, and chains of shape arithmetic.
import { sizeOf } from './drawing.ts';
import { type Draw, isFloat, sized } from './elementwise.ts';

const drawTranspose: Draw = (d) => {
  const x = d.find(sized);
  if (!x) return false;
  const perm = [...x.dims.keys()].sort(() => d.uniform(-1, 1));
  const isReversed = d.chance(0.2);
  const order = isReversed ? [...x.dims.keys()].reverse() : perm;
  d.node('Transpose', [x.name], isReversed || order.length === 0 ? {} : { perm }, [
    { ...x, dims: order.map((axis) => x.dims[axis]!) },
  ]);
  return true;
};

/** Shape → Gather → Concat → Reshape: an axis of the input, and the rest. */
const drawShapeChain: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0);
  if (!x) return false;
  const axis = d.between(0, x.dims.length - 1);
  const [shape] = d.node('Shape', [x.name], {}, [undefined]);
  const [one] = d.node('Gather', [shape!, d.longs([axis])], { axis: 0 }, [undefined]);
  const [wanted] = d.node('Concat', [one!, d.longs([-1])], { axis: 0 }, [undefined]);
  d.node('Reshape', [x.name, wanted!], {}, [{ ...x, dims: [x.dims[axis]!, sizeOf(x.dims) / x.dims[axis]!] }]);
  return true;
};

const drawReshape: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0);
  if (!x) return false;
  if (d.chance(0.3)) {
    const axis = d.between(0, x.dims.length);
    const dims = [sizeOf(x.dims.slice(0, axis)), sizeOf(x.dims.slice(axis))];
    d.node('Flatten', [x.name], { axis }, [{ ...x, dims }]);
    return true;
  }
  // 0 keeps the first axis, and −1 takes the rest.
  d.node('Reshape', [x.name, d.longs([0, 1, -1])], {}, [{ ...x, dims: [x.dims[0]!, 1, sizeOf(x.dims.slice(1))] }]);
  return true;
};

const drawSqueeze: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length < 5);
  if (!x) return false;
  const ones = [...x.dims.keys()].filter((axis) => x.dims[axis] === 1);
  if (ones.length > 0 && d.chance(0.6)) {
    const all = d.chance(0.2);
    const axes = all ? ones : [d.pick(ones)];
    const dims = x.dims.filter((_, axis) => !axes.includes(axis));
    if (all) d.node('Squeeze', [x.name], {}, [{ ...x, dims }]);
    else if (d.opset < 13) d.node('Squeeze', [x.name], { axes }, [{ ...x, dims }]);
    else d.node('Squeeze', [x.name, d.longs([axes[0]! - (d.chance(0.5) ? x.dims.length : 0)])], {}, [{ ...x, dims }]);
    return true;
  }
  const axis = d.between(0, x.dims.length);
  const made = { ...x, dims: x.dims.toSpliced(axis, 0, 1) };
  if (d.opset < 13) d.node('Unsqueeze', [x.name], { axes: [axis] }, [made]);
  else d.node('Unsqueeze', [x.name, d.longs([axis - (d.chance(0.5) ? made.dims.length : 0)])], {}, [made]);
  return true;
};

const drawSlice: Draw = (d) => {
  const x = d.find((each) => each.dims.length > 0 && sizeOf(each.dims) > 0);
  if (!x) return false;
  const axis = d.between(0, x.dims.length - 1);
  const n = x.dims[axis]!;
  const isBack = d.opset >= 10 && d.chance(0.3);
  const step = isBack ? -d.between(1, 2) : d.opset >= 10 ? d.between(1, 2) : 1;
  const [from, to] = isBack ? [d.between(0, n - 1), -n - 1] : [d.between(0, n - 1), d.pick([n, n + 5, 2 ** 31])];
  const count = isBack ? Math.floor(from / -step) + 1 : Math.ceil((n - from) / step);
  const made = { ...x, dims: x.dims.with(axis, count) };
  const start = d.chance(0.4) ? from - n : from;
  if (d.opset < 10) d.node('Slice', [x.name], { starts: [start], ends: [to], axes: [axis] }, [made]);
  else d.node('Slice', [x.name, d.longs([start]), d.longs([to]), d.longs([axis]), d.longs([step])], {}, [made]);
  return true;
};

const drawConcat: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0);
  if (!x) return false;
  const axis = d.between(0, x.dims.length - 1);
  const y = d.find(
    (each) =>
      each.type === x.type &&
      each.dims.length === x.dims.length &&
      each.dims.every((n, i) => i === axis || n === x.dims[i]),
  )!;
  const length = x.dims[axis]! + y.dims[axis]!;
  const range = { low: Math.min(x.low, y.low), high: Math.max(x.high, y.high), isExact: x.isExact && y.isExact };
  const named = d.opset >= 11 && d.chance(0.3) ? axis - x.dims.length : axis;
  d.node('Concat', [x.name, y.name], { axis: named }, [{ ...x, ...range, dims: x.dims.with(axis, length) }]);
  return true;
};

const drawSplit: Draw = (d) => {
  const axis = d.between(0, 2);
  const x = d.find((each) => sized(each) && (each.dims[axis] ?? 0) > 1);
  if (!x) return false;
  const n = x.dims[axis]!;
  const first = d.between(1, n - 1);
  const made = (parts: readonly number[]) => parts.map((length) => ({ ...x, dims: x.dims.with(axis, length) }));
  if (d.opset >= 18 && d.chance(0.4)) {
    const each = Math.ceil(n / 2);
    d.node('Split', [x.name], { axis, num_outputs: 2 }, made([each, n - each]));
  } else if (n % 2 === 0 && d.opset < 18 && d.chance(0.3)) d.node('Split', [x.name], { axis }, made([n / 2, n / 2]));
  else if (d.opset < 13) d.node('Split', [x.name], { axis, split: [first, n - first] }, made([first, n - first]));
  else d.node('Split', [x.name, d.longs([first, n - first])], { axis }, made([first, n - first]));
  return true;
};

const drawExpand: Draw = (d) => {
  const x = d.find((each) => sized(each) && sizeOf(each.dims) < 400);
  if (!x) return false;
  if (d.chance(0.5)) {
    const repeats = x.dims.map(() => d.between(1, 2));
    if (x.dims.length === 0) return false;
    d.node('Tile', [x.name, d.longs(repeats)], {}, [{ ...x, dims: x.dims.map((n, i) => n * repeats[i]!) }]);
    return true;
  }
  if (d.opset < 8) return false;
  const dims = x.dims.map((n) => (n === 1 ? d.between(1, 3) : n));
  const wanted = dims.map((n) => (d.chance(0.3) && x.dims.length > 0 && n !== 1 ? n : n));
  const whole = d.chance(0.4) ? [2, ...wanted] : wanted;
  d.node('Expand', [x.name, d.longs(whole)], {}, [{ ...x, dims: whole }]);
  return true;
};

const drawPad: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0 && sizeOf(each.dims) < 600);
  if (!x) return false;
  const mode = d.pick(['constant', 'reflect', 'edge', ...(d.opset >= 19 ? ['wrap'] : [])]);
  const widths = [...x.dims, ...x.dims].map((n) =>
    mode === 'reflect' || mode === 'wrap' ? d.between(0, Math.max(Math.min(n - 1, 2), 0)) : d.between(0, 2),
  );
  if (mode === 'constant' && x.dims.some((n) => n > 2) && d.chance(0.2)) widths[x.dims.findIndex((n) => n > 2)] = -1;
  const rank = x.dims.length;
  const dims = x.dims.map((n, i) => n + widths[i]! + widths[i + rank]!);
  const filler = d.uniform(-1, 1);
  const hasFiller = mode === 'constant' && d.chance(0.6);
  const low = mode === 'constant' ? Math.min(x.low, hasFiller ? filler : 0) : x.low;
  const made = { ...x, dims, low, high: Math.max(x.high, hasFiller ? filler : 0) };
  if (d.opset < 11) d.node('Pad', [x.name], { mode, pads: widths, value: hasFiller ? filler : undefined }, [made]);
  else {
    const value = hasFiller ? [d.held({ dims: [], data: Float32Array.of(filler) })] : [];
    d.node('Pad', [x.name, d.longs(widths), ...value], { mode }, [made]);
  }
  return true;
};

const drawGather: Draw = (d) => {
  const x = d.find((each) => each.dims.length > 0 && sizeOf(each.dims) > 0);
  if (!x) return false;
  const axis = d.between(0, x.dims.length - 1);
  const n = x.dims[axis]!;
  const id = (): number => (d.opset >= 11 ? d.between(-n, n - 1) : d.between(0, n - 1));
  if (d.opset >= 11 && d.chance(0.3)) {
    const dims = x.dims.with(axis, d.between(1, 3));
    const ids = d.longs(Array.from({ length: sizeOf(dims) }, id), dims);
    d.node('GatherElements', [x.name, ids], { axis }, [{ ...x, dims }]);
    return true;
  }
  if (d.opset >= 11 && d.chance(0.3)) {
    const depth = d.between(1, x.dims.length);
    const count = d.between(1, 3);
    const list = Array.from({ length: count * depth }, (_, i) => d.between(0, x.dims[i % depth]! - 1));
    d.node('GatherND', [x.name, d.longs(list, [count, depth])], {}, [{ ...x, dims: [count, ...x.dims.slice(depth)] }]);
    return true;
  }
  const shape = d.pick([[], [2], [2, 2]]);
  const ids = d.longs(Array.from({ length: sizeOf(shape) }, id), shape);
  d.node('Gather', [x.name, ids], { axis }, [
    { ...x, dims: [...x.dims.slice(0, axis), ...shape, ...x.dims.slice(axis + 1)] },
  ]);
  return true;
};

const drawScatter: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0);
  if (!x || d.opset < 11) return false;
  const reduction =
    d.opset >= 18
      ? d.pick(['none', 'add', 'mul', 'max', 'min'])
      : d.opset >= 16
        ? d.pick(['none', 'add', 'mul'])
        : 'none';
  const attributes = { reduction: reduction === 'none' ? undefined : reduction };
  const bound = 8 * Math.max(Math.abs(x.low), Math.abs(x.high), 1);
  const made = { ...x, low: -bound, high: bound, isExact: false };
  if (d.chance(0.5)) {
    const n = x.dims[0]!;
    const ids = reduction === 'none' ? [d.between(0, n - 1)] : [d.between(0, n - 1), d.between(0, n - 1)];
    const updates = d.held(d.floats([ids.length, ...x.dims.slice(1)], -1, 1));
    d.node('ScatterND', [x.name, d.longs(ids, [ids.length, 1]), updates], attributes, [made]);
    return true;
  }
  const axis = d.between(0, x.dims.length - 1);
  const dims = x.dims.with(axis, 1);
  const ids = d.longs(
    Array.from({ length: sizeOf(dims) }, () => d.between(-x.dims[axis]!, x.dims[axis]! - 1)),
    dims,
  );
  d.node('ScatterElements', [x.name, ids, d.held(d.floats(dims, -1, 1))], { ...attributes, axis }, [made]);
  return true;
};

const drawTriangle: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length >= 2);
  if (!x || d.opset < 14) return false;
  const made = { ...x, low: Math.min(x.low, 0), high: Math.max(x.high, 0) };
  d.node('Trilu', [x.name, d.longs([d.between(-1, 2)], [])], { upper: d.between(0, 1) }, [made]);
  return true;
};

const drawOneHot: Draw = (d) => {
  if (d.opset < 9) return false;
  const [count, depth] = [d.between(1, 4), d.between(2, 5)];
  const ids = d.longs(Array.from({ length: count }, () => d.between(-depth, depth - 1)));
  const [off, on] = [d.uniform(-1, 0), d.uniform(0, 1)];
  const values = d.held({ dims: [2], data: Float32Array.of(off, on) });
  const axis = d.pick([-1, 0]);
  d.node('OneHot', [ids, d.longs([depth]), values], { axis }, [
    { dims: axis === 0 ? [depth, count] : [count, depth], type: 'float32', low: off, high: on, isExact: true },
  ]);
  return true;
};

const drawRange: Draw = (d) => {
  const x = d.find((each) => each.dims.length > 0 && sizeOf(each.dims) > 0 && isFloat(each));
  if (!x || d.opset < 11) return false;
  // As long as an axis of another value is.
  const axis = d.between(0, x.dims.length - 1);
  const [shape] = d.node('Shape', [x.name], {}, [undefined]);
  const [n] = d.node('Gather', [shape!, d.longs([axis], [])], { axis: 0 }, [undefined]);
  d.node('Range', [d.longs([0], []), n!, d.longs([1], [])], {}, [
    { dims: [x.dims[axis]!], type: 'int64', low: 0, high: x.dims[axis]!, isExact: true },
  ]);
  return true;
};

const drawReverse: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length >= 2);
  if (!x || d.opset < 10) return false;
  const lengths = d.longs(Array.from({ length: x.dims[1]! }, () => d.between(1, x.dims[0]!)));
  d.node('ReverseSequence', [x.name, lengths], { time_axis: 0, batch_axis: 1 }, [x]);
  return true;
};

const drawCompress: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0);
  if (!x || d.opset < 9) return false;
  const axis = d.between(0, x.dims.length - 1);
  const mask = Array.from({ length: x.dims[axis]! }, (_, i) => (i === 0 || d.chance(0.5) ? 1 : 0));
  const kept = mask.filter((n) => n === 1).length;
  const [condition] = d.node('Cast', [d.longs(mask)], { to: 9 }, [undefined]);
  d.node('Compress', [x.name, condition!], { axis }, [{ ...x, dims: x.dims.with(axis, kept) }]);
  return true;
};

const drawDropout: Draw = (d) => {
  const x = d.find(sized);
  if (!x) return false;
  d.node('Dropout', [x.name], d.opset < 12 ? { ratio: 0.3 } : {}, [x]);
  return true;
};

export const shapeDraws: readonly (readonly [weight: number, Draw])[] = [
  [2, drawTranspose],
  [1.5, drawShapeChain],
  [1.5, drawReshape],
  [1.5, drawSqueeze],
  [1.5, drawSlice],
  [1.5, drawConcat],
  [1, drawSplit],
  [1, drawExpand],
  [1, drawPad],
  [1.5, drawGather],
  [1, drawScatter],
  [0.5, drawTriangle],
  [0.3, drawOneHot],
  [0.5, drawRange],
  [0.4, drawReverse],
  [0.4, drawCompress],
  [0.3, drawDropout],
];
