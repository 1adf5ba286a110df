// Convolutions, normalization and attention. They hold channels last, ONNX wants them after the batch.
import type { LayerConfig } from '../../io/model-file.ts';
import type { Attribute } from '../format/attributes.ts';
import type { Wire } from './graph-builder.ts';
import { candidate, isSame } from './infer.ts';
import { isTrue } from './nodes.ts';
import type { OpExporter, Pair, Writer, WrittenOp } from './writer.ts';

/** Options of a layer as its caller gave them. */
export type Options = Readonly<Record<string, unknown>>;

export const optionsOf = (layer: { config(): LayerConfig } | undefined): Options => (layer?.config() ?? {}) as Options;

/** A list of `rank` numbers; one number stands for all. */
export const listOf = (given: unknown, rank: number, otherwise: number): number[] => {
  const list = given === undefined ? [otherwise] : [given].flat();
  return (list.length === rank ? list : Array(rank).fill(list[0])) as number[];
};

/** Runs `body` on `x` with its last axis behind the batch, and moves the axis back. */
export function channelsFirst(writer: Writer, x: Wire, rank: number, body: (x: Wire) => Wire): Wire {
  const axes = [...Array(rank).keys()];
  const there = [0, rank - 1, ...axes.slice(1, -1)];
  const back = [0, ...axes.slice(2), 1];
  return writer.graph.transpose(body(writer.graph.transpose(x, there)), back);
}

/** The weights of a convolution `[…taps, I/G, O]` as `[O, I/G, …taps]`. */
const outputsFirst = (rank: number): number[] => [rank + 1, rank, ...Array(rank).keys()];

/** Windows of a convolution or a pooling as attributes. */
export function windows(
  padding: unknown,
  { taps, strides, dilations }: { taps: readonly number[]; strides: readonly number[]; dilations: readonly number[] },
): Record<string, Attribute> {
  const missing = taps.map((n, i) => (n - 1) * dilations[i]!);
  const attributes: Record<string, Attribute> = { kernel_shape: taps, strides };
  if (dilations.some((n) => n !== 1)) attributes.dilations = dilations;
  if (padding === 'causal') attributes.pads = [...missing, ...missing.map(() => 0)];
  else if (padding === 'same' && strides.every((n) => n === 1)) {
    const before = missing.map((n) => Math.floor(n / 2));
    attributes.pads = [...before, ...missing.map((n, i) => n - before[i]!)];
  } else if (padding === 'same') attributes.auto_pad = 'SAME_UPPER';
  return attributes;
}

/** A convolution of x `[B, …, I]` with a kernel `[…taps, I/G, O]`. */
export function convolution(
  writer: Writer,
  x: Pair | Wire,
  [kernel, bias]: readonly [Pair, Pair | undefined],
  options: Options,
): Wire {
  const rank = kernel[0].shape.length - 2;
  const taps = kernel[0].shape.slice(0, rank);
  const strides = listOf(options.strides, rank, 1);
  const dilations = listOf(options.dilationRate, rank, 1);
  const group = Number(options.groups ?? 1);
  const attributes = { ...windows(options.padding, { taps, strides, dilations }), ...(group > 1 && { group }) };
  const inputs = [writer.weight(kernel, outputsFirst(rank)), ...(bias ? [writer.wire(bias)] : [])];
  const wire = typeof x === 'string' ? x : writer.wire(x);
  return channelsFirst(writer, wire, rank + 2, (y) => writer.one('Conv', [y, ...inputs], attributes));
}

const convolve: OpExporter = (writer, { x: [x, kernel, bias], options }) =>
  convolution(writer, x!, [kernel!, bias], options);

const depthwise: OpExporter = (writer, { x: [x, kernel, bias], options }) => {
  const [rows, cols, inputs, multiplier] = kernel![0].shape as [number, number, number, number];
  const [strides, dilations] = [listOf(options.strides, 2, 1), listOf(options.dilationRate, 2, 1)];
  const attributes = {
    ...windows(options.padding, { taps: [rows, cols], strides, dilations }),
    group: inputs,
  };
  const weight = writer.one('Reshape', [
    writer.weight(kernel!, [2, 3, 0, 1]),
    writer.graph.ints([inputs * multiplier, 1, rows, cols]),
  ]);
  const operands = [weight, ...(bias ? [writer.wire(bias)] : [])];
  return channelsFirst(writer, writer.wire(x!), 4, (y) => writer.one('Conv', [y, ...operands], attributes));
};

const convolveTransposed: OpExporter = (writer, { x: [x, kernel, bias], y: [y], options }) => {
  const taps = kernel![0].shape.slice(0, 2);
  const [strides, dilations] = [listOf(options.strides, 2, 1), listOf(options.dilationRate, 2, 1)];
  // What the windows cover and the output has not is cut at both ends; what is missing is added behind.
  const beyond = taps.map((n, i) => {
    const covered = (x![0].shape[i + 1]! - 1) * strides[i]! + (n - 1) * dilations[i]! + 1;
    return covered - y![0].shape[i + 1]!;
  });
  const before = beyond.map((n) => (options.padding === 'same' ? Math.floor(Math.max(n, 0) / 2) : 0));
  const attributes = {
    kernel_shape: taps,
    strides,
    dilations,
    pads: [...before, ...beyond.map((n, i) => Math.max(n, 0) - before[i]!)],
    output_padding: beyond.map((n) => Math.max(-n, 0)),
  };
  const operands = [writer.weight(kernel!, [3, 2, 0, 1]), ...(bias ? [writer.wire(bias)] : [])];
  return channelsFirst(writer, writer.wire(x!), 4, (each) =>
    writer.one('ConvTranspose', [each, ...operands], attributes),
  );
};

/** A vector of ones or zeros for a weight that the layer has not. */
const vectorOr = (writer: Writer, given: Pair | undefined, width: number, value: number): Wire =>
  given
    ? writer.wire(given)
    : writer.graph.floats(`${value === 0 ? 'zeros' : 'ones'}_${width}`, [width], () =>
        new Float32Array(width).fill(value),
      );

const layerNorm: OpExporter = (writer, call) => {
  const [x, gamma, beta] = call.x;
  const width = x![0].shape.at(-1)!;
  const epsilon = epsilonOf(call);
  if (epsilon === undefined) return undefined;
  const operands = [vectorOr(writer, gamma, width, 1), vectorOr(writer, beta, width, 0)];
  return writer.one('LayerNormalization', [writer.wire(x!), ...operands], { axis: -1, epsilon: { float: epsilon } });
};

/** What was added to the variance: that of the layer, or one of those in use. */
function epsilonOf({ x: [x, gamma, beta], y: [y], layer }: WrittenOp): number | undefined {
  const own = optionsOf(layer).epsilon;
  const usual = [1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12, 1e-4, 1e-2, 0];
  const [scale, shift] = [gamma?.[0].toArray(), beta?.[0].toArray()];
  return candidate(typeof own === 'number' ? [own, ...usual] : usual, x!, y!, (epsilon, from, to) => {
    const width = from.shape.at(-1)!;
    const data = Float64Array.from(from.data);
    for (let start = 0; start < data.length; start += width) {
      const row = data.subarray(start, start + width);
      const mean = row.reduce((sum, value) => sum + value, 0) / width;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      for (const [i, value] of row.entries()) {
        row[i] = ((value - mean) / Math.sqrt(variance + epsilon)) * (scale?.[i] ?? 1) + (shift?.[i] ?? 0);
      }
    }
    return isSame({ shape: from.shape, data }, to, 1e-5);
  });
}

const batchNorm: OpExporter = (writer, { x: [x, gamma, beta, mean, variance], layer }) => {
  const [rank, width] = [x![0].shape.length, x![0].shape.at(-1)!];
  const operands = [
    ...[vectorOr(writer, gamma, width, 1), vectorOr(writer, beta, width, 0)],
    ...[writer.wire(mean!), writer.wire(variance!)],
  ];
  const epsilon = { float: Number(optionsOf(layer).epsilon ?? 1e-3) };
  return channelsFirst(writer, writer.wire(x!), rank, (y) =>
    writer.one('BatchNormalization', [y, ...operands], { epsilon }),
  );
};

/** One step of attention: the context of a query `[B, D]` in a memory `[B, S, M]`, and the weights `[B, S]`. */
const attend: OpExporter = (writer, { x: [query, keys, memory, scale] }) => {
  const last = writer.graph.ints([-1]);
  const middle = writer.graph.ints([1]);
  const q = writer.one('Unsqueeze', [writer.wire(query!), scale ? middle : last]);
  const k = writer.wire(keys!);
  const scores = scale
    ? writer.one('Mul', [writer.one('Tanh', [writer.one('Add', [k, q])]), writer.wire(scale)])
    : writer.one('MatMul', [k, q]);
  const sums = scale ? writer.one('ReduceSum', [scores, last], { keepdims: 0 }) : writer.one('Squeeze', [scores, last]);
  const [mask, other] = memory!.map((each) => each.mask);
  const least = writer.graph.scalar(-3.4028234663852886e38);
  const seen = mask && other ? writer.one('Where', [isTrue(writer, writer.wire([mask, other])), sums, least]) : sums;
  const weights = writer.one('Softmax', [seen], { axis: -1 });
  const row = writer.one('MatMul', [writer.one('Unsqueeze', [weights, middle]), writer.wire(memory!)]);
  return [writer.one('Squeeze', [row, middle]), weights];
};

/** The ops by their names. */
export const layerOps: Readonly<Record<string, OpExporter>> = {
  conv1d: convolve,
  conv2d: convolve,
  depthwiseConv2d: depthwise,
  conv2dTranspose: convolveTransposed,
  layerNorm,
  batchNorm,
  context: attend,
};
