/**
 * Convolutions of images in float64, plain loops over nested arrays. An image is [H][W][C], a weight is as Keras lays
 * it out.
 */
import type { Seq, Vec } from './layers.ts';
import { type Elementwise, elementwise } from './layers.ts';

/** [KH][KW][I][O] */
export type Kernel = number[][][][];
export type Pair = readonly [height: number, width: number];

export interface ImageWindows {
  strides?: Pair;
  dilation?: Pair;
  padding?: 'valid' | 'same';
  groups?: number;
}

/** Number of windows along an axis, and zeros in front. */
export function windowsAlong(
  size: number,
  taps: number,
  stride: number,
  dilation: number,
  padding: string,
): { steps: number; before: number } {
  const span = (taps - 1) * dilation + 1;
  if (padding === 'valid') return { steps: Math.floor((size - span) / stride) + 1, before: 0 };
  const steps = Math.ceil(size / stride);
  return { steps, before: Math.floor(Math.max((steps - 1) * stride + span - size, 0) / 2) };
}

const image = (height: number, width: number, pixel: (row: number, column: number) => Vec): Seq =>
  Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => pixel(row, column)));

/** kernel [KH][KW][I/groups][O] */
export function conv2d(x: Seq, kernel: Kernel, bias: Vec | undefined, windows: ImageWindows = {}): Seq {
  const { strides = [1, 1], dilation = [1, 1], padding = 'valid', groups = 1 } = windows;
  const rows = windowsAlong(x.length, kernel.length, strides[0], dilation[0], padding);
  const cols = windowsAlong(x[0]!.length, kernel[0]!.length, strides[1], dilation[1], padding);
  const depth = kernel[0]![0]!.length;
  const outputs = kernel[0]![0]![0]!.length;
  return image(rows.steps, cols.steps, (row, column) => {
    const sums: Vec = Array.from({ length: outputs }, (_, o) => bias?.[o] ?? 0);
    for (let ky = 0; ky < kernel.length; ky++) {
      const line = x[row * strides[0] + ky * dilation[0] - rows.before];
      for (let kx = 0; line && kx < kernel[ky]!.length; kx++) {
        const pixel = line[column * strides[1] + kx * dilation[1] - cols.before];
        const tap = kernel[ky]![kx]!;
        for (let o = 0; pixel && o < outputs; o++) {
          const first = Math.floor(o / (outputs / groups)) * depth;
          for (let i = 0; i < depth; i++) sums[o]! += pixel[first + i]! * tap[i]![o]!;
        }
      }
    }
    return sums;
  });
}

/** kernel [KH][KW][O][I], equal strides for both axes: every pixel is added to the window that it makes. */
export function conv2dTranspose(x: Seq, kernel: Kernel, bias: Vec | undefined, stride: number, padding: string): Seq {
  const sizes = [x.length, x[0]!.length].map((n, axis) => {
    const taps = axis === 0 ? kernel.length : kernel[0]!.length;
    const result = n * stride + (padding === 'same' ? 0 : Math.max(taps - stride, 0));
    return { result, before: Math.floor(Math.max((n - 1) * stride + taps - result, 0) / 2) };
  });
  const [rows, cols] = sizes as [(typeof sizes)[0], (typeof sizes)[0]];
  const outputs = kernel[0]![0]!.length;
  const y = image(rows.result, cols.result, () => Array.from({ length: outputs }, (_, o) => bias?.[o] ?? 0));
  x.forEach((line, r) => {
    line.forEach((pixel, c) => {
      kernel.forEach((taps, ky) => {
        taps.forEach((tap, kx) => {
          const target = y[r * stride + ky - rows.before]?.[c * stride + kx - cols.before];
          if (target) tap.forEach((weights, o) => weights.forEach((w, i) => (target[o]! += w * pixel[i]!)));
        });
      });
    });
  });
  return y;
}

export const mapImage = (x: Seq, f: (value: number) => number): Seq => x.map((row) => row.map((pixel) => pixel.map(f)));

/** Elements of some images of one shape, joined by f. */
const join = (images: readonly Seq[], f: (...values: number[]) => number): Seq =>
  images[0]!.map((row, y) => row.map((pixel, x) => pixel.map((_, c) => f(...images.map((each) => each[y]![x]![c]!)))));

export interface ConvLstmWeights {
  kernel: Kernel;
  recurrentKernel: Kernel;
  bias?: Vec;
}

/** One step of keras.layers.ConvLSTM2D. States are h and c. */
export function convLstm(
  x: Seq,
  [h, c]: readonly Seq[],
  weights: ConvLstmWeights,
  windows: ImageWindows,
  rules: { activation?: Elementwise; recurrentActivation?: Elementwise } = {},
): [h: Seq, c: Seq] {
  const { activation = 'tanh', recurrentActivation = 'sigmoid' } = rules;
  const filters = weights.recurrentKernel[0]![0]!.length;
  const pre = join(
    [
      conv2d(x, weights.kernel, weights.bias, windows),
      conv2d(h!, weights.recurrentKernel, undefined, { padding: 'same' }),
    ],
    (a, b) => a + b,
  );
  const gate = (g: number, name: Elementwise): Seq =>
    pre.map((row) => row.map((pixel) => pixel.slice(g * filters, (g + 1) * filters).map(elementwise[name])));
  const [i, f, o] = [0, 1, 3].map((g) => gate(g, recurrentActivation)) as [Seq, Seq, Seq];
  const next = join([f, c!, i, gate(2, activation)], (forget, before, input, made) => forget * before + input * made);
  return [join([o, mapImage(next, elementwise[activation])], (out, value) => out * value), next];
}
