// Layers of tapeloop/images in float64: pooling, batch normalization, borders, up-sampling.
import {
  averagePooling2d,
  type BatchNormalizationOptions,
  batchNormalization,
  cropping1d,
  cropping2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  rescaling,
  spatialDropout2d,
  upSampling1d,
  upSampling2d,
  zeroPadding1d,
  zeroPadding2d,
} from '../../../src/images.ts';
import { timeDistributed } from '../../../src/layers/time-distributed.ts';
import type { Vec } from '../../reference/layers.ts';
import { each, type LayerCase, type Nested } from './case.ts';

/** [H][W][C] */
type Image = Vec[][];

const IMAGES = { shape: [2, 5, 4, 3] };
const ofImages = (f: (image: Image) => Nested): LayerCase['reference'] => each(f as never);
const channels = (pixels: Vec[], f: (values: Vec) => number): Vec =>
  pixels[0]!.map((_, c) => f(pixels.map((pixel) => pixel[c]!)));
const mean = (values: Vec): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const greatest = (values: Vec): number => Math.max(...values);

interface Windows {
  size: [number, number];
  strides: [number, number];
  padding: 'valid' | 'same';
}

function pool(image: Image, { size, strides, padding }: Windows, f: (values: Vec) => number): Image {
  const starts = (length: number, axis: 0 | 1): number[] => {
    const [window, stride] = [size[axis], strides[axis]];
    const isSame = padding === 'same';
    const count = isSame ? Math.ceil(length / stride) : Math.floor((length - window) / stride) + 1;
    const before = isSame ? Math.floor(Math.max((count - 1) * stride + window - length, 0) / 2) : 0;
    return Array.from({ length: count }, (_, n) => n * stride - before);
  };
  const part = <T>(list: T[], start: number, length: number): T[] => list.slice(Math.max(start, 0), start + length);
  return starts(image.length, 0).map((top) =>
    starts(image[0]!.length, 1).map((left) =>
      channels(
        part(image, top, size[0]).flatMap((row) => part(row, left, size[1])),
        f,
      ),
    ),
  );
}

const windows: Windows[] = [
  { size: [2, 2], strides: [2, 2], padding: 'valid' },
  { size: [3, 2], strides: [1, 1], padding: 'valid' },
  { size: [3, 3], strides: [2, 2], padding: 'same' },
  { size: [2, 3], strides: [3, 1], padding: 'same' },
];

const poolingCases = windows.flatMap((each): LayerCase[] => {
  const { size, strides, padding } = each;
  const variant = `of ${size}, strides ${strides}, ${padding}`;
  const options = { poolSize: size, strides, padding };
  const inputs = { shape: size[1] === 3 ? [2, 5, 4, 5] : IMAGES.shape };
  return [
    {
      of: 'MaxPooling2D',
      ...{ variant, inputs },
      make: () => maxPooling2d(options),
      reference: ofImages((image) => pool(image, each, greatest)),
    },
    {
      of: 'AveragePooling2D',
      ...{ variant, inputs },
      make: () => averagePooling2d(options),
      reference: ofImages((image) => pool(image, each, mean)),
    },
  ];
});

const globalCases = [false, true].flatMap((keepdims): LayerCase[] => {
  const variant = keepdims ? 'with axes of length 1' : 'of images';
  const whole = (f: (values: Vec) => number) =>
    ofImages((image) => {
      const y = channels(image.flat(), f);
      return keepdims ? [[y]] : y;
    });
  return [
    {
      of: 'GlobalMaxPooling2D',
      variant,
      inputs: IMAGES,
      make: () => globalMaxPooling2d({ keepdims }),
      reference: whole(greatest),
    },
    {
      of: 'GlobalAveragePooling2D',
      variant,
      inputs: IMAGES,
      make: () => globalAveragePooling2d({ keepdims }),
      reference: whole(mean),
    },
  ];
});

/** Where a value is: its place along the axes. */
type Place = readonly number[];

function leaves(x: Nested, place: Place = []): [Place, number][] {
  return Array.isArray(x) ? x.flatMap((part, i) => leaves(part, [...place, i])) : [[place, x]];
}

function map(x: Nested, f: (value: number, place: Place) => number, place: Place = []): Nested {
  return Array.isArray(x) ? x.map((part, i) => map(part, f, [...place, i])) : f(x, place);
}

/** Batch normalization of `axis` by the statistics of the values that count, or by moving ones. */
function normalized(
  x: Nested,
  weights: Record<string, Vec>,
  { axis, epsilon = 1e-3, byBatch }: { axis: number; epsilon?: number; byBatch: boolean },
  counts: (place: Place) => boolean = () => true,
): Nested {
  const all = leaves(x).filter(([place]) => counts(place));
  const of = (feature: number): { mean: number; variance: number } => {
    if (!byBatch) return { mean: weights.moving_mean![feature]!, variance: weights.moving_variance![feature]! };
    const values = all.filter(([place]) => place[axis] === feature).map(([, value]) => value);
    if (values.length === 0) return { mean: 0, variance: 0 };
    const middle = mean(values);
    return { mean: middle, variance: mean(values.map((value) => (value - middle) ** 2)) };
  };
  const statistics = weights.moving_mean!.map((_, feature) => of(feature));
  return map(x, (value, place) => {
    const feature = place[axis]!;
    const { mean: middle, variance } = statistics[feature]!;
    const y = (value - middle) / Math.sqrt(variance + epsilon);
    return y * (weights.gamma?.[feature] ?? 1) + (weights.beta?.[feature] ?? 0);
  });
}

const positive = (name: string, values: Float32Array): void => {
  if (name.endsWith('moving_variance')) for (const i of values.keys()) values[i] = Math.abs(values[i]!) + 0.1;
};
const MASK = [
  [1, 1, 1, 0, 0],
  [1, 0, 1, 1, 0],
];

const normalization = (
  variant: string,
  shape: number[],
  options: BatchNormalizationOptions & { training?: boolean; mask?: typeof MASK },
): LayerCase => {
  const { training = true, mask, ...given } = options;
  const axis = ((options.axis ?? -1) + shape.length) % shape.length;
  const byBatch = training && options.trainable !== false;
  return {
    of: 'BatchNormalization',
    variant,
    inputs: { shape, ...(mask && { mask }) },
    make: () => batchNormalization(given),
    call: { training },
    editWeight: positive,
    reference: ([x], weights) => [
      normalized(
        x,
        weights,
        { axis, byBatch, ...(given.epsilon !== undefined && { epsilon: given.epsilon }) },
        ([b, t]) => !mask || mask[b!]![t!] !== 0,
      ),
    ],
    ...(mask && { outputMask: mask }),
  };
};

const normalizationCases = [
  normalization('of vectors, by the batch', [7, 5], {}),
  normalization('of vectors, by the moving statistics', [7, 5], { training: false }),
  normalization('of images, by the batch', [2, 3, 4, 9], { epsilon: 0.01 }),
  normalization('that is frozen', [3, 2, 2, 3], { trainable: false }),
  normalization('without beta', [6, 3], { center: false }),
  normalization('without gamma', [6, 3], { scale: false }),
  normalization('of neither', [6, 13], { scale: false, center: false }),
  normalization('of axis 1', [3, 4, 2, 2], { axis: 1 }),
  normalization('of axis 2, by the moving statistics', [3, 2, 4, 2], { axis: 2, training: false }),
  normalization('of the steps that count', [2, 5, 3], { mask: MASK }),
  normalization('of the frames that count', [2, 5, 2, 2, 3], { mask: MASK }),
  normalization('of axis 3, over the frames that count', [2, 5, 2, 3, 2], { mask: MASK, axis: 3 }),
  normalization('where nothing counts', [2, 5, 3], { mask: MASK.map((row) => row.map(() => 0)) }),
];

const bordered = (image: Image, [top, bottom, left, right]: number[]): Image => {
  const none = image[0]![0]!.map(() => 0);
  const width = left! + image[0]!.length + right!;
  const blank = (count: number): Image => Array.from({ length: count }, () => new Array<Vec>(width).fill(none));
  const middle = image.map((row) => [...new Array(left).fill(none), ...row, ...new Array(right).fill(none)]);
  return [...blank(top!), ...middle, ...blank(bottom!)];
};

/** The values of an axis, `factor` times as long, by linear interpolation between centers. */
function stretched(rows: Nested[], factor: number): Nested[] {
  return Array.from({ length: rows.length * factor }, (_, j) => {
    const center = Math.min(Math.max((j + 0.5) / factor - 0.5, 0), rows.length - 1);
    const low = Math.floor(center);
    const next = Math.min(low + 1, rows.length - 1);
    const blend = (a: Nested, b: Nested): Nested =>
      Array.isArray(a) ? a.map((part, i) => blend(part, b[i])) : a + (b - a) * (center - low);
    return blend(rows[low], rows[next]);
  });
}
const repeated = <T>(list: T[], times: number): T[] => list.flatMap((one) => new Array<T>(times).fill(one));

const shapeCases: LayerCase[] = [
  {
    of: 'ZeroPadding1D',
    variant: 'of unequal ends',
    inputs: { shape: [2, 3, 2] },
    make: () => zeroPadding1d({ padding: [2, 1] }),
    reference: each((x) => [[0, 0], [0, 0], ...x, [0, 0]]),
  },
  {
    of: 'ZeroPadding2D',
    variant: 'of one pixel',
    inputs: IMAGES,
    make: () => zeroPadding2d(),
    reference: ofImages((image) => bordered(image, [1, 1, 1, 1])),
  },
  {
    of: 'ZeroPadding2D',
    variant: 'of four widths',
    inputs: IMAGES,
    make: () => zeroPadding2d({ padding: [[2, 0], [1, 3]] }), // biome-ignore format: one row
    reference: ofImages((image) => bordered(image, [2, 0, 1, 3])),
  },
  {
    of: 'Cropping1D',
    variant: 'of unequal ends',
    inputs: { shape: [2, 5, 2] },
    make: () => cropping1d({ cropping: [2, 1] }),
    reference: each((x) => x.slice(2, -1)),
  },
  {
    of: 'Cropping2D',
    variant: 'of four widths',
    inputs: IMAGES,
    make: () => cropping2d({ cropping: [[2, 0], [1, 1]] }), // biome-ignore format: one row
    reference: ofImages((image) => image.slice(2).map((row) => row.slice(1, -1))),
  },
  {
    of: 'UpSampling1D',
    variant: 'of three',
    inputs: { shape: [2, 3, 5] },
    make: () => upSampling1d({ size: 3 }),
    reference: each((x) => repeated(x, 3)),
  },
  {
    of: 'UpSampling2D',
    variant: 'by the nearest',
    inputs: IMAGES,
    make: () => upSampling2d({ size: [2, 3] }),
    reference: ofImages((image) =>
      repeated(
        image.map((row) => repeated(row, 3)),
        2,
      ),
    ),
  },
  {
    of: 'UpSampling2D',
    variant: 'bilinear',
    inputs: { shape: [2, 3, 4, 5] },
    make: () => upSampling2d({ size: [3, 2], interpolation: 'bilinear' }),
    reference: ofImages((image) =>
      stretched(
        image.map((row) => stretched(row, 2)),
        3,
      ),
    ),
  },
  {
    of: 'Rescaling',
    variant: 'of pixels',
    inputs: { shape: [2, 5, 3], mask: MASK },
    make: () => rescaling({ scale: 2 / 255, offset: -1 }),
    reference: each((x) => x.map((row) => row.map((value) => (2 / 255) * value - 1))),
    outputMask: MASK,
  },
  {
    of: 'SpatialDropout2D',
    variant: 'outside training',
    inputs: IMAGES,
    make: () => spatialDropout2d({ rate: 0.5 }),
    reference: ofImages((image) => image),
  },
];

const VIDEO = { shape: [2, 3, 4, 4, 2] };
const ofFrames = (f: (image: Image) => Nested): LayerCase['reference'] =>
  each((video) => (video as unknown as Image[]).map(f));
const videoCases: LayerCase[] = [
  {
    variant: 'of maxPooling2d',
    make: () => timeDistributed(maxPooling2d()),
    reference: ofFrames((image) => pool(image, windows[0]!, greatest)),
  },
  {
    variant: 'of averagePooling2d',
    make: () => timeDistributed(averagePooling2d()),
    reference: ofFrames((image) => pool(image, windows[0]!, mean)),
  },
  {
    variant: 'of globalMaxPooling2d',
    make: () => timeDistributed(globalMaxPooling2d()),
    reference: ofFrames((image) => channels(image.flat(), greatest)),
  },
  {
    variant: 'of globalAveragePooling2d',
    make: () => timeDistributed(globalAveragePooling2d()),
    reference: ofFrames((image) => channels(image.flat(), mean)),
  },
  {
    variant: 'of batchNormalization',
    make: () => timeDistributed(batchNormalization()),
    call: { training: true },
    editWeight: positive,
    reference: ([x], weights) => [normalized(x, weights, { axis: 4, byBatch: true })],
  } satisfies Partial<LayerCase>,
  {
    variant: 'of zeroPadding2d',
    make: () => timeDistributed(zeroPadding2d()),
    reference: ofFrames((image) => bordered(image, [1, 1, 1, 1])),
  },
  {
    variant: 'of cropping2d',
    make: () => timeDistributed(cropping2d({ cropping: 1 })),
    reference: ofFrames((image) => image.slice(1, -1).map((row) => row.slice(1, -1))),
  },
  {
    variant: 'of upSampling2d',
    make: () => timeDistributed(upSampling2d()),
    reference: ofFrames((image) =>
      repeated(
        image.map((row) => repeated(row, 2)),
        2,
      ),
    ),
  },
  {
    variant: 'of rescaling',
    make: () => timeDistributed(rescaling({ scale: 3 })),
    reference: ofFrames((image) => map(image, (value) => 3 * value)),
  },
].map((c) => ({ of: 'TimeDistributed', inputs: VIDEO, ...c }));

/** Sequences whose steps are sequences, for the layers of one axis. */
const stepCases: LayerCase[] = [
  {
    of: 'TimeDistributed',
    variant: 'of zeroPadding1d',
    inputs: { shape: [2, 3, 4, 2] },
    make: () => timeDistributed(zeroPadding1d()),
    reference: ofFrames((x) => [[0, 0], ...x, [0, 0]]),
  },
  {
    of: 'TimeDistributed',
    variant: 'of cropping1d',
    inputs: { shape: [2, 3, 4, 2] },
    make: () => timeDistributed(cropping1d()),
    reference: ofFrames((x) => x.slice(1, -1)),
  },
  {
    of: 'TimeDistributed',
    variant: 'of upSampling1d',
    inputs: { shape: [2, 3, 4, 2] },
    make: () => timeDistributed(upSampling1d()),
    reference: ofFrames((x) => repeated(x, 2)),
  },
];

export const imageCases: readonly LayerCase[] = [
  ...poolingCases,
  ...globalCases,
  ...normalizationCases,
  ...shapeCases,
  ...videoCases,
  ...stepCases,
];
