import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { Binary, type Kernels, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { extraKernels } from '../../engine/extra/extra-kernels.ts';
import { inOrder } from '../../ops/shapes/layout.ts';
import { axisOf, coveredBy, expectImages, type Geometry, type WindowOptions, windowsOf } from './geometry.ts';

function geometryOf(x: Tensor, kernel: Tensor, options: WindowOptions): Geometry {
  const what = 'depthwiseConv2d';
  const windows = windowsOf(what, options);
  expectImages(what, x.shape);
  const [batch, height, width, inputs] = x.shape as [number, number, number, number];
  const [rows = 0, cols = 0, channels, multiplier = 0] = kernel.shape;
  if (kernel.shape.length !== 4 || channels !== inputs || rows < 1 || cols < 1) {
    throw new ArgumentError(
      `${what}: kernel expected [KH, KW, ${inputs}, M] with KH, KW ≥ 1 for x ${formatShape(x.shape)}, got ${formatShape(kernel.shape)}`,
    );
  }
  return {
    batch,
    rows: axisOf(what, windows, 0, height, rows),
    cols: axisOf(what, windows, 1, width, cols),
    inputs,
    outputs: inputs * multiplier,
    groups: inputs,
  };
}

/** An image with its zeros, and each channel as often as it has outputs: `[rows, columns, O]`. */
class PaddedImage {
  readonly #g: Geometry;
  readonly #columns: number;
  readonly #floats: number;
  readonly at: Ptr;
  /** Distances that the kernels read. */
  readonly steps: Ptr;

  /** Allocates in scratch. */
  constructor(engine: Engine, g: Geometry) {
    const { rows, cols, outputs } = g;
    this.#g = g;
    this.#columns = Math.max(coveredBy(cols), cols.before + cols.input);
    this.#floats = Math.max(coveredBy(rows), rows.before + rows.input) * this.#columns * outputs;
    this.at = engine.zeroedScratch(this.#floats);
    this.steps = engine.allocateScratch(4);
    const line = this.#columns * outputs;
    engine
      .i32(this.steps, 4)
      .set([rows.stride * line, cols.stride * outputs, rows.dilation * line, cols.dilation * outputs]);
  }

  /** Sets every element to 0. */
  clear(kernels: Kernels): void {
    kernels.fill(this.#floats, 0, this.at);
  }

  /** Copies an image into it. */
  read(kernels: Kernels, image: Ptr): void {
    this.#eachRow((row, from, pixels, multiplier) => {
      const source = image + 4 * from;
      if (multiplier === 1) kernels.copy_2d(1, pixels, source, pixels, row, pixels);
      else for (let m = 0; m < multiplier; m++) kernels.copy_2d(pixels, 1, source, 1, row + 4 * m, multiplier);
    });
  }

  /** Writes the sum over the copies of each channel to an image. */
  write(kernels: Kernels, image: Ptr): void {
    this.#eachRow((row, from, pixels, multiplier) => {
      const to = image + 4 * from;
      kernels.copy_2d(pixels, 1, row, multiplier, to, 1);
      for (let m = 1; m < multiplier; m++) {
        kernels.binary(Binary.Add, pixels, 1, to, 1, 0, row + 4 * m, multiplier, 0, to);
      }
    });
  }

  /** Calls `body` with the first pixel of each row inside, its place in an image, and the numbers of its row. */
  #eachRow(body: (row: Ptr, from: number, numbers: number, multiplier: number) => void): void {
    const { rows, cols, inputs, outputs } = this.#g;
    for (let y = 0; y < rows.input; y++) {
      const row = this.at + 4 * ((y + rows.before) * this.#columns + cols.before) * outputs;
      body(row, y * cols.input * inputs, cols.input * inputs, outputs / inputs);
    }
  }
}

/**
 * Convolution of each channel by itself.
 *
 * y[b, r, c, i·M + m] = Σ_ky Σ_kx x[b, r·s + ky·d − top, c·s + kx·d − left, i]·W[ky, kx, i, m] + bias, where s are the
 * strides, d the dilation rates, and x is 0 outside of the image; top and left are the numbers of zeros in front
 *
 * @param input x `[B, H, W, I]` f32.
 * @param weight W `[KH, KW, I, M]` f32; M is the number of outputs of each channel.
 * @param bias `[I·M]` f32, optional.
 * @param options.strides pixels between neighbouring windows, a number or `[height, width]`; default 1.
 * @param options.padding `valid` or `same`; default `valid`.
 * @param options.dilationRate pixels between neighbouring taps; default 1.
 * @returns `[B, H′, W′, I·M]`, row-major; H′ and W′ are those of `conv2d`.
 * @throws ArgumentError if an argument is not an f32 tensor, a shape does not fit, an option is unknown or out of
 *   range, or no window fits into the image with `valid`.
 * @see keras.ops.depthwise_conv
 */
export function depthwiseConv2d(input: Weight, weight: Weight, bias?: Weight, options: WindowOptions = {}): Tensor {
  checkOptions('depthwiseConv2d', options, { strides: 1, padding: 1, dilationRate: 1 });
  const x = inOrder(floatsOf(input, 'depthwiseConv2d: x'), false);
  const kernel = inOrder(floatsOf(weight, 'depthwiseConv2d: kernel'), false);
  const offset = bias && floatsOf(bias, 'depthwiseConv2d: bias');
  const g = geometryOf(x, kernel, options);
  if (offset) expectShape('depthwiseConv2d: bias', offset.shape, [g.outputs]);
  const { engine } = x;
  const { kernels } = engine;
  const extra = extraKernels(engine);
  const { rows, cols, outputs } = g;
  const sizes = [rows.output, cols.output, outputs, rows.taps, cols.taps] as const;
  const image = rows.input * cols.input * g.inputs;
  const result = rows.output * cols.output * outputs;
  const y = empty([g.batch, rows.output, cols.output, outputs], { name: 'depthwiseConv2d', engine });
  engine.scratch(() => {
    const padded = new PaddedImage(engine, g);
    for (let b = 0; b < g.batch; b++) {
      padded.read(kernels, x.ptr + 4 * b * image);
      extra.depthwise(...sizes, padded.steps, padded.at, kernel.ptr, offset?.ptr ?? 0, y.ptr + 4 * b * result);
    }
  });
  record(
    [x, kernel, offset],
    [y],
    (tape) => {
      const dy = tape.gradientOf(y);
      const dBias = offset && tape.into(offset);
      if (dBias) kernels.col_sum(y.size / outputs, outputs, dy, outputs, dBias.ptr, dBias.accumulate);
      const dKernel = tape.intoZeroed(kernel);
      const dx = tape.tracks(x) ? engine.allocateScratch(x.size) : 0;
      engine.scratch(() => {
        const padded = new PaddedImage(engine, g);
        for (let b = 0; b < g.batch && dKernel; b++) {
          padded.read(kernels, x.ptr + 4 * b * image);
          extra.depthwise_backward_weights(...sizes, padded.steps, padded.at, dy + 4 * b * result, dKernel);
        }
        for (let b = 0; b < g.batch && dx; b++) {
          padded.clear(kernels);
          extra.depthwise_backward_input(...sizes, padded.steps, dy + 4 * b * result, kernel.ptr, padded.at);
          padded.write(kernels, dx + 4 * b * image);
        }
      });
      if (dx) tape.give(x, dx);
    },
    { forgetsOutputs: true, options },
  );
  return y;
}
