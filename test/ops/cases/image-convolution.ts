import * as imageOps from '../../../src/images/ops.ts';
import { build, type GradientCase, pick } from './case.ts';

/** Windows along one axis: length of the result and zeros in front, as TensorFlow works them out. */
function windowsOf(
  size: number,
  taps: number,
  stride: number,
  dilation: number,
  padding: string,
): { steps: number; before: number } {
  const span = (taps - 1) * dilation + 1;
  if (padding === 'valid') return { steps: Math.ceil((size - span + 1) / stride), before: 0 };
  const steps = Math.ceil(size / stride);
  return { steps, before: Math.floor(Math.max((steps - 1) * stride + span - size, 0) / 2) };
}

const pair = (given: imageOps.Conv2dOpOptions['strides']): readonly [number, number] =>
  typeof given === 'object' ? given : [given ?? 1, given ?? 1];

const BATCH = 2;

interface Variant {
  image: [height: number, width: number];
  kernel: [height: number, width: number];
  inputs?: number;
  outputs?: number;
  options: imageOps.Conv2dOpOptions;
  bias?: boolean;
}

const VARIANTS: Variant[] = [
  { image: [5, 4], kernel: [3, 3], options: {}, bias: true },
  { image: [4, 5], kernel: [3, 3], options: { padding: 'same' }, bias: true },
  { image: [4, 5], kernel: [2, 4], options: { padding: 'same' } },
  { image: [3, 3], kernel: [1, 1], options: {}, bias: true },
  { image: [4, 5], kernel: [1, 1], options: { strides: 2 } },
  { image: [1, 6], kernel: [1, 3], options: { padding: 'same' } },
  { image: [6, 1], kernel: [3, 1], options: {} },
  { image: [5, 6], kernel: [3, 2], options: { strides: 2 }, bias: true },
  { image: [6, 5], kernel: [3, 3], options: { strides: [2, 1], padding: 'same' } },
  { image: [5, 7], kernel: [2, 3], options: { strides: [1, 3], padding: 'same' } },
  { image: [7, 7], kernel: [2, 2], options: { strides: 3 } },
  { image: [6, 7], kernel: [3, 2], options: { dilationRate: 2 }, bias: true },
  { image: [5, 6], kernel: [3, 3], options: { dilationRate: [1, 2], padding: 'same' } },
  { image: [2, 2], kernel: [4, 5], options: { padding: 'same' } },
  { image: [4, 4], kernel: [3, 2], inputs: 4, outputs: 6, options: { groups: 2, padding: 'same' }, bias: true },
  { image: [5, 5], kernel: [3, 3], inputs: 3, outputs: 6, options: { groups: 3, strides: 2 } },
  { image: [5, 5], kernel: [2, 2], inputs: 4, outputs: 4, options: { groups: 2, dilationRate: 2 } },
];

/** A convolution in float64, for weights `w` `[KH, KW, I/groups, O]`. */
function convolution(
  { image, kernel, inputs = 3, outputs = 4, options }: Variant,
  bias: boolean,
): Pick<GradientCase, 'shape' | 'reference'> & { x: number[]; w: number[] } {
  const { padding = 'valid', groups = 1 } = options;
  const [strides, dilations] = [pair(options.strides), pair(options.dilationRate)];
  const axes = [0, 1].map((a) => windowsOf(image[a]!, kernel[a]!, strides[a]!, dilations[a]!, padding));
  const x = [BATCH, ...image, inputs];
  const w = [...kernel, inputs / groups, outputs];
  const shape = [BATCH, axes[0]!.steps, axes[1]!.steps, outputs];
  return {
    x,
    w,
    shape,
    reference: (a, b, c) =>
      build(shape, ([i, r, s, o]) => {
        let sum = bias ? c![o!]! : 0;
        const first = Math.floor(o! / (outputs / groups)) * (inputs / groups);
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const row = r! * strides[0] + ky * dilations[0] - axes[0]!.before;
            const column = s! * strides[1] + kx * dilations[1] - axes[1]!.before;
            if (row < 0 || row >= image[0] || column < 0 || column >= image[1]) continue;
            for (let d = 0; d < inputs / groups; d++) {
              sum += pick(a!, x, [i!, row, column, first + d]) * pick(b!, w, [ky, kx, d, o!]);
            }
          }
        }
        return sum;
      }),
  };
}

const named = (shapes: readonly number[][], options: object): string =>
  `${shapes.map((shape) => `[${shape}]`).join(' with ')} ${JSON.stringify(options)}`;

const conv2dCases = VARIANTS.map((variant): GradientCase => {
  const { options, bias = false, outputs = 4 } = variant;
  const { x, w, ...rest } = convolution(variant, bias);
  const shapes = [x, w, ...(bias ? [[outputs]] : [])];
  return {
    of: 'conv2d',
    variant: named(shapes, options),
    arguments: shapes.map((shape) => ({ shape })),
    run: (a, b, c) => imageOps.conv2d(a!, b!, c, options),
    ...rest,
  };
});

const DEPTHWISE: (Variant & { multiplier: number })[] = [
  { image: [5, 4], kernel: [3, 3], inputs: 3, multiplier: 1, options: {}, bias: true },
  { image: [4, 9], kernel: [2, 3], inputs: 5, multiplier: 1, options: { padding: 'same' } },
  { image: [4, 5], kernel: [3, 2], inputs: 2, multiplier: 3, options: { padding: 'same' }, bias: true },
  { image: [6, 7], kernel: [3, 3], inputs: 9, multiplier: 1, options: { strides: 2 } },
  { image: [6, 5], kernel: [2, 2], inputs: 2, multiplier: 2, options: { strides: [1, 2], padding: 'same' } },
  { image: [6, 6], kernel: [2, 3], inputs: 4, multiplier: 1, options: { dilationRate: 2 }, bias: true },
  { image: [5, 5], kernel: [1, 1], inputs: 2, multiplier: 2, options: { strides: 3 } },
];

const depthwiseCases = DEPTHWISE.map(({ multiplier, ...variant }): GradientCase => {
  const { options, bias = false, inputs = 3, kernel } = variant;
  const outputs = inputs * multiplier;
  // The same numbers in the same order as those of a convolution with as many groups as channels.
  const grouped = { ...variant, inputs, outputs, options: { ...options, groups: inputs } };
  const { x, w, ...rest } = convolution(grouped, bias);
  const shapes = [x, [...kernel, inputs, multiplier], ...(bias ? [[outputs]] : [])];
  return {
    of: 'depthwiseConv2d',
    variant: named(shapes, options),
    arguments: shapes.map((shape) => ({ shape })),
    run: (a, b, c) => imageOps.depthwiseConv2d(a!, b!, c, options),
    ...rest,
  };
});

interface TransposeVariant {
  image: [height: number, width: number];
  kernel: [height: number, width: number];
  options: imageOps.TransposeOptions;
  /** Rows and columns of the result, and those of it before the first window, as TensorFlow has them. */
  result: [height: number, width: number];
  before: [top: number, left: number];
  bias?: boolean;
}

const TRANSPOSED: TransposeVariant[] = [
  { image: [3, 4], kernel: [3, 3], options: {}, result: [5, 6], before: [0, 0], bias: true },
  { image: [3, 4], kernel: [3, 2], options: { padding: 'same' }, result: [3, 4], before: [1, 0] },
  { image: [2, 3], kernel: [3, 3], options: { strides: 2 }, result: [5, 7], before: [0, 0], bias: true },
  { image: [3, 2], kernel: [3, 3], options: { strides: 2, padding: 'same' }, result: [6, 4], before: [0, 0] },
  {
    image: [3, 2],
    kernel: [4, 4],
    options: { strides: 2, padding: 'same' },
    result: [6, 4],
    before: [1, 1],
    bias: true,
  },
  { image: [2, 2], kernel: [2, 1], options: { strides: 3 }, result: [6, 6], before: [0, 0], bias: true },
  {
    image: [3, 2],
    kernel: [3, 5],
    options: { strides: 2, padding: 'same', outputPadding: [0, 1] },
    result: [5, 4],
    before: [1, 1],
  },
  { image: [2, 3], kernel: [2, 3], options: { strides: [2, 3], outputPadding: 1 }, result: [5, 10], before: [0, 0] },
  { image: [3, 3], kernel: [2, 2], options: { dilationRate: 2 }, result: [5, 5], before: [0, 0] },
];

const isTap = (tap: number, taps: number): boolean => Number.isInteger(tap) && tap >= 0 && tap < taps;

const transposeCases = TRANSPOSED.map(({ image, kernel, options, result, before, bias = false }): GradientCase => {
  const [inputs, outputs] = [3, 2];
  const [strides, dilations] = [pair(options.strides), pair(options.dilationRate)];
  const x = [BATCH, ...image, inputs];
  const w = [...kernel, outputs, inputs];
  const shape = [BATCH, ...result, outputs];
  const shapes = [x, w, ...(bias ? [[outputs]] : [])];
  return {
    of: 'conv2dTranspose',
    variant: named(shapes, options),
    arguments: shapes.map((each) => ({ shape: each })),
    run: (a, b, c) => imageOps.conv2dTranspose(a!, b!, c, options),
    shape,
    reference: (a, b, c) =>
      build(shape, ([i, r, s, o]) => {
        let sum = c?.[o!] ?? 0;
        for (let row = 0; row < image[0]; row++) {
          for (let column = 0; column < image[1]; column++) {
            const ky = (r! + before[0] - row * strides[0]) / dilations[0];
            const kx = (s! + before[1] - column * strides[1]) / dilations[1];
            if (!isTap(ky, kernel[0]) || !isTap(kx, kernel[1])) continue;
            for (let d = 0; d < inputs; d++) {
              sum += pick(a!, x, [i!, row, column, d]) * pick(b!, w, [ky, kx, o!, d]);
            }
          }
        }
        return sum;
      }),
  };
});

export const imageConvolutionCases: GradientCase[] = [...conv2dCases, ...depthwiseCases, ...transposeCases];
