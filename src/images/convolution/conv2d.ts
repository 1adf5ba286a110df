import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { isRecording } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { linear } from '../../ops/products/linear.ts';
import { inOrder, reshape } from '../../ops/shapes/layout.ts';
import { axisOf, expectImages, type Geometry, type WindowOptions, windowsOf } from './geometry.ts';
import { convolve, inputGradient, kernelGradient } from './products.ts';
import { type ConvolutionGradients, recordConvolution } from './record.ts';

/** Options of the op `conv2d`. */
export interface Conv2dOpOptions extends WindowOptions {
  /** Number of groups of channels, each of which is convolved by itself. Default 1. */
  groups?: number | undefined;
}

/** Throws `ArgumentError` unless channels and filters can be cut into `groups`. */
export function expectGroups(what: string, groups: number, inputs: number, outputs: number): void {
  expectCount(`${what}: groups`, groups);
  if (inputs % groups === 0 && outputs % groups === 0) return;
  throw new ArgumentError(
    `${what}: groups expected a divisor of ${inputs} channels and ${outputs} filters, got ${groups}`,
  );
}

function geometryOf(x: Tensor, kernel: Tensor, options: Conv2dOpOptions): Geometry {
  const windows = windowsOf('conv2d', options);
  const { groups = 1 } = options;
  expectImages('conv2d', x.shape);
  const [batch, height, width, inputs] = x.shape as [number, number, number, number];
  const [rows = 0, cols = 0, depth, outputs = 0] = kernel.shape;
  expectGroups('conv2d', groups, inputs, outputs);
  if (kernel.shape.length !== 4 || depth !== inputs / groups || rows < 1 || cols < 1) {
    throw new ArgumentError(
      `conv2d: kernel expected [KH, KW, ${inputs / groups}, O] with KH, KW ≥ 1 for x ${formatShape(x.shape)}, got ${formatShape(kernel.shape)}`,
    );
  }
  return {
    batch,
    rows: axisOf('conv2d', windows, 0, height, rows),
    cols: axisOf('conv2d', windows, 1, width, cols),
    inputs,
    outputs,
    groups,
  };
}

/** Whether every pixel is a window of its own. */
const isPointwise = ({ rows, cols, groups }: Geometry): boolean =>
  groups === 1 && rows.taps * cols.taps === 1 && rows.stride * cols.stride === 1;

/**
 * Convolution over images.
 *
 * y[b, r, c, :] = Σ_ky Σ_kx x[b, r·s + ky·d − top, c·s + kx·d − left, :]·W[ky, kx, :, :] + bias, where s are the
 * strides, d the dilation rates, and x is 0 outside of the image; top and left are the numbers of zeros in front
 *
 * @param input x `[B, H, W, I]` f32.
 * @param weight W `[KH, KW, I/groups, O]` f32. Group g reads the g-th part of the channels and makes the g-th part of
 *   the outputs.
 * @param bias `[O]` f32, optional.
 * @param options.strides pixels between neighbouring windows, a number or `[height, width]`; default 1.
 * @param options.padding `valid` or `same`; default `valid`.
 * @param options.dilationRate pixels between neighbouring taps; default 1.
 * @param options.groups default 1.
 * @returns `[B, H′, W′, O]`, row-major. H′ = ⌊(H − (KH − 1)·dilationRate − 1)/strides⌋ + 1 for `valid`, else
 *   ⌈H/strides⌉; W′ likewise.
 * @throws ArgumentError if an argument is not an f32 tensor, a shape does not fit, an option is unknown or out of
 *   range, or no window fits into the image with `valid`.
 * @see keras.ops.conv
 */
export function conv2d(input: Weight, weight: Weight, bias?: Weight, options: Conv2dOpOptions = {}): Tensor {
  checkOptions('conv2d', options, { strides: 1, padding: 1, dilationRate: 1, groups: 1 });
  const x = inOrder(floatsOf(input, 'conv2d: x'), false);
  const kernel = inOrder(floatsOf(weight, 'conv2d: kernel'), false);
  const offset = bias && floatsOf(bias, 'conv2d: bias');
  const g = geometryOf(x, kernel, options);
  if (offset) expectShape('conv2d: bias', offset.shape, [g.outputs]);
  if (isPointwise(g)) return linear(x, reshape(kernel, [g.inputs, g.outputs]), offset);
  const { engine } = x;
  const y = empty([g.batch, g.rows.output, g.cols.output, g.outputs], { name: 'conv2d', engine });
  convolve(g, x.ptr, kernel, offset?.ptr ?? 0, y.ptr, !isRecording([x, kernel, offset]));
  const gradients: ConvolutionGradients = {
    kernel: (dy, into) => kernelGradient(engine, g, x.ptr, dy, into),
    input: (dy, dx) => inputGradient(g, dy, kernel, 0, dx),
  };
  recordConvolution(x, kernel, offset, y, gradients, options);
  return y;
}
