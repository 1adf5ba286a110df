// Depthwise convolution and the transforms of Winograd's convolution against their definitions in float64. A sum of k
// products, each rounded a few times by at most u = 2⁻²⁴ of a partial sum, is off by at most a few k·u·Σ|a||b|.
import { describe, test } from 'vitest';
import type { Ptr } from '../../src/engine/abi.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const UNIT_ROUNDOFF = 2 ** -24;
/** What stands where a kernel must not write. */
const GAP = -12345;

/** A sum in float64, and the sum of the absolute values of its terms. */
interface Sum {
  value: number;
  size: number;
}

const sumOf = (start: number): Sum => ({ value: start, size: Math.abs(start) });
function addTo(sum: Sum, term: number): void {
  sum.value += term;
  sum.size += Math.abs(term);
}

/** Throws at the first element that is further from its sum than `roundings` roundings of its terms. */
function expectSums(what: string, got: ArrayLike<number>, sums: readonly Sum[], roundings: number): void {
  for (const [i, { value, size }] of sums.entries()) {
    const bound = roundings * UNIT_ROUNDOFF * size;
    if (!(Math.abs(got[i]! - value) <= bound))
      throw new Error(`${what}[${i}]: got ${got[i]}, expected ${value} ± ${bound}`);
  }
}

/** A part of rows of `length` floats that begin `pitch` floats apart. */
function insideOf(rows: Float32Array, length: number, pitch: number): Float32Array {
  return rows.filter((_, i) => i % pitch < length);
}

/** Throws unless every float between the rows is what it was. */
function expectGaps(what: string, got: Float32Array, before: Float32Array, length: number, pitch: number): void {
  got.forEach((value, i) => {
    if (i % pitch >= length && !Object.is(value, before[i])) throw new Error(`${what}[${i}] is overwritten: ${value}`);
  });
}

/** The values in rows `pitch` floats apart, with `fill` between. */
function spaced(rows: ArrayLike<number>, length: number, pitch: number, fill: number): Float32Array {
  const count = length === 0 ? 0 : rows.length / length;
  const all = new Float32Array(count * pitch).fill(fill);
  for (let i = 0; i < rows.length; i++) all[Math.floor(i / length) * pitch + (i % length)] = rows[i]!;
  return all;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

interface Depthwise {
  rows: number;
  columns: number;
  channels: number;
  taps: [rows: number, columns: number];
  strides?: [down: number, right: number];
  dilation?: [down: number, right: number];
}

const channelCounts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13];
const depthwiseGrid: Depthwise[] = [
  ...channelCounts.map((channels): Depthwise => ({ rows: 2, columns: 5, channels, taps: [3, 2] })),
  // Four windows are computed at a time.
  ...range(10).map((columns): Depthwise => ({ rows: 1, columns, channels: 5, taps: [2, 3] })),
  { rows: 0, columns: 3, channels: 3, taps: [2, 2] },
  { rows: 2, columns: 3, channels: 3, taps: [0, 2] },
  { rows: 3, columns: 6, channels: 6, taps: [1, 1] },
  { rows: 3, columns: 6, channels: 7, taps: [2, 3], strides: [3, 2] },
  { rows: 2, columns: 7, channels: 3, taps: [3, 2], dilation: [2, 3] },
  { rows: 3, columns: 5, channels: 9, taps: [3, 3], strides: [1, 3], dilation: [2, 1] },
];

function checkDepthwise(sandbox: Sandbox, c: Depthwise, misaligned: boolean): void {
  const { rows, columns, channels, taps, strides = [1, 1], dilation = [1, 1] } = c;
  const { extra } = sandbox;
  const reach = (count: number, axis: 0 | 1): number =>
    Math.max((count - 1) * strides[axis] + (taps[axis] - 1) * dilation[axis] + 1, 0);
  const [height, width] = [reach(rows, 0), reach(columns, 1)];
  // Behind each row of pixels are floats that no kernel reads or writes.
  const [line, pitch] = [width * channels, width * channels + 3];
  const [x, w, bias] = [values(height * line, 1), values(taps[0] * taps[1] * channels, 2), values(channels, 3)];
  const dy = values(rows * columns * channels, 4);
  const [oldX, oldW] = [values(x.length, 5), values(w.length, 6)];

  sandbox.clear();
  const steps = sandbox.i32([strides[0] * pitch, strides[1] * channels, dilation[0] * pitch, dilation[1] * channels]);
  const [xRows, dxRows] = [spaced(x, line, pitch, Number.NaN), spaced(oldX, line, pitch, GAP)];
  const [xAt, dxAt] = [sandbox.f32(xRows, misaligned), sandbox.f32(dxRows, misaligned)];
  const [wAt, biasAt, dyAt, dwAt] = [w, bias, dy, oldW].map((from) => sandbox.f32(from, misaligned)) as [
    Ptr,
    Ptr,
    Ptr,
    Ptr,
  ];
  const [yAt, plainAt] = [sandbox.f32(dy.length, misaligned), sandbox.f32(dy.length, misaligned)];
  const shape = [rows, columns, channels, ...taps, steps] as const;
  extra.depthwise(...shape, xAt, wAt, biasAt, yAt);
  extra.depthwise(...shape, xAt, wAt, 0, plainAt);
  extra.depthwise_backward_input(...shape, dyAt, wAt, dxAt);
  extra.depthwise_backward_weights(...shape, xAt, dyAt, dwAt);
  sandbox.checkFences();

  const y = Array.from(dy, (_, i) => sumOf(bias[i % channels]!));
  const plain = y.map(() => sumOf(0));
  const [dx, dw] = [Array.from(oldX, sumOf), Array.from(oldW, sumOf)];
  for (const r of range(rows)) {
    for (const q of range(columns)) {
      for (const ky of range(taps[0])) {
        for (const kx of range(taps[1])) {
          const pixel = (r * strides[0] + ky * dilation[0]) * width + q * strides[1] + kx * dilation[1];
          for (const channel of range(channels)) {
            const [to, from] = [(r * columns + q) * channels + channel, pixel * channels + channel];
            const tap = (ky * taps[1] + kx) * channels + channel;
            for (const sum of [y[to]!, plain[to]!]) addTo(sum, x[from]! * w[tap]!);
            addTo(dx[from]!, dy[to]! * w[tap]!);
            addTo(dw[tap]!, dy[to]! * x[from]!);
          }
        }
      }
    }
  }
  const roundings = (count: number): number => 2 * (count + 1);
  const count = taps[0] * taps[1];
  expectSums('y', sandbox.read(yAt, y.length), y, roundings(count));
  expectSums('y without bias', sandbox.read(plainAt, y.length), plain, roundings(count));
  const seen = sandbox.read(dxAt, dxRows.length);
  expectGaps('dx', seen, dxRows, line, pitch);
  expectSums('dx', insideOf(seen, line, pitch), dx, roundings(count));
  expectSums('dw', sandbox.read(dwAt, dw.length), dw, roundings(rows * columns));
}

// The matrices of the transforms, from their definition: polynomials over the points 0, ±3/4, ±3/2 and ∞.
const points = [0, 0.75, -0.75, 1.5, -1.5];
/** Coefficients, ascending, of the polynomial with these zeros. */
function polynomial(zeros: readonly number[]): number[] {
  const p = [1];
  for (const zero of zeros) {
    p.push(0);
    for (let i = p.length - 1; i >= 0; i--) p[i] = (p[i - 1] ?? 0) - zero * p[i]!;
  }
  return p;
}
const powers = (p: number, count: number): number[] => range(count).map((k) => p ** k);
const unit = (at: number, count: number): number[] => range(count).map((k) => +(k === at));
const pixels = [...points.map((p) => [...polynomial(points.filter((q) => q !== p)), 0]), polynomial(points)];
/** Rows of powers of each point, divided by its distances to the others. */
const scaled = (count: number): number[][] => [
  ...points.map((p) => {
    const distances = points.filter((q) => q !== p).reduce((product, q) => product * (p - q), 1);
    return powers(p, count).map((power) => power / distances);
  }),
  unit(count - 1, count),
];
const evaluated = (count: number): number[][] =>
  range(count).map((k) => [...points.map((p) => p ** k), +(k === count - 1)]);

type Matrix = readonly (readonly number[])[];

/** M·tile·Mᵀ of one channel; `at` gives the tile's elements. */
function sandwich(matrix: Matrix, at: (i: number, j: number) => number): Sum[] {
  return matrix.flatMap((left) =>
    matrix.map((right) => {
      const sum = sumOf(0);
      left.forEach((a, i) => {
        right.forEach((b, j) => {
          addTo(sum, a * b * at(i, j));
        });
      });
      return sum;
    }),
  );
}

/** Each of the two passes rounds a term at most 6 times: constants, products, and sums of up to three. */
const ROUNDINGS = 2 * 2 * 6;

const tiles = [
  [1, 1],
  [1, 3],
  [2, 1],
  [2, 3],
  [0, 2],
  [2, 0],
] as const;
const winogradGrid = [4, 12].flatMap((channels) => tiles.map(([rows, columns]) => ({ rows, columns, channels })));
/** Rows and columns of outputs that the last tiles keep. */
const ends = [
  [1, 4],
  [2, 3],
  [3, 2],
  [4, 1],
  [4, 4],
] as const;
type Winograd = (typeof winogradGrid)[number];

/** The transforms of tiles of `size` pixels, `4` pixels apart, to planes. */
function checkToPlaces(sandbox: Sandbox, c: Winograd, kind: 'pixels' | 'gradients', misaligned: boolean): void {
  const { rows, columns, channels } = c;
  const { extra } = sandbox;
  const [matrix, size] = kind === 'pixels' ? ([pixels, 6] as const) : ([scaled(4), 4] as const);
  const [height, width] = [rows, columns].map((count) => (count === 0 ? 0 : 4 * (count - 1) + size)) as [
    number,
    number,
  ];
  const [line, pitch] = [width * channels, width * channels + 5];
  const x = values(height * line, 1);
  const [length, plane] = [rows * columns * channels, rows * columns * channels + 3];
  const before = spaced(new Float32Array(36 * length).fill(Number.NaN), length, plane, GAP);
  sandbox.clear();
  const xAt = sandbox.f32(spaced(x, line, pitch, Number.NaN), misaligned);
  const [vAt, scratch] = [sandbox.f32(before, misaligned), sandbox.f32(144, misaligned)];
  extra[`winograd_${kind}`](rows, columns, channels, xAt, pitch, vAt, plane, scratch);
  sandbox.checkFences();
  const v = sandbox.read(vAt, before.length);
  if (length > 0) expectGaps('v', v, before, length, plane);
  const got = insideOf(v, length, plane);
  for (const tile of range(rows * columns)) {
    const [top, left] = [4 * Math.floor(tile / columns), 4 * (tile % columns)];
    for (const channel of range(channels)) {
      const sums = sandwich(matrix, (i, j) => x[(top + i) * line + (left + j) * channels + channel]!);
      const places = sums.map((_, place) => got[place * length + tile * channels + channel]!);
      expectSums(`place of tile ${tile}, channel ${channel}: `, places, sums, ROUNDINGS);
    }
  }
}

/** Outputs with `height` and `width` in the last tile's row and column. */
function checkOutputs(
  sandbox: Sandbox,
  { rows, columns, channels }: Winograd,
  { tall, wide, start }: { tall: number; wide: number; start: 'zero' | 'bias' | 'accumulate' },
  misaligned: boolean,
): void {
  const { extra } = sandbox;
  const [length, plane] = [rows * columns * channels, rows * columns * channels + 3];
  const m = values(36 * length, 1);
  const bias = values(channels, 2);
  const [height, width] = [Math.max(4 * (rows - 1) + tall, 0), Math.max(4 * (columns - 1) + wide, 0)];
  const count = height * width * channels;
  const old = values(count, 3);
  sandbox.clear();
  const mAt = sandbox.f32(spaced(m, length, plane, Number.NaN), misaligned);
  const biasAt = start === 'bias' ? sandbox.f32(bias, misaligned) : 0;
  const yAt = sandbox.f32(start === 'accumulate' ? old : count, misaligned);
  const scratch = sandbox.f32(144, misaligned);
  const accumulate = +(start === 'accumulate');
  extra.winograd_outputs(rows, columns, channels, mAt, plane, biasAt, yAt, height, width, accumulate, scratch);
  sandbox.checkFences();
  const y = sandbox.read(yAt, count);
  const matrix = evaluated(4);
  for (const tile of range(rows * columns)) {
    const [top, left] = [4 * Math.floor(tile / columns), 4 * (tile % columns)];
    for (const channel of range(channels)) {
      const sums = sandwich(matrix, (i, j) => m[(6 * i + j) * length + tile * channels + channel]!);
      for (const [place, sum] of sums.entries()) {
        const [r, q] = [top + Math.floor(place / 4), left + (place % 4)];
        if (r >= height || q >= width) continue;
        const at = (r * width + q) * channels + channel;
        if (start !== 'zero') addTo(sum, start === 'bias' ? bias[channel]! : old[at]!);
        expectSums(`y[${r}, ${q}, ${channel}]`, [y[at]!], [sum], ROUNDINGS + 2);
      }
    }
  }
}

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build, 4);
  const { extra } = sandbox;

  test.each(depthwiseGrid.map((c) => [JSON.stringify(c), c] as const))('depthwise of %s, has its sums', (_, c) => {
    for (const misaligned of [false, true]) checkDepthwise(sandbox, c, misaligned);
  });

  test.each(winogradGrid.map((c) => [JSON.stringify(c), c] as const))('winograd of %s, has its transforms', (_, c) => {
    for (const misaligned of [false, true]) {
      for (const kind of ['pixels', 'gradients'] as const) checkToPlaces(sandbox, c, kind, misaligned);
      for (const start of ['zero', 'bias', 'accumulate'] as const) {
        for (const [tall, wide] of ends) checkOutputs(sandbox, c, { tall, wide, start }, misaligned);
      }
    }
  });

  test.each([0, 4, 8, 20])('winograd of %i taps, there and back, has its transforms', (count) => {
    const [taps, places] = [values(9 * count, 1), values(36 * count, 2)];
    for (const misaligned of [false, true]) {
      sandbox.clear();
      const [wAt, mAt] = [sandbox.f32(taps, misaligned), sandbox.f32(places, misaligned)];
      const [uAt, dwAt] = [sandbox.f32(36 * count, misaligned), sandbox.f32(9 * count, misaligned)];
      const scratch = sandbox.f32(144, misaligned);
      extra.winograd_taps(count, wAt, uAt, scratch);
      extra.winograd_tap_gradients(count, mAt, dwAt, scratch);
      sandbox.checkFences();
      const [u, dw] = [sandbox.read(uAt, 36 * count), sandbox.read(dwAt, 9 * count)];
      for (const tap of range(count)) {
        const of = (all: Float32Array): Float32Array => all.filter((_, i) => i % count === tap);
        const sums = sandwich(scaled(3), (i, j) => taps[(3 * i + j) * count + tap]!);
        expectSums(`u of tap ${tap}: `, of(u), sums, ROUNDINGS);
        const gradients = sandwich(evaluated(3), (i, j) => places[(6 * i + j) * count + tap]!);
        expectSums(`dw of tap ${tap}: `, of(dw), gradients, ROUNDINGS);
      }
    }
  });
});
