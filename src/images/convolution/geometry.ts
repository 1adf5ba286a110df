import { ArgumentError, expectCount, expectType, shown } from '../../checks/argument-error.ts';
import { expectChoice } from '../../checks/choices.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';

/** A size of both axes, or one for each: `[height, width]`. */
export type Pair = number | readonly [height: number, width: number];

/** Options of the windows of a convolution over images. */
export interface WindowOptions {
  /** Rows and columns between the starts of neighbouring windows. Default 1. */
  strides?: Pair | undefined;
  /** `valid`: windows lie inside the image. `same`: zeros around it, ⌈size/strides⌉ windows. Default `valid`. */
  padding?: 'valid' | 'same' | undefined;
  /** Rows and columns between neighbouring taps of the kernel. Default 1. */
  dilationRate?: Pair | undefined;
}

/** Windows along one axis. */
export interface Axis {
  /** Length of the input. */
  readonly input: number;
  /** Number of windows: the length of the output. */
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Number of zeros in front. */
  readonly before: number;
}

/** Windows of a batch of images `[batch, rows.input, cols.input, inputs]`, and the channels of the product. */
export interface Geometry {
  readonly batch: number;
  readonly rows: Axis;
  readonly cols: Axis;
  /** Channels I of the input. */
  readonly inputs: number;
  /** Channels O of the output. */
  readonly outputs: number;
  readonly groups: number;
}

/** Number of elements from the first tap of a window to the last. */
export const spanOf = ({ taps, dilation }: Pick<Axis, 'taps' | 'dilation'>): number => (taps - 1) * dilation + 1;

/** Number of elements that the windows cover, zeros included. */
export const coveredBy = (axis: Axis): number => Math.max(axis.output - 1, 0) * axis.stride + spanOf(axis);

/** Throws `ArgumentError` unless the size is an integer ≥ 1 and less than 2^30. */
function expectSize(what: string, size: number): number {
  if (expectCount(what, size) < 2 ** 30) return size;
  throw new ArgumentError(`${what} expected less than 2^30, got ${size}`);
}

/** Both numbers of a pair. Throws `ArgumentError` unless they are integers ≥ 1 and less than 2^30. */
export function pairOf(what: string, given: Pair): readonly [height: number, width: number] {
  if (!Array.isArray(given)) return [expectSize(what, given as number), given as number];
  if (given.length !== 2) throw new ArgumentError(`${what} expected a number or two, got ${shown(given)}`);
  return [expectSize(`${what}[0]`, given[0]), expectSize(`${what}[1]`, given[1])];
}

/** Checked options of windows: `[height, width]` of each. */
export interface Windows {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: 'valid' | 'same';
}

/** Checks the options. Throws `ArgumentError` for one out of range. */
export function windowsOf(what: string, options: WindowOptions): Windows {
  const { strides = 1, padding = 'valid', dilationRate = 1 } = options;
  expectChoice(what, 'padding', padding, ['valid', 'same']);
  return {
    strides: pairOf(`${what}: strides`, strides),
    dilations: pairOf(`${what}: dilationRate`, dilationRate),
    padding,
  };
}

/** The windows along axis 0 (rows) or 1 (columns) of an image. Throws `ArgumentError` if no window fits. */
export function axisOf(what: string, windows: Windows, axis: 0 | 1, input: number, taps: number): Axis {
  const [stride, dilation] = [windows.strides[axis], windows.dilations[axis]];
  const span = spanOf({ taps, dilation });
  if (windows.padding === 'same') {
    const output = Math.ceil(input / stride);
    const zeros = Math.max((output - 1) * stride + span - input, 0);
    return { input, output, taps, stride, dilation, before: Math.floor(zeros / 2) };
  }
  if (input < span) {
    const line = axis === 0 ? 'rows' : 'columns';
    throw new ArgumentError(`${what}: x expected at least ${span} ${line} for one window, got ${input}`);
  }
  return { input, output: Math.floor((input - span) / stride) + 1, taps, stride, dilation, before: 0 };
}

/** The length of an output of windows, null if that of the input is. */
export const lengthOf = (
  what: string,
  windows: Windows,
  axis: 0 | 1,
  input: number | null,
  taps: number,
): number | null => (input === null ? null : axisOf(what, windows, axis, input, taps).output);

/** Throws `ArgumentError` unless the input is `[batch, height, width, channels]`. */
export function expectImages(what: string, shape: BatchShape): void {
  if (shape.length === 4) return;
  const got = `[${shape.map((n) => n ?? '?').join(', ')}]`;
  throw new ArgumentError(`${what}: input expected [batch, height, width, channels], got ${got}`);
}

/** Throws `ArgumentError` unless the layout is that of Keras's default. */
export function expectChannelsLast(what: string, dataFormat: unknown): void {
  if (dataFormat === undefined || dataFormat === 'channelsLast') return;
  expectType(`${what}: dataFormat`, dataFormat, 'a string');
  throw new ArgumentError(
    `${what}: dataFormat expected 'channelsLast', got ${shown(dataFormat)}; transpose the images to [B, H, W, C]`,
  );
}
