import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { isRecording } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { inOrder } from '../../ops/shapes/layout.ts';
import {
  type Axis,
  expectImages,
  type Geometry,
  type Pair,
  spanOf,
  type WindowOptions,
  windowsOf,
} from './geometry.ts';
import { convolve, inputGradient, kernelGradient } from './products.ts';
import { type ConvolutionGradients, recordConvolution } from './record.ts';

/** Options of the windows of a transposed convolution. */
export interface TransposeOptions extends WindowOptions {
  /**
   * Rows and columns that the output has more than (size − 1)·strides + KH with `valid` and (size − 1)·strides + KH % 2
   * with `same` padding; less than strides. Default: as many as a convolution may have dropped.
   */
  outputPadding?: Pair | null | undefined;
}

/** Both numbers of `outputPadding`; undefined if it is not given. */
export function outputPaddingOf(what: string, { outputPadding, ...options }: TransposeOptions): Pair | undefined {
  if (outputPadding === undefined || outputPadding === null) return undefined;
  const pair = typeof outputPadding === 'number' ? [outputPadding, outputPadding] : outputPadding;
  const { strides } = windowsOf(what, options);
  if (
    Array.isArray(pair) &&
    pair.length === 2 &&
    pair.every((n, i) => Number.isInteger(n) && n >= 0 && n < strides[i]!)
  )
    return pair as unknown as Pair;
  const got = Array.isArray(pair) ? formatShape(pair) : shown(pair);
  throw new ArgumentError(`${what}: outputPadding expected integers from 0 to strides − 1, got ${got}`);
}

/**
 * One axis of the convolution that a transposed one reverses: its `input` is the length of the result, its `output`
 * that of what is read.
 */
export function transposedAxis(
  what: string,
  options: TransposeOptions,
  axis: 0 | 1,
  length: number,
  taps: number,
): Axis {
  const { outputPadding, ...own } = options;
  const windows = windowsOf(what, own);
  const [stride, dilation] = [windows.strides[axis], windows.dilations[axis]];
  const more = (outputPaddingOf(what, options) as readonly number[] | undefined)?.[axis];
  const span = spanOf({ taps, dilation });
  const covered = Math.max(length - 1, 0) * stride + span;
  let input = covered + (more ?? Math.max(stride - span, 0));
  let before = 0;
  if (windows.padding === 'same') {
    input = more === undefined ? length * stride : (length - 1) * stride + (span % 2) + more;
    before = Math.floor(Math.max(covered - input, 0) / 2);
  }
  return { input: length === 0 ? 0 : input, output: length, taps, stride, dilation, before };
}

function geometryOf(x: Tensor, kernel: Tensor, options: TransposeOptions): Geometry {
  const what = 'conv2dTranspose';
  expectImages(what, x.shape);
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows = 0, cols = 0, filters = 0, depth] = kernel.shape;
  if (kernel.shape.length !== 4 || depth !== channels || rows < 1 || cols < 1) {
    throw new ArgumentError(
      `${what}: kernel expected [KH, KW, O, ${channels}] with KH, KW ≥ 1 for x ${formatShape(x.shape)}, got ${formatShape(kernel.shape)}`,
    );
  }
  return {
    batch,
    rows: transposedAxis(what, options, 0, height, rows),
    cols: transposedAxis(what, options, 1, width, cols),
    inputs: filters,
    outputs: channels,
    groups: 1,
  };
}

/**
 * Transposed convolution over images: the gradient of a convolution with respect to its input, as a forward function.
 * It makes images larger by `strides`.
 *
 * y[b, r·s + ky·d − top, c·s + kx·d − left, :] += W[ky, kx, :, :]·x[b, r, c, :] for all r, c, ky, kx, from y = bias
 *
 * @param input x `[B, H, W, I]` f32.
 * @param weight W `[KH, KW, O, I]` f32.
 * @param bias `[O]` f32, optional.
 * @param options.strides a number or `[height, width]`; default 1.
 * @param options.padding `valid` or `same`; default `valid`.
 * @param options.outputPadding see `TransposeOptions`.
 * @param options.dilationRate pixels between neighbouring taps; default 1.
 * @returns `[B, H′, W′, O]`, row-major. With K the span of the kernel, H′ = H·strides for `same` and H·strides +
 *   max(K − strides, 0) for `valid`; W′ likewise.
 * @throws ArgumentError if an argument is not an f32 tensor, a shape does not fit, or an option is unknown or out of
 *   range.
 * @see keras.ops.conv_transpose
 */
export function conv2dTranspose(input: Weight, weight: Weight, bias?: Weight, options: TransposeOptions = {}): Tensor {
  checkOptions('conv2dTranspose', options, { strides: 1, padding: 1, dilationRate: 1, outputPadding: 1 });
  const x = inOrder(floatsOf(input, 'conv2dTranspose: x'), false);
  const kernel = inOrder(floatsOf(weight, 'conv2dTranspose: kernel'), false);
  const offset = bias && floatsOf(bias, 'conv2dTranspose: bias');
  const g = geometryOf(x, kernel, options);
  if (offset) expectShape('conv2dTranspose: bias', offset.shape, [g.inputs]);
  const { engine } = x;
  const y = empty([g.batch, g.rows.input, g.cols.input, g.inputs], { name: 'conv2dTranspose', engine });
  inputGradient(g, x.ptr, kernel, offset?.ptr ?? 0, y.ptr, !isRecording([x, kernel, offset]));
  const gradients: ConvolutionGradients = {
    kernel: (dy, into) => kernelGradient(engine, g, dy, x.ptr, into),
    input: (dy, dx) => convolve(g, dy, kernel, 0, dx),
  };
  recordConvolution(x, kernel, offset, y, gradients, options);
  return y;
}
