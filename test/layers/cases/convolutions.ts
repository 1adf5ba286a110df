import { convLstm1d, convLstm2d } from '../../../src/images/conv-lstm.ts';
import type { ConvLstm2dOptions } from '../../../src/images/conv-lstm-layer.ts';
import { type Conv2dOptions, conv2d } from '../../../src/images/conv2d.ts';
import { conv2dTranspose } from '../../../src/images/conv2d-transpose.ts';
import { depthwiseConv2d, separableConv1d, separableConv2d } from '../../../src/images/depthwise-conv2d.ts';
import { bidirectional } from '../../../src/layers/rnn/bidirectional.ts';
import * as images from '../../reference/images.ts';
import type { Mat, Seq } from '../../reference/layers.ts';
import { type elementwise, walk } from '../../reference/layers.ts';
import type { LayerCase, Nested } from './case.ts';
import '../../../src/images.ts';

const pair = (given: Conv2dOptions['strides']): images.Pair =>
  typeof given === 'object' ? given : [given ?? 1, given ?? 1];

/** The reference's windows of a layer's options. */
const windowsOf = ({ strides, dilationRate, padding = 'valid', groups = 1 }: Partial<Conv2dOptions>) => ({
  strides: pair(strides),
  dilation: pair(dilationRate),
  padding,
  groups,
});

const conv2dVariants: (Partial<Conv2dOptions> & { kernelSize: Conv2dOptions['kernelSize'] })[] = [
  { kernelSize: 3 },
  { kernelSize: [2, 3], padding: 'same', strides: [2, 1] },
  { kernelSize: 2, dilationRate: 2, useBias: false },
  { kernelSize: 1, padding: 'same' },
  { kernelSize: 2, groups: 2, dataFormat: 'channelsLast' },
];

const conv2dCases = conv2dVariants.map(
  (options): LayerCase => ({
    of: 'Conv2D',
    variant: JSON.stringify(options),
    inputs: { shape: [2, 4, 5, 2] },
    make: () => conv2d({ filters: 4, activation: 'tanh', ...options }),
    reference: ([x], { kernel, bias }) => [
      (x as Seq[]).map((image) => images.mapImage(images.conv2d(image, kernel, bias, windowsOf(options)), Math.tanh)),
    ],
  }),
);

/** A depthwise kernel `[KH, KW, I, M]` as that of a convolution of I groups, `[KH, KW, 1, I·M]`. */
const grouped = (kernel: images.Kernel): images.Kernel => kernel.map((row) => row.map((tap) => [tap.flat()]));

const depthwise = (
  image: Seq,
  kernel: images.Kernel,
  bias: number[] | undefined,
  options: Partial<Conv2dOptions>,
): Seq => images.conv2d(image, grouped(kernel), bias, { ...windowsOf(options), groups: image[0]![0]!.length });

/** A product of each pixel with a matrix. */
const pointwise = (image: Seq, kernel: images.Kernel, bias: number[]): Seq => images.conv2d(image, kernel, bias);

const otherCases: LayerCase[] = [
  {
    of: 'DepthwiseConv2D',
    variant: 'two outputs a channel, strides, relu',
    inputs: { shape: [2, 5, 4, 3] },
    make: () =>
      depthwiseConv2d({ kernelSize: [3, 2], strides: 2, depthMultiplier: 2, padding: 'same', activation: 'tanh' }),
    reference: ([x], { kernel, bias }) => [
      (x as Seq[]).map((image) =>
        images.mapImage(depthwise(image, kernel, bias, { strides: 2, padding: 'same' }), Math.tanh),
      ),
    ],
  },
  {
    of: 'DepthwiseConv2D',
    variant: 'without bias, dilated',
    inputs: { shape: [1, 5, 5, 5] },
    make: () => depthwiseConv2d({ kernelSize: 2, dilationRate: 2, useBias: false }),
    reference: ([x], { kernel }) => [
      (x as Seq[]).map((image) => depthwise(image, kernel, undefined, { dilationRate: 2 })),
    ],
  },
  {
    of: 'SeparableConv2D',
    variant: 'strides, tanh',
    inputs: { shape: [2, 5, 4, 2] },
    make: () => separableConv2d({ filters: 3, kernelSize: 2, strides: [2, 1], depthMultiplier: 2, activation: 'tanh' }),
    reference: ([x], { depthwiseKernel, pointwiseKernel, bias }) => [
      (x as Seq[]).map((image) => {
        const made = depthwise(image, depthwiseKernel, undefined, { strides: [2, 1] });
        return images.mapImage(pointwise(made, pointwiseKernel, bias), Math.tanh);
      }),
    ],
  },
  {
    of: 'SeparableConv1D',
    variant: 'padded, dilated',
    inputs: { shape: [2, 6, 3] },
    make: () => separableConv1d({ filters: 2, kernelSize: 3, padding: 'same', dilationRate: 2 }),
    reference: ([x], { depthwiseKernel, pointwiseKernel, bias }) => [
      (x as Seq).map((rows) => {
        const made = depthwise([rows], [depthwiseKernel], undefined, { padding: 'same', dilationRate: [1, 2] });
        return pointwise(made, [pointwiseKernel], bias)[0]!;
      }),
    ],
  },
  ...(['same', 'valid'] as const).map(
    (padding): LayerCase => ({
      of: 'Conv2DTranspose',
      variant: `twice as large, ${padding}`,
      inputs: { shape: [2, 2, 3, 3] },
      make: () => conv2dTranspose({ filters: 2, kernelSize: 4, strides: 2, padding, activation: 'tanh' }),
      reference: ([x], { kernel, bias }) => [
        (x as Seq[]).map((image) =>
          images.mapImage(images.conv2dTranspose(image, kernel, bias, 2, padding), Math.tanh),
        ),
      ],
    }),
  ),
];

const [BATCH, TIME, FILTERS] = [2, 3, 2];
const VIDEO = [BATCH, TIME, 3, 4, 2];
const MASK = [
  [1, 0, 1],
  [0, 1, 1],
];

/** A video of one sample walked by the cell: outputs, the last one and the states, as images. */
function walked(
  { rank, ...options }: Partial<ConvLstm2dOptions> & { rank: 1 | 2 },
  mask?: Mat,
): LayerCase['reference'] {
  const { activation = 'tanh', recurrentActivation = 'sigmoid' } = options;
  const rules = { activation, recurrentActivation } as { activation: keyof typeof elementwise };
  // With one spatial axis an image has one row.
  const lift = (x: Nested): Nested => (rank === 1 ? [x] : x);
  const drop = (x: Nested): Nested => (rank === 1 ? x[0] : x);
  return ([x, ...initial], weights) => {
    const [strides, dilation] = [options.strides, options.dilationRate].map((given) =>
      rank === 1 ? ([1, (given ?? 1) as number] as const) : pair(given),
    ) as [images.Pair, images.Pair];
    const windows = { strides, dilation, padding: options.padding ?? 'valid' };
    const lifted = { ...weights, kernel: lift(weights.kernel), recurrentKernel: lift(weights.recurrentKernel) };
    const runs = (x as Nested[]).map((sample, b) => {
      const first = images.conv2d(lift(sample[0]), lifted.kernel, undefined, windows);
      const [height, width] = [first.length, first[0]!.length];
      const unflat = (row: number[]): Seq =>
        Array.from({ length: height }, (_, r) =>
          Array.from({ length: width }, (_, c) => row.slice((r * width + c) * FILTERS, (r * width + c + 1) * FILTERS)),
        );
      const size = height * width * FILTERS;
      const run = walk(
        (sample as Nested[]).map((_, t) => [t]),
        ([t], states) => {
          const next = images.convLstm(lift(sample[t!]), states.map(unflat), lifted as never, windows, rules);
          const flat = next.map((state) => state.flat(2));
          return { output: flat[0]!, states: flat };
        },
        {
          goBackwards: options.goBackwards,
          zeroOutputForMask: options.zeroOutputForMask,
          widths: [size, size],
          ...(mask && { mask: mask[b]! }),
          ...(initial.length > 0 && { initialState: initial.map((state) => lift(state[b]).flat(2)) }),
        },
      );
      const shaped = (row: number[]): Nested => drop(unflat(row));
      return { outputs: run.outputs.map(shaped), last: shaped(run.last), states: run.states.map(shaped) };
    });
    const y = options.returnSequences ? runs.map(({ outputs }) => outputs) : runs.map(({ last }) => last);
    return options.returnState ? [y, ...[0, 1].map((s) => runs.map(({ states }) => states[s]))] : [y];
  };
}

interface Variant {
  variant: string;
  options: Partial<ConvLstm2dOptions>;
  masked?: true;
  initialState?: [number, number];
  outputMask?: Mat;
}

const variants: Variant[] = [
  { variant: 'the last output', options: { kernelSize: 2 } },
  { variant: 'every output', options: { kernelSize: 3, padding: 'same', returnSequences: true } },
  { variant: 'without bias, with strides', options: { kernelSize: 2, strides: 2, useBias: false, returnState: true } },
  { variant: 'dilated', options: { kernelSize: 2, dilationRate: [1, 2], padding: 'same' } },
  { variant: 'backwards', options: { kernelSize: 2, goBackwards: true, returnSequences: true, returnState: true } },
  { variant: 'the last output and the states, masked', options: { kernelSize: 2, returnState: true }, masked: true },
  {
    variant: 'every output, masked, from an initial state',
    options: { kernelSize: [3, 1], padding: 'same', returnSequences: true, returnState: true },
    masked: true,
    initialState: [3, 4],
    outputMask: MASK,
  },
  {
    variant: 'every output, zeros where masked',
    options: { kernelSize: 2, returnSequences: true, zeroOutputForMask: true },
    masked: true,
    outputMask: MASK,
  },
  {
    variant: 'of other activations',
    options: { kernelSize: 2, activation: 'relu', recurrentActivation: 'hardSigmoid', returnSequences: true },
  },
  {
    variant: 'of softsign, masked, backwards',
    options: { kernelSize: 2, activation: 'softsign', goBackwards: true, returnState: true, strides: 2 },
    masked: true,
  },
];

const convLstmCases = variants.map(
  ({ variant, options, masked, initialState, outputMask }): LayerCase => ({
    of: 'ConvLSTM2D',
    variant,
    inputs: masked ? { shape: VIDEO, mask: MASK } : { shape: VIDEO },
    make: () => convLstm2d({ filters: FILTERS, kernelSize: 2, ...options }),
    ...(initialState && { initialState: [0, 1].map(() => [BATCH, ...initialState, FILTERS]) }),
    reference: walked({ rank: 2, ...options }, masked && MASK),
    ...(outputMask && { outputMask }),
  }),
);

const rowVariants: Variant[] = [
  { variant: 'every output', options: { returnSequences: true, strides: 2 } },
  { variant: 'masked, dilated', options: { dilationRate: 2, padding: 'same', returnState: true }, masked: true },
  { variant: 'of relu', options: { activation: 'relu' } },
];

const rowCases = rowVariants.map(
  ({ variant, options, masked }): LayerCase => ({
    of: 'ConvLSTM1D',
    variant,
    inputs: { shape: [BATCH, TIME, 5, 2], ...(masked && { mask: MASK }) },
    make: () => convLstm1d({ filters: FILTERS, kernelSize: 2, ...options } as never),
    reference: walked({ rank: 1, ...options }, masked && MASK),
  }),
);

/** The weights of one direction, by their own names. */
const directed = (weights: Record<string, Nested>, layer: string): Record<string, Nested> =>
  Object.fromEntries(['kernel', 'recurrentKernel', 'bias'].map((name) => [name, weights[`${layer}/${name}`]]));

const bothVariants: (Variant & { mergeMode: 'concat' | 'none' })[] = [
  { variant: 'the last outputs, joined', mergeMode: 'concat', options: { kernelSize: 2 }, masked: true },
  {
    variant: 'every output, from initial states',
    mergeMode: 'none',
    options: { kernelSize: 2, padding: 'same', strides: 2, returnSequences: true, returnState: true },
    initialState: [2, 2],
  },
];

const bothCases = bothVariants.map(
  ({ variant, mergeMode, options, masked, initialState }): LayerCase => ({
    of: 'Bidirectional',
    variant: `of convLstm2d, ${variant}`,
    inputs: masked ? { shape: VIDEO, mask: MASK } : { shape: VIDEO },
    make: () => bidirectional(convLstm2d({ filters: FILTERS, kernelSize: 2, ...options }), { mergeMode }),
    ...(initialState && { initialState: [0, 1, 2, 3].map(() => [BATCH, ...initialState, FILTERS]) }),
    reference: ([x, ...states], weights) => {
      const half = states.length / 2;
      const [[y, ...forward], [z, ...backward]] = [false, true].map((goBackwards, i) =>
        walked({ rank: 2, ...options, goBackwards }, masked && MASK)(
          [x, ...states.slice(i * half, (i + 1) * half)],
          directed(weights, goBackwards ? 'backward_conv_lstm2d' : 'forward_conv_lstm2d'),
        ),
      ) as [Nested[], Nested[]];
      if (mergeMode === 'none') return [y, (z as Seq[]).map((sample) => sample.toReversed()), ...forward, ...backward];
      const joined = (a: Nested, b: Nested): Nested =>
        typeof a[0] === 'number' ? [...a, ...b] : a.map((part: Nested, i: number) => joined(part, b[i]));
      return [joined(y, z)];
    },
  }),
);

export const convolutionCases: LayerCase[] = [
  ...conv2dCases,
  ...otherCases,
  ...convLstmCases,
  ...rowCases,
  ...bothCases,
];
