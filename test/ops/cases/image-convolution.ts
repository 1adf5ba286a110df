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

const BATCH = 2;

const conv2dCases = VARIANTS.map(({ image, kernel, inputs = 3, outputs = 4, options, bias = false }): GradientCase => {
  const { padding = 'valid', groups = 1 } = options;
  const [strides, dilations] = [pair(options.strides), pair(options.dilationRate)];
  const axes = [0, 1].map((a) => windowsOf(image[a]!, kernel[a]!, strides[a]!, dilations[a]!, padding));
  const x = [BATCH, ...image, inputs];
  const w = [...kernel, inputs / groups, outputs];
  const shape = [BATCH, axes[0]!.steps, axes[1]!.steps, outputs];
  return {
    of: 'conv2d',
    variant: `[${x}] with [${w}] ${JSON.stringify(options)}${bias ? ' and bias' : ''}`,
    arguments: [x, w, ...(bias ? [[outputs]] : [])].map((each) => ({ shape: each })),
    run: (a, b, c) => imageOps.conv2d(a, b, c, options),
    shape,
    reference: (a, b, c) =>
      build(shape, ([i, r, s, o]) => {
        let sum = c?.[o!] ?? 0;
        const first = Math.floor(o! / (outputs / groups)) * (inputs / groups);
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const row = r! * strides[0] + ky * dilations[0] - axes[0]!.before;
            const column = s! * strides[1] + kx * dilations[1] - axes[1]!.before;
            if (row < 0 || row >= image[0] || column < 0 || column >= image[1]) continue;
            for (let d = 0; d < inputs / groups; d++) {
              sum += pick(a, x, [i!, row, column, first + d]) * pick(b, w, [ky, kx, d, o!]);
            }
          }
        }
        return sum;
      }),
  };
});

export const imageConvolutionCases: GradientCase[] = conv2dCases;
