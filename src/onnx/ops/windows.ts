// Convolutions and pooling. A value `[N, C, …]` is computed with its channels last, and stays so in memory until an
// operator asks for another order.
import type { Weight } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { sizeOf } from '../../checks/shape.ts';
import { conv2d } from '../../images/convolution/conv2d.ts';
import { conv2dTranspose } from '../../images/convolution/conv2d-transpose.ts';
import { depthwiseConv2d } from '../../images/convolution/depthwise.ts';
import type { Axis } from '../../images/convolution/geometry.ts';
import { pool2d } from '../../images/pool.ts';
import * as ops from '../../ops/index.ts';
import { DerivedWeights } from '../graph/derived.ts';
import type { NodeView, Operator } from '../graph/node.ts';
import { int64, Value } from '../graph/value.ts';

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

/** Two axes of windows; a sequence has one row. */
const twoSpans = (spans: readonly Span[]): [Span, Span] =>
  spans.length === 1
    ? [{ taps: 1, stride: 1, dilation: 1, before: 0, after: 0 }, spans[0]!]
    : [spans[0]!, spans[1]!];

function padded(x: Tensor, spans: readonly Span[]): Tensor {
  if (spans.every(({ before, after }) => before === 0 && after === 0)) return x;
  return ops.pad(x, [[0, 0], ...spans.map(({ before, after }) => [before, after] as const), [0, 0]]);
}

function expectRank(rank: number): void {
  if (rank !== 1 && rank !== 2) throw new ArgumentError(`${rank} spatial axes expected to be 1 or 2`);
}

const conv: Operator = {
  make(node) {
    const windows = windowsOf(node);
    const groups = node.int('group', 1);
    const derived = new DerivedWeights();
    return ([x, w, b]) => {
      const lengths = x!.shape.slice(2);
      const rank = lengths.length;
      expectRank(rank);
      const spans = spansOf(windows, w!.shape.slice(2), lengths);
      const [channels, outputs] = [x!.shape[1]!, w!.shape[0]!];
      const isDepthwise = rank === 2 && groups > 1 && groups === channels;
      // [O, I/g, K…] becomes [K…, I/g, O], or [K…, I, multiplier] for one filter a channel.
      const [kernel] = derived.of([w!], ([t]) => {
        const spatial = w!.shape.slice(2).map((_, axis) => axis + 2);
        const turned = ops.transpose(t!, [...spatial, 1, 0]);
        return [isDepthwise ? ops.reshape(turned, [...w!.shape.slice(2), channels, outputs / channels]) : turned];
      }) as [Weight];
      const bias = b?.parameter ?? b?.tensor;
      const input = padded(x!.channelsLast, spans);
      const strides = spans.map(({ stride }) => stride);
      const dilations = spans.map(({ dilation }) => dilation);
      if (rank === 1) {
        const options = { strides: strides[0]!, dilationRate: dilations[0]!, groups };
        return Value.ofChannelsLast(ops.conv1d(input, kernel, bias, options));
      }
      const options = {
        strides: strides as unknown as [number, number],
        dilationRate: dilations as unknown as [number, number],
      };
      return Value.ofChannelsLast(
        isDepthwise ? depthwiseConv2d(input, kernel, bias, options) : conv2d(input, kernel, bias, { ...options, groups }),
      );
    };
  },
};

const convTranspose: Operator = {
  make(node) {
    const windows = windowsOf(node);
    const groups = node.int('group', 1);
    const [outputPadding, outputShape] = [node.ints('output_padding'), node.ints('output_shape')];
    const derived = new DerivedWeights();
    return ([x, w, b]) => {
      const lengths = x!.shape.slice(2);
      const rank = lengths.length;
      expectRank(rank);
      const kernelShape = w!.shape.slice(2);
      // [I, O/g, K…] becomes [KH, KW, O, I] of each group.
      const kernels = derived.of([w!], ([t]) => {
        const spatial = kernelShape.map((_, axis) => axis + 2);
        const turned = ops.transpose(t!, [...spatial, 1, 0]);
        const whole = rank === 1 ? ops.reshape(turned, [1, ...turned.shape]) : turned;
        return ops.split(whole, groups, 3);
      });
      const pairs = kernelShape.map((taps, axis) => {
        const [stride, dilation] = [windows.strides?.[axis] ?? 1, windows.dilations?.[axis] ?? 1];
        const more = outputPadding?.[axis] ?? 0;
        const full = (lengths[axis]! - 1) * stride + (taps - 1) * dilation + 1 + more;
        return { taps, stride, dilation, more, full, ...croppedBy(windows, axis, rank, full, outputShape?.[axis], lengths[axis]! * stride) };
      });
      const whole = pairs.length === 1 ? [{ taps: 1, stride: 1, dilation: 1, more: 0, full: 1, before: 0, after: 0 }, ...pairs] : pairs;
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
      if (missing.some((n) => n > 0)) y = ops.pad(y, [[0, 0], [0, missing[0]!], [0, missing[1]!], [0, 0]]);
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
  return autoPad === 'SAME_UPPER' || wanted !== undefined && autoPad !== 'SAME_LOWER'
    ? { before: less, after: total - less }
    : { before: total - less, after: less };
}

/** The windows of pooling along one axis. */
function poolAxis(span: Span, input: number, isCeiled: boolean): Axis {
  const { taps, stride, dilation, before, after } = span;
  const room = input + before + after - (taps - 1) * dilation - 1;
  let output = (isCeiled ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // A window that starts in the zeros behind the input does not count.
  if (isCeiled && (output - 1) * stride >= input + before) output--;
  if (output < 1) throw new ArgumentError(`windows of ${taps} do not fit into ${input}`);
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
      expectRank(lengths.length);
      let spans = spansOf(windows, windows.kernel!, lengths);
      let input = x!.isHost ? Value.ofTensor(x!.tensor, x!.type).channelsLast : x!.channelsLast;
      if (kind === 'average' && countsZeros) {
        input = padded(input, spans);
        spans = spans.map((span) => ({ ...span, before: 0, after: 0 }));
      }
      const images = asImages(input);
      const [rows, columns] = twoSpans(spans).map((span, i) => poolAxis(span, images.shape[i + 1]!, isCeiled)) as [Axis, Axis];
      const y = Value.ofChannelsLast(asInput(pool2d(kind, images, rows, columns), lengths.length));
      const result = x!.isFloat ? y : Value.ofTensor(y.tensor, x!.type);
      return wantsPlaces ? [result, placesOfMaxima(x!, y, rows, columns)] : result;
    };
  },
});

/** For each maximum, its place in the whole input. */
function placesOfMaxima(x: Value, y: Value, rows: Axis, columns: Axis): Value {
  const [height, width] = [rows.input, columns.input];
  const { numbers } = x;
  const found: number[] = [];
  const planes = sizeOf(x.shape.slice(0, 2));
  for (let plane = 0; plane < planes; plane++) {
    for (let i = 0; i < rows.output; i++) {
      for (let j = 0; j < columns.output; j++) {
        let best = -1;
        for (let a = 0; a < rows.taps; a++) {
          for (let b = 0; b < columns.taps; b++) {
            const [row, column] = [i * rows.stride + a * rows.dilation - rows.before, j * columns.stride + b * columns.dilation - columns.before];
            if (row < 0 || column < 0 || row >= height || column >= width) continue;
            const place = (plane * height + row) * width + column;
            if (best < 0 || numbers[place]! > numbers[best]!) best = place;
          }
        }
        found.push(best);
      }
    }
  }
  return int64(found, y.shape);
}

/** A mean or a maximum over all places. */
const globalPool = (kernel: (x: Tensor) => Tensor): Operator => ({
  make: () => ([x]) => {
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
