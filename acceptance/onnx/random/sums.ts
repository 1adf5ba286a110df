// Draws nodes that sum: reductions, products, windows, normalizations, resizing and quantized numbers.
import { type Drawn, sizeOf } from './drawing.ts';
import { type Draw, largest, sized } from './elementwise.ts';

const floatOf = (dims: readonly number[], bound: number): Omit<Drawn, 'name'> => ({
  dims,
  type: 'float32',
  low: -bound,
  high: bound,
  isExact: false,
});

/** Operators, with the bound of their result for n elements of a size, and since when axes are an input. */
const reductions: Readonly<Record<string, (n: number, size: number) => number>> = {
  ReduceSum: (n, size) => n * size,
  ReduceMean: (_, size) => size,
  ReduceMax: (_, size) => size,
  ReduceMin: (_, size) => size,
  ReduceL1: (n, size) => n * size,
  ReduceL2: (n, size) => Math.sqrt(n) * size,
  ReduceSumSquare: (n, size) => n * size ** 2,
  ReduceProd: (n, size) => Math.max(size, 1) ** n,
  ReduceLogSum: (n, size) => Math.log(n * size) + 4,
  ReduceLogSumExp: (n, size) => Math.log(n) + size,
};

const drawReduction: Draw = (d) => {
  const [op, bound] = d.pick(Object.entries(reductions));
  const x = d.find((each) => sized(each) && each.dims.length > 0 && (op !== 'ReduceLogSum' || each.low >= 0.05));
  if (!x) return false;
  const all = d.chance(0.2);
  const axes = all ? [...x.dims.keys()] : [...x.dims.keys()].filter(() => d.chance(0.5));
  if (axes.length === 0) axes.push(x.dims.length - 1);
  const count = sizeOf(axes.map((axis) => x.dims[axis]!));
  const size = bound(count, largest(x));
  if (size > 1000) return false;
  const keeps = d.chance(0.6);
  const dims = x.dims.flatMap((n, axis) => (!axes.includes(axis) ? [n] : keeps ? [1] : []));
  const isNegative = d.opset >= 11 && d.chance(0.4);
  const named = axes.map((axis) => (isNegative ? axis - x.dims.length : axis));
  const isInput = d.opset >= (op === 'ReduceSum' ? 13 : 18);
  const keepdims = keeps && d.chance(0.5) ? undefined : Number(keeps);
  const made = { ...floatOf(dims, size), isExact: x.isExact && (op === 'ReduceMax' || op === 'ReduceMin') };
  const isBare = all && d.chance(0.5);
  if (isInput && !isBare) d.node(op, [x.name, d.longs(named)], { keepdims }, [made]);
  else d.node(op, [x.name], { keepdims, axes: isBare ? undefined : named }, [made]);
  return true;
};

const drawArgument: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0 && each.isExact);
  if (!x) return false;
  const axis = d.between(0, x.dims.length - 1);
  const keepdims = d.between(0, 1);
  const dims = keepdims ? x.dims.with(axis, 1) : x.dims.toSpliced(axis, 1);
  const last = d.opset >= 12 ? d.between(0, 1) : undefined;
  d.node(d.pick(['ArgMax', 'ArgMin']), [x.name], { axis, keepdims, select_last_index: last }, [
    { dims, type: 'int64', low: 0, high: x.dims[axis]!, isExact: true },
  ]);
  return true;
};

const drawTopK: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0 && each.isExact);
  if (!x) return false;
  const axis = d.between(0, x.dims.length - 1);
  const k = d.between(1, x.dims[axis]!);
  const dims = x.dims.with(axis, k);
  const made = [{ ...x, dims }, { dims, type: 'int64', low: 0, high: x.dims[axis]!, isExact: true } as const];
  if (d.opset < 10) d.node('TopK', [x.name], { axis, k }, made);
  else d.node('TopK', [x.name, d.longs([k])], { axis, largest: d.opset >= 11 ? d.between(0, 1) : undefined }, made);
  return true;
};

const drawCumSum: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length > 0);
  if (!x || d.opset < 11) return false;
  const axis = d.between(0, x.dims.length - 1);
  const bound = largest(x) * x.dims[axis]!;
  if (bound > 500) return false;
  const options = { exclusive: d.between(0, 1), reverse: d.between(0, 1) };
  d.node('CumSum', [x.name, d.longs([axis], [])], options, [floatOf(x.dims, bound)]);
  return true;
};

const drawSoftmax: Draw = (d) => {
  const op = d.pick(['Softmax', 'LogSoftmax', 'Hardmax']);
  const x = d.find((each) => sized(each) && each.dims.length > 0 && (op !== 'Hardmax' || each.isExact));
  if (!x || (op === 'Hardmax' && d.opset < 13)) return false;
  const axis = d.chance(0.3) ? undefined : d.between(0, x.dims.length - 1);
  if (axis === undefined && d.opset < 13 && x.dims.length < 2) return false;
  const made = op === 'LogSoftmax' ? floatOf(x.dims, 2 * largest(x) + 8) : { ...floatOf(x.dims, 1), low: 0 };
  d.node(op, [x.name], { axis }, [{ ...made, isExact: op === 'Hardmax' }]);
  return true;
};

const drawProduct: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length >= 1 && each.dims.length <= 4);
  if (!x) return false;
  const [k, n] = [x.dims.at(-1)!, d.between(1, 5)];
  const bound = largest(x);
  const weight = (dims: readonly number[]): string => d.held(d.floats(dims, -1 / k, 1 / k));
  if (x.dims.length === 2 && d.chance(0.4)) {
    const isTurned = d.chance(0.5);
    const c = d.chance(0.6) ? [d.held(d.floats(d.pick([[n], [1], [x.dims[0]!, 1]]), -1, 1))] : [];
    if (c.length === 0 && d.opset < 11) return false;
    const options = { transB: Number(isTurned), alpha: d.uniform(0.5, 1.5), beta: d.uniform(0.5, 1.5) };
    d.node('Gemm', [x.name, weight(isTurned ? [n, k] : [k, n]), ...c], options, [
      floatOf([x.dims[0]!, n], 1.5 * bound + 1.5),
    ]);
    return true;
  }
  if (x.dims.length === 3 && d.opset >= 12 && d.chance(0.5)) {
    const [b, t] = x.dims as [number, number, number];
    const [equation, dims, shape] = d.pick([
      ['btk,kn->btn', [k, n], [b, t, n]],
      ['btk,bkn->bnt', [b, k, n], [b, n, t]],
      ['...k,kn->...n', [k, n], [b, t, n]],
      ['btk,btk->bt', [b, t, k], [b, t]],
    ] as const);
    d.node('Einsum', [x.name, weight(dims)], { equation }, [floatOf(shape, bound)]);
    return true;
  }
  const kind = d.pick(['matrix', 'vector', 'batch']);
  if (kind === 'vector') d.node('MatMul', [x.name, weight([k])], {}, [floatOf(x.dims.slice(0, -1), bound)]);
  else if (kind === 'batch' && x.dims.length >= 2) {
    const leading = x.dims.slice(0, -2).map((m) => (d.chance(0.4) ? 1 : m));
    d.node('MatMul', [x.name, weight([...leading, k, n])], {}, [floatOf([...x.dims.slice(0, -1), n], bound)]);
  } else d.node('MatMul', [x.name, weight([k, n])], {}, [floatOf([...x.dims.slice(0, -1), n], bound)]);
  return true;
};

const isImage = (x: Drawn): boolean => sized(x) && x.dims.length >= 3 && x.dims.length <= 4 && sizeOf(x.dims) <= 1200;

const drawConv: Draw = (d) => {
  const x = d.find(isImage);
  if (!x) return false;
  const [batch, channels, ...lengths] = x.dims as [number, number, ...number[]];
  const groups = d.chance(0.4) ? d.pick([1, 2, 3, channels].filter((g) => channels % g === 0)) : 1;
  const kernel = lengths.map((n) => d.between(1, Math.min(n, 3)));
  const strides = lengths.map(() => d.between(1, 2));
  const isTransposed = d.chance(0.35);
  const perGroup = d.between(1, 3);
  const outputs = perGroup * groups;
  const reads = (channels / groups) * sizeOf(kernel);
  const dims = isTransposed ? [channels, perGroup, ...kernel] : [outputs, channels / groups, ...kernel];
  const names = [x.name, d.held(d.floats(dims, -1 / reads, 1 / reads))];
  if (d.chance(0.5)) names.push(d.held(d.floats([outputs], -1, 1)));
  const shared = { group: groups, strides, kernel_shape: d.chance(0.5) ? kernel : undefined };
  const bound = largest(x) * (isTransposed ? sizeOf(kernel) : 1) + 1;
  if (isTransposed) {
    const dilations = lengths.map(() => d.between(1, 2));
    const padding = strides.map((stride) => (d.chance(0.3) ? stride - 1 : 0));
    const pads = [...lengths, ...lengths].map((_, i) => d.between(0, Math.min(1, kernel[i % kernel.length]! - 1)));
    const shape = lengths.map(
      (n, i) =>
        (n - 1) * strides[i]! +
        (kernel[i]! - 1) * dilations[i]! +
        1 +
        padding[i]! -
        pads[i]! -
        pads[i + lengths.length]!,
    );
    if (shape.some((n) => n < 1)) return false;
    const options = { ...shared, dilations, pads, output_padding: padding };
    d.node('ConvTranspose', names, options, [floatOf([batch, outputs, ...shape], bound)]);
    return true;
  }
  const auto = d.chance(0.3) ? d.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']) : undefined;
  const dilations = lengths.map((n, i) => (auto === undefined && (kernel[i]! - 1) * 2 < n ? d.between(1, 2) : 1));
  const pads = auto ? undefined : [...lengths, ...lengths].map(() => d.between(0, 2));
  const shape = lengths.map((n, i) => {
    const span = (kernel[i]! - 1) * dilations[i]! + 1;
    if (auto?.startsWith('SAME')) return Math.ceil(n / strides[i]!);
    return Math.floor((n + (pads ? pads[i]! + pads[i + lengths.length]! : 0) - span) / strides[i]!) + 1;
  });
  const options = { ...shared, dilations: auto ? undefined : dilations, pads, auto_pad: auto };
  d.node('Conv', names, options, [floatOf([batch, outputs, ...shape], bound)]);
  return true;
};

const drawPool: Draw = (d) => {
  const x = d.find(isImage);
  if (!x) return false;
  const [batch, channels, ...lengths] = x.dims as [number, number, ...number[]];
  const isMax = d.chance(0.5);
  if (d.chance(0.2)) {
    const op = isMax ? 'GlobalMaxPool' : 'GlobalAveragePool';
    d.node(op, [x.name], {}, [floatOf([batch, channels, ...lengths.map(() => 1)], largest(x))]);
    return true;
  }
  const kernel = lengths.map((n) => d.between(1, Math.min(n, 3)));
  const strides = lengths.map(() => d.between(1, 2));
  const pads = [...lengths, ...lengths].map((_, i) => d.between(0, kernel[i % kernel.length]! - 1));
  const ceil = d.opset >= 10 && d.chance(0.3) ? 1 : undefined;
  const dilations =
    d.opset >= (isMax ? 10 : 19) && d.chance(0.3)
      ? lengths.map((n, i) => ((kernel[i]! - 1) * 2 < n ? 2 : 1))
      : undefined;
  const shape = lengths.map((n, i) => {
    const span = (kernel[i]! - 1) * (dilations?.[i] ?? 1) + 1;
    const steps = (n + pads[i]! + pads[i + lengths.length]! - span) / strides[i]!;
    let count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if (ceil && (count - 1) * strides[i]! >= n + pads[i]!) count--;
    return count;
  });
  const options = { kernel_shape: kernel, strides, pads, ceil_mode: ceil, dilations };
  const made = floatOf([batch, channels, ...shape], largest(x));
  if (isMax) d.node('MaxPool', [x.name], options, [{ ...made, isExact: x.isExact }]);
  else d.node('AveragePool', [x.name], { ...options, count_include_pad: d.between(0, 1) }, [made]);
  return true;
};

const drawNormalization: Draw = (d) => {
  const x = d.find((each) => isImage(each) && largest(each) < 50);
  if (!x) return false;
  const channels = x.dims[1]!;
  const per = (low: number, high: number, n = channels): string => d.held(d.floats([n], low, high));
  const made = floatOf(x.dims, 4 * largest(x) + 4);
  const kind = d.pick(['Batch', 'Instance', 'Layer', 'Group', 'MeanVariance', 'Lp']);
  const epsilon = 0.1;
  if (kind === 'Batch') {
    const names = [x.name, per(0.5, 1.5), per(-1, 1), per(-1, 1), per(0.5, 1.5)];
    d.node('BatchNormalization', names, { epsilon, momentum: d.chance(0.5) ? 0.8 : undefined }, [made]);
  } else if (kind === 'Instance')
    d.node('InstanceNormalization', [x.name, per(0.5, 1.5), per(-1, 1)], { epsilon }, [made]);
  else if (kind === 'Layer' && d.opset >= 17) {
    const axis = d.between(1, x.dims.length - 1);
    const own = (low: number, high: number): string => d.held(d.floats(x.dims.slice(axis), low, high));
    d.node('LayerNormalization', [x.name, own(0.5, 1.5), own(-1, 1)], { axis, epsilon }, [made]);
  } else if (kind === 'Group' && d.opset >= 18) {
    const groups = d.pick([1, 2, channels].filter((g) => channels % g === 0));
    const n = d.opset < 21 ? groups : channels;
    d.node('GroupNormalization', [x.name, per(0.5, 1.5, n), per(-1, 1, n)], { num_groups: groups, epsilon }, [made]);
  } else if (kind === 'Lp' && x.low >= 0.1)
    d.node('LpNormalization', [x.name], { axis: 1, p: d.between(1, 2) }, [made]);
  else return false;
  return true;
};

const drawResize: Draw = (d) => {
  const x = d.find((each) => isImage(each) && each.dims.length === 4 && sizeOf(each.dims) < 300);
  if (!x || d.opset < 9) return false;
  const scales = [1, 1, ...x.dims.slice(2).map(() => d.pick([1, 2, 1.5, 0.5]))];
  const dims = x.dims.map((n, i) => Math.floor(n * scales[i]!));
  if (sizeOf(dims) === 0) return false;
  const factor = d.held({ dims: [4], data: Float32Array.from(scales) });
  const made = { ...floatOf(dims, 2 * largest(x)), isExact: false };
  const mode = d.pick(['nearest', 'linear', ...(d.opset >= 11 ? ['cubic'] : [])]);
  if (d.opset < 11) {
    if (scales.some((scale) => scale < 1) && d.opset < 10) return false;
    d.node(d.opset < 10 ? 'Upsample' : 'Resize', [x.name, factor], { mode }, [made]);
    return true;
  }
  const options = {
    mode,
    // Where a length is rounded, ONNX Runtime aligns the corners of the rounded one, ONNX those of the other.
    coordinate_transformation_mode: d.pick([
      ...['half_pixel', 'asymmetric', 'pytorch_half_pixel'],
      ...(scales.every((scale, i) => Number.isInteger(scale * x.dims[i]!)) ? ['align_corners'] : []),
    ]),
    nearest_mode: mode === 'nearest' ? d.pick(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']) : undefined,
  };
  // Operator sets 11 and 12 want every input.
  const none = d.opset < 13 ? d.held({ dims: [0], data: new Float32Array(0) }) : '';
  if (d.chance(0.5)) d.node('Resize', [x.name, none, factor], options, [made]);
  else d.node('Resize', [x.name, none, none, d.longs(dims)], options, [made]);
  return true;
};

const drawBlocks: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.dims.length === 4);
  if (!x) return false;
  const [n, c, h, w] = x.dims as [number, number, number, number];
  if (c % 4 === 0) {
    const mode = d.opset >= 11 ? d.pick(['DCR', 'CRD']) : undefined;
    d.node('DepthToSpace', [x.name], { blocksize: 2, mode }, [{ ...x, dims: [n, c / 4, h * 2, w * 2] }]);
  } else if (h % 2 === 0 && w % 2 === 0)
    d.node('SpaceToDepth', [x.name], { blocksize: 2 }, [{ ...x, dims: [n, c * 4, h / 2, w / 2] }]);
  else return false;
  return true;
};

const drawQuantized: Draw = (d) => {
  const x = d.find((each) => sized(each) && each.isExact && each.dims.length > 0);
  if (!x || d.opset < 10) return false;
  const [scale, zero] = [d.uniform(0.005, 0.03), d.between(100, 150)];
  const names = [d.held({ dims: [], data: Float32Array.of(scale) }), d.held({ dims: [], data: Uint8Array.of(zero) })];
  const [q] = d.node('QuantizeLinear', [x.name, ...names], {}, [
    { ...x, type: 'uint8', low: 0, high: 255, isExact: true },
  ]);
  if (x.dims.length >= 2 && d.chance(0.4)) {
    const n = d.between(1, 4);
    // Kernels of ONNX Runtime saturate sums of two larger products on processors without VNNI.
    const w = d.held({
      dims: [x.dims.at(-1)!, n],
      data: Int8Array.from({ length: x.dims.at(-1)! * n }, () => d.between(-64, 63)),
    });
    const bound = 255 * 127 * x.dims.at(-1)!;
    d.node('MatMulInteger', [q!, w, names[1]!], {}, [
      { dims: [...x.dims.slice(0, -1), n], type: 'int32', low: -bound, high: bound, isExact: true },
    ]);
  } else d.node('DequantizeLinear', [q!, ...names], {}, [{ ...x, low: -zero * scale, high: (255 - zero) * scale }]);
  return true;
};

export const sumDraws: readonly (readonly [weight: number, Draw])[] = [
  [3, drawReduction],
  [0.7, drawArgument],
  [0.7, drawTopK],
  [0.7, drawCumSum],
  [1.5, drawSoftmax],
  [3, drawProduct],
  [4, drawConv],
  [2.5, drawPool],
  [2.5, drawNormalization],
  [1.5, drawResize],
  [1, drawBlocks],
  [1, drawQuantized],
];
