// Convolutions and pooling. A value `[N, C, …]` is computed with its channels last, and stays so in memory until an
// operator asks for another order.
import type { Weight } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { conv2d } from '../../images/convolution/conv2d.ts';
import { conv2dTranspose } from '../../images/convolution/conv2d-transpose.ts';
import { depthwiseConv2d } from '../../images/convolution/depthwise.ts';
import type { Axis } from '../../images/convolution/geometry.ts';
import { pool2d } from '../../images/pool.ts';
import * as ops from '../../ops/index.ts';
import { DerivedWeights } from '../graph/derived.ts';
import type { NodeView, Operator } from '../graph/node.ts';
import { sizeOf, spend } from '../graph/room.ts';
import { int64, Value } from '../graph/value.ts';
import { rowMajor } from './broadcast.ts';
import { picked } from './mapped.ts';

/** The windows of a node along its spatial axes. */
interface Windows {
  readonly kernel: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly autoPad: 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';
}

const windowsOf = (node: NodeView): Windows => ({
  kernel: node.ints('kernel_shape'),
  strides: node.ints('strides'),
  dilations: node.ints('dilations'),
  pads: node.ints('pads'),
  autoPad: node.choice('auto_pad', ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'], 'NOTSET'),
});

/** One spatial axis: its windows, and the zeros before and after the input. */
interface Span {
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/** The rows of a sequence as an image. */
const oneRowSpan: Span = { taps: 1, stride: 1, dilation: 1, before: 0, after: 0 };

function spansOf(windows: Windows, kernel: readonly number[], lengths: readonly number[]): Span[] {
  return kernel.map((taps, axis) => {
    const [stride, dilation] = [windows.strides?.[axis] ?? 1, windows.dilations?.[axis] ?? 1];
    const span = (taps - 1) * dilation + 1;
    let [before, after] = [windows.pads?.[axis] ?? 0, windows.pads?.[axis + kernel.length] ?? 0];
    if (windows.autoPad === 'VALID') [before, after] = [0, 0];
    else if (windows.autoPad !== 'NOTSET') {
      const zeros = Math.max((Math.ceil(lengths[axis]! / stride) - 1) * stride + span - lengths[axis]!, 0);
      const less = Math.floor(zeros / 2);
      [before, after] = windows.autoPad === 'SAME_UPPER' ? [less, zeros - less] : [zeros - less, less];
    }
    return { taps, stride, dilation, before, after };
  });
}

/** Images `[N, H, W, C]`: a sequence `[N, T, C]` is an image of one row. */
const asImages = (x: Tensor): Tensor =>
  x.shape.length === 3 ? ops.reshape(x, [x.shape[0]!, 1, ...x.shape.slice(1)]) : x;
const asInput = (y: Tensor, rank: number): Tensor =>
  rank === 1 ? ops.reshape(y, [y.shape[0]!, ...y.shape.slice(2)]) : y;

function padded(x: Tensor, spans: readonly Span[]): Tensor {
  if (spans.every(({ before, after }) => before === 0 && after === 0)) return x;
  return ops.pad(x, [[0, 0], ...spans.map(({ before, after }) => [before, after] as const), [0, 0]]);
}

function expectRank(rank: number): void {
  if (rank !== 1 && rank !== 2) throw new ArgumentError(`${rank} spatial axes expected to be 1 or 2`);
}

/** Multiplications of vectors that a convolution takes for `rows` rows of outputs. */
const workOf = (rows: number, outputs: readonly number[], reads: number): number =>
  (rows * sizeOf(outputs) * reads) / 32;

const outputsOf = (spans: readonly Span[], lengths: readonly number[]): number[] =>
  spans.map(({ taps, stride, dilation, before, after }, axis) =>
    Math.max(Math.floor((lengths[axis]! + before + after - (taps - 1) * dilation - 1) / stride) + 1, 0),
  );

const conv: Operator = {
  make(node) {
    const windows = windowsOf(node);
    const groups = node.int('group', 1);
    const derived = new DerivedWeights(node);
    return ([x, w, b]) => {
      const lengths = x!.shape.slice(2);
      const rank = lengths.length;
      const spans = spansOf(windows, w!.shape.slice(2), lengths);
      spend(workOf(x!.shape[0]! * w!.shape[0]!, outputsOf(spans, lengths), sizeOf(w!.shape.slice(1))));
      if (rank > 2) return convolveAny(x!, w!, b, spans, groups);
      const [channels, outputs] = [x!.shape[1]!, w!.shape[0]!];
      const isDepthwise = groups > 1 && groups === channels;
      // A window of one step is a row of a product.
      const isPointwise = groups === 1 && spans.every((span) => span.taps === 1 && span.stride === 1);
      // A sequence is an image of one row.
      const images = rank === 1 ? [oneRowSpan, ...spans] : spans;
      const taps = images.map((span) => span.taps);
      // [O, I/g, K…] becomes [KH, KW, I/g, O], or [KH, KW, I, multiplier] for one filter a channel.
      const [kernel] = derived.of([w!], ([t]) => {
        const spatial = w!.shape.slice(2).map((_, axis) => axis + 2);
        const turned = ops.transpose(t!, [...spatial, 1, 0]);
        const last = isDepthwise ? [channels, outputs / channels] : turned.shape.slice(-2);
        return [ops.reshape(turned, isPointwise ? last : [...taps, ...last])];
      }) as [Weight];
      const bias = b?.parameter ?? b?.tensor;
      const input = asImages(padded(x!.channelsLast, spans));
      if (isPointwise) {
        return Value.ofChannelsLast(asInput(ops.linear(input, kernel, bias), rank));
      }
      const pair = (of: 'stride' | 'dilation') => images.map((span) => span[of]) as unknown as [number, number];
      const options = { strides: pair('stride'), dilationRate: pair('dilation') };
      const y = isDepthwise
        ? depthwiseConv2d(input, kernel, bias, options)
        : conv2d(input, kernel, bias, { ...options, groups });
      return Value.ofChannelsLast(asInput(y, rank));
    };
  },
};

const convTranspose: Operator = {
  make(node) {
    const windows = windowsOf(node);
    const groups = node.int('group', 1);
    const [outputPadding, outputShape] = [node.ints('output_padding'), node.ints('output_shape')];
    const derived = new DerivedWeights(node);
    return ([x, w, b]) => {
      const lengths = x!.shape.slice(2);
      const rank = lengths.length;
      expectRank(rank);
      const kernelShape = w!.shape.slice(2);
      spend(workOf(x!.shape[0]!, lengths, sizeOf(w!.shape)));
      // [I, O/g, K…] becomes [KH, KW, O, I] of each group.
      const kernels = derived.of([w!], ([t]) => {
        const spatial = kernelShape.map((_, axis) => axis + 2);
        const turned = ops.transpose(t!, [...spatial, 1, 0]);
        const whole = rank === 1 ? ops.reshape(turned, [1, ...turned.shape]) : turned;
        return ops.split(whole, groups, 3);
      });
      const pairs = kernelShape.map((taps, axis) => {
        const [stride, dilation] = [windows.strides?.[axis] ?? 1, windows.dilations?.[axis] ?? 1];
        const span = (lengths[axis]! - 1) * stride + (taps - 1) * dilation + 1;
        const full = Math.max(span + (outputPadding?.[axis] ?? 0), outputShape?.[axis] ?? 0);
        return {
          stride,
          dilation,
          full,
          ...croppedBy(windows, axis, rank, full, outputShape?.[axis], lengths[axis]! * stride),
        };
      });
      const whole = pairs.length === 1 ? [{ stride: 1, dilation: 1, full: 1, before: 0, after: 0 }, ...pairs] : pairs;
      const [rows, columns] = whole as [(typeof whole)[0], (typeof whole)[0]];
      const inputs = ops.split(asImages(x!.channelsLast), groups, 3);
      const options = {
        strides: [rows.stride, columns.stride] as const,
        dilationRate: [rows.dilation, columns.dilation] as const,
      };
      const parts = inputs.map((input, g) =>
        conv2dTranspose(input, kernels[g]!, undefined, { ...options, outputPadding: [0, 0] }),
      );
      let y = parts.length === 1 ? parts[0]! : ops.concatenate(parts, 3);
      // Rows beyond the last window, which the output padding asks for, are 0.
      const missing = [rows, columns].map(({ full }, axis) => Math.max(full - y.shape[axis + 1]!, 0));
      if (missing.some((n) => n > 0))
        y = ops.pad(y, [
          [0, 0],
          [0, missing[0]!],
          [0, missing[1]!],
          [0, 0],
        ]);
      [rows, columns].forEach(({ before, after }, i) => {
        const length = y.shape[i + 1]!;
        if (before > 0 || after > 0) y = ops.slice(y, { axis: i + 1, from: before, to: length - after });
      });
      if (b) y = ops.add(y, b.tensor);
      return Value.ofChannelsLast(asInput(y, rank));
    };
  },
};

/** What is cut from both ends of a transposed convolution. */
function croppedBy(
  { autoPad, pads }: Windows,
  axis: number,
  rank: number,
  full: number,
  wanted: number | undefined,
  same: number,
): { before: number; after: number } {
  const isSame = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER';
  const length = wanted ?? (isSame ? same : undefined);
  if (length === undefined) return { before: pads?.[axis] ?? 0, after: pads?.[axis + rank] ?? 0 };
  const total = Math.max(full - length, 0);
  const less = Math.floor(total / 2);
  return autoPad === 'SAME_UPPER' ? { before: less, after: total - less } : { before: total - less, after: less };
}

/** The windows of pooling along one axis. */
function poolAxis(span: Span, input: number, isCeiled: boolean): Axis {
  const { taps, stride, dilation, before, after } = span;
  const room = input + before + after - (taps - 1) * dilation - 1;
  let output = (isCeiled ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // A window that starts in the zeros behind the input does not count.
  if (isCeiled && (output - 1) * stride >= input + before) output--;
  if (!(output >= 1 && taps >= 1)) throw new ArgumentError(`windows of ${taps} do not fit into ${input}`);
  return { input, output, taps, stride, dilation, before };
}

const pool = (kind: 'max' | 'average'): Operator => ({
  make(node) {
    const windows = windowsOf(node);
    const [isCeiled, countsZeros] = [node.flag('ceil_mode'), node.flag('count_include_pad')];
    if (node.flag('storage_order')) node.refuse('storage_order=1');
    const wantsPlaces = (node.outputs[1] ?? '') !== '';
    return ([x]) => {
      const lengths = x!.shape.slice(2);
      const spans = spansOf(windows, windows.kernel!, lengths);
      const axes = spans.map((span, i) => poolAxis(span, lengths[i]!, isCeiled));
      spend((x!.shape[0]! * x!.shape[1]! * sizeOf(axes.map(({ output }) => output)) * sizeOf(windows.kernel!)) / 8);
      const isPlain = lengths.length <= 2 && !wantsPlaces && spans.every(({ dilation }) => dilation === 1);
      if (isPlain && !(kind === 'average' && countsZeros)) {
        const images = asImages(x!.channelsLast);
        const [rows, columns] = axes.length === 1 ? [oneRow, axes[0]!] : (axes as [Axis, Axis]);
        const y = Value.ofChannelsLast(asInput(pool2d(kind, images, rows, columns), lengths.length));
        return x!.isFloat ? y : Value.ofTensor(y.tensor, x!.type);
      }
      return pooled(x!, { kind, axes, spans, countsZeros, wantsPlaces });
    };
  },
});

const oneRow: Axis = { input: 1, output: 1, taps: 1, stride: 1, dilation: 1, before: 0 };

interface PoolOptions {
  readonly kind: 'max' | 'average';
  readonly axes: readonly Axis[];
  readonly spans: readonly Span[];
  readonly countsZeros: boolean;
  readonly wantsPlaces: boolean;
}

/** Pooling of any rank and dilation: the windows become rows. */
function pooled(x: Value, { kind, axes, spans, countsZeros, wantsPlaces }: PoolOptions): Value | Value[] {
  const planes = sizeOf(x.shape.slice(0, 2));
  const { places, counts, shape, taps } = windowPlaces(axes, spans);
  const area = sizeOf(x.shape.slice(2));
  const all = new Int32Array(sizeOf([planes, places.length]));
  for (let plane = 0; plane < planes; plane++) {
    places.forEach((place, i) => {
      all[plane * places.length + i] = place < 0 ? -1 : plane * area + place;
    });
  }
  const rows = planes * counts.length;
  const filler = kind === 'max' ? -3.4028234663852886e38 : 0;
  const window = picked(x.tensor, all, [rows, taps], filler);
  const made = [...x.shape.slice(0, 2), ...shape];
  if (kind === 'average') {
    const share = ops.zeros([planes, counts.length]);
    share.dataView().forEach((_, i, to) => {
      const count = counts[i % counts.length]!;
      to[i] = 1 / (countsZeros ? count.withZeros : count.inside);
    });
    return Value.ofTensor(ops.mul(ops.reshape(ops.sum(window, { axis: 1 }), made), ops.reshape(share, made)), x.type);
  }
  const y = Value.ofTensor(ops.reshape(ops.max(window, { axis: 1 }), made), x.type);
  if (!wantsPlaces) return y;
  const values = window.dataView();
  const best = Array.from({ length: rows }, (_, row) => {
    let at = -1;
    for (let i = row * taps; i < (row + 1) * taps; i++)
      if (all[i]! >= 0 && (at < 0 || values[i]! > values[at]!)) at = i;
    return all[at]!;
  });
  return [y, int64(best, made)];
}

/** For each window of a plane, the places that its taps read; −1 in the zeros around the input. */
function windowPlaces(axes: readonly Axis[], spans: readonly Span[]) {
  const shape = axes.map(({ output }) => output);
  const [windowSteps, tapSteps] = [rowMajor(shape), rowMajor(axes.map(({ taps }) => taps))];
  const inputSteps = rowMajor(axes.map(({ input }) => input));
  const [windowCount, taps] = [sizeOf(shape), sizeOf(axes.map((axis) => axis.taps))];
  const places = new Int32Array(sizeOf([windowCount, taps]));
  const counts = Array.from({ length: windowCount }, () => ({ inside: 0, withZeros: 0 }));
  for (let window = 0; window < windowCount; window++) {
    for (let tap = 0; tap < taps; tap++) {
      let [place, isInside, isPadded] = [0, true, true];
      axes.forEach(({ output, taps: n, stride, dilation, before, input }, axis) => {
        const i = Math.floor(window / windowSteps[axis]!) % output;
        const at = i * stride + (Math.floor(tap / tapSteps[axis]!) % n) * dilation - before;
        if (at < 0 || at >= input) isInside = false;
        // The last window of a rounded-up length may reach beyond the zeros, too.
        if (at >= input + spans[axis]!.after) isPadded = false;
        place += at * inputSteps[axis]!;
      });
      places[window * taps + tap] = isInside ? place : -1;
      if (isInside) counts[window]!.inside++;
      if (isPadded) counts[window]!.withZeros++;
    }
  }
  return { places, counts, shape, taps };
}

/** A convolution of three spatial axes and more: the windows become rows of a product. */
function convolveAny(x: Value, w: Value, b: Value | undefined, spans: readonly Span[], groups: number): Value {
  const lengths = x.shape.slice(2);
  const axes = spans.map((span, i) => poolAxis(span, lengths[i]!, false));
  const { places, shape, taps } = windowPlaces(axes, spans);
  const [batch, channels] = x.shape as [number, number];
  const [outputs, perGroup] = w.shape as [number, number];
  const [area, count] = [sizeOf(lengths), sizeOf(shape)];
  const parts = Array.from({ length: groups }, (_, g) => {
    const all = new Int32Array(sizeOf([batch, count, perGroup, taps]));
    let to = 0;
    for (let n = 0; n < batch; n++) {
      for (let window = 0; window < count; window++) {
        for (let c = g * perGroup; c < (g + 1) * perGroup; c++) {
          for (let tap = 0; tap < taps; tap++) {
            const place = places[window * taps + tap]!;
            all[to++] = place < 0 ? -1 : (n * channels + c) * area + place;
          }
        }
      }
    }
    const rows = picked(x.tensor, all, [batch * count, perGroup * taps]);
    const own = ops.slice(w.tensor, { axis: 0, from: (g * outputs) / groups, to: ((g + 1) * outputs) / groups });
    const kernel = ops.transpose(ops.reshape(own, [outputs / groups, perGroup * taps]));
    return ops.reshape(ops.linear(rows, kernel), [batch, count, outputs / groups]);
  });
  const y = parts.length === 1 ? parts[0]! : ops.concatenate(parts, 2);
  const biased = b ? ops.add(y, b.tensor) : y;
  return Value.ofTensor(ops.reshape(ops.transpose(biased, [0, 2, 1]), [batch, outputs, ...shape]), x.type);
}

/** A mean or a maximum over all places. */
const globalPool = (kernel: (x: Tensor) => Tensor): Operator => ({
  make:
    () =>
    ([x]) => {
      const [batch, channels, ...lengths] = x!.shape as [number, number, ...number[]];
      const flat = ops.reshape(x!.tensor, [batch, channels, sizeOf(lengths)]);
      return Value.ofTensor(ops.reshape(kernel(flat), [batch, channels, ...lengths.map(() => 1)]), x!.type);
    },
});

export const windows: Readonly<Record<string, Operator>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool('max'),
  AveragePool: pool('average'),
  GlobalAveragePool: globalPool((x) => ops.mean(x, { axis: 2 })),
  GlobalMaxPool: globalPool((x) => ops.max(x, { axis: 2 })),
};
