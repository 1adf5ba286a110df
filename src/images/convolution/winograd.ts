/*
 * Convolutions of 3×3 taps with a quarter of the products: Winograd's minimal filtering F(4×4, 3×3). Tiles of 6×6
 * pixels are transformed, multiplied place by place as 36 matrix products over the channels, and transformed back
 * (assembly/images/winograd.ts). Rounding errors are about twice those of the definition; NaN and ∞ spread to
 * the whole tile of 4×4 outputs.
 *
 * The tiles of an image are made in bands, so that the places of a band stay in the L2 cache. No bit depends on the
 * bands: every product sums the channels, or the tiles of all images, in ascending order.
 */
import { Init, type Kernels, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { extraKernels } from '../../engine/extra/extra-kernels.ts';
import { PRODUCT_GRAIN } from '../../ops/products/product.ts';
import type { Axis, Geometry } from './geometry.ts';

/** Edge of a tile of outputs, and places of a tile. */
const EDGE = 4;
const PLACES = 36;
/** Least number of tiles of a band: enough for whole tiles of `gemm`. */
const BAND_TILES = 48;
/** Floats between planes beside their own, so that the places of a tile are not all in the same sets of the cache. */
const GAP = 16;
/** Least number of channels: with fewer the transforms take longer than the products that they save. */
const LEAST_CHANNELS = 16;
const SCRATCH = 4 * PLACES;

const tilesOf = ({ output }: Axis): number => Math.ceil(output / EDGE);

/** Whether a convolution is computed by tiles. */
export function isTiled({ rows, cols, inputs, outputs, groups }: Geometry): boolean {
  const fits = (axis: Axis): boolean => axis.taps === 3 && axis.stride === 1 && axis.dilation === 1;
  const suits = (channels: number): boolean => channels % 4 === 0 && channels >= LEAST_CHANNELS;
  const tiles = tilesOf(rows) * tilesOf(cols);
  return (
    fits(rows) &&
    fits(cols) &&
    groups === 1 &&
    suits(inputs) &&
    suits(outputs) &&
    // At most half of the outputs of the tiles are outside of the image.
    tiles * EDGE ** 2 <= 2 * rows.output * cols.output
  );
}

/** Bands of tiles of a batch of images: the part of the memory that both directions share. */
class Bands {
  readonly #engine: Engine;
  readonly #g: Geometry;
  /** Tiles of a row. */
  readonly across: number;
  /** Rows of tiles of an image and of a band. */
  readonly #down: number;
  readonly #rows: number;
  readonly scratch: Ptr;

  constructor(engine: Engine, g: Geometry) {
    this.#engine = engine;
    this.#g = g;
    this.across = tilesOf(g.cols);
    this.#down = tilesOf(g.rows);
    this.#rows = Math.min(Math.ceil(BAND_TILES / this.across), this.#down);
    this.scratch = engine.allocateScratch(SCRATCH);
  }

  /** Floats of a plane of a band with so many channels. */
  plane(channels: number): number {
    return this.#rows * this.across * channels + GAP;
  }

  /** Room for the places of a band. */
  places(channels: number): Ptr {
    return this.#engine.allocateScratch(PLACES * this.plane(channels));
  }

  /** An image of zeros that covers all tiles, each `edge` pixels wide and high. */
  padded(channels: number, edge: number): { at: Ptr; pitch: number } {
    const more = edge - EDGE;
    const pitch = (EDGE * this.across + more) * channels;
    return { at: this.#engine.zeroedScratch((EDGE * this.#down + more) * pitch), pitch };
  }

  /** Calls `body` for each band of an image: its first row of tiles, and their number. */
  each(body: (row: number, rows: number) => void): void {
    for (let row = 0; row < this.#down; row += this.#rows) body(row, Math.min(this.#rows, this.#down - row));
  }

  /** Copies image b of x into a padded one. */
  readInput(kernels: Kernels, b: number, x: Ptr, { at, pitch }: { at: Ptr; pitch: number }): void {
    const { rows, cols, inputs } = this.#g;
    const width = cols.input * inputs;
    for (let y = 0; y < rows.input; y++) {
      const to = at + 4 * ((y + rows.before) * pitch + cols.before * inputs);
      kernels.copy_2d(1, width, x + 4 * (b * rows.input + y) * width, width, to, width);
    }
  }
}

/** Floats of a kernel that `packTiles` packs. */
export const tiledSize = (engine: Engine, { inputs, outputs }: Geometry): number =>
  PLACES * engine.kernels.gemm_packed_size(inputs, outputs);

/** packed ← the taps `[KW, KH, I, O]` of `orderTaps` as 36 packed matrices `[I, O]`. */
export function packTiles(engine: Engine, { inputs, outputs }: Geometry, ordered: Ptr, packed: Ptr): void {
  const { kernels } = engine;
  const size = inputs * outputs;
  const floats = kernels.gemm_packed_size(inputs, outputs);
  engine.scratch(() => {
    const places = engine.allocateScratch(PLACES * size);
    const across = engine.allocateScratch(9 * size);
    // From columns of taps to rows.
    kernels.swap_axes(3, 3, size, ordered, across);
    extraKernels(engine).winograd_taps(size, across, places, engine.allocateScratch(SCRATCH));
    for (let p = 0; p < PLACES; p++) {
      kernels.gemm_pack_b(inputs, outputs, places + 4 * p * size, outputs, 1, packed + 4 * p * floats);
    }
  });
}

/** y ← init + the convolution of x; `packed` is made by `packTiles`. Threads share the places. */
export function convolveTiles(
  engine: Engine,
  g: Geometry,
  packed: Ptr,
  { x, y, init, bias }: { readonly x: Ptr; readonly y: Ptr; readonly init: number; readonly bias: Ptr },
): void {
  const offset = init === Init.Bias ? bias : 0;
  const { inputs, outputs, rows, cols } = g;
  const { kernels } = engine;
  const extra = extraKernels(engine);
  engine.scratch(() => {
    const floats = kernels.gemm_packed_size(inputs, outputs);
    const bands = new Bands(engine, g);
    const image = bands.padded(inputs, 6);
    const [v, m] = [bands.places(inputs), bands.places(outputs)];
    const [planeV, planeM] = [bands.plane(inputs), bands.plane(outputs)];
    for (let b = 0; b < g.batch; b++) {
      bands.readInput(kernels, b, x, image);
      bands.each((row, count) => {
        const { across, scratch } = bands;
        const tiles = count * across;
        extra.winograd_pixels(
          count,
          across,
          inputs,
          image.at + 16 * row * image.pitch,
          image.pitch,
          v,
          planeV,
          scratch,
        );
        const grain = PRODUCT_GRAIN / (tiles * inputs * outputs);
        engine.parallel(PLACES, grain, ({ kernels: own, gemmScratch, from, to }) => {
          for (let p = from; p < to; p++) {
            own.gemm(
              ...([tiles, outputs, inputs, v + 4 * p * planeV, inputs, 1, packed + 4 * p * floats] as const),
              ...([m + 4 * p * planeM, outputs, Init.Zero, 0, gemmScratch] as const),
            );
          }
        });
        const to = y + 4 * (b * rows.output + EDGE * row) * cols.output * outputs;
        const height = rows.output - EDGE * row;
        const adds = Number(init === Init.Accumulate);
        extra.winograd_outputs(count, across, outputs, m, planeM, offset, to, height, cols.output, adds, scratch);
      });
    }
  });
}

/** dw `[3, 3, I, O]` ← the gradient of the kernel, by rows of taps. Threads share the places. */
export function kernelGradientTiles(engine: Engine, g: Geometry, x: Ptr, dy: Ptr, dw: Ptr): void {
  const { inputs, outputs, rows, cols } = g;
  const { kernels } = engine;
  const extra = extraKernels(engine);
  const size = inputs * outputs;
  engine.scratch(() => {
    const sums = engine.zeroedScratch(PLACES * size);
    const bands = new Bands(engine, g);
    const image = bands.padded(inputs, 6);
    const gradient = bands.padded(outputs, EDGE);
    const [v, d] = [bands.places(inputs), bands.places(outputs)];
    const [planeV, planeD] = [bands.plane(inputs), bands.plane(outputs)];
    const floats = kernels.gemm_packed_size(planeD / outputs + 1, outputs);
    const packed = engine.allocateScratch(engine.threads * floats);
    const width = cols.output * outputs;
    for (let b = 0; b < g.batch; b++) {
      bands.readInput(kernels, b, x, image);
      kernels.copy_2d(rows.output, width, dy + 4 * b * rows.output * width, width, gradient.at, gradient.pitch);
      bands.each((row, count) => {
        const { across, scratch } = bands;
        const tiles = count * across;
        const at = (padded: { at: Ptr; pitch: number }): [Ptr, number] => [
          padded.at + 16 * row * padded.pitch,
          padded.pitch,
        ];
        extra.winograd_pixels(count, across, inputs, ...at(image), v, planeV, scratch);
        extra.winograd_gradients(count, across, outputs, ...at(gradient), d, planeD, scratch);
        const grain = PRODUCT_GRAIN / (tiles * size);
        engine.parallel(PLACES, grain, ({ kernels: own, gemmScratch, index, from, to }) => {
          const right = packed + 4 * index * floats;
          for (let p = from; p < to; p++) {
            own.gemm_pack_b(tiles, outputs, d + 4 * p * planeD, outputs, 1, right);
            own.gemm(
              ...([inputs, outputs, tiles, v + 4 * p * planeV, 1, inputs, right] as const),
              ...([sums + 4 * p * size, outputs, Init.Accumulate, 0, gemmScratch] as const),
            );
          }
        });
      });
    }
    extra.winograd_tap_gradients(size, sums, dw, bands.scratch);
  });
}
