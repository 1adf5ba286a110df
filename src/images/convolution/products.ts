/*
 * Convolution over images as matrix products: forward and the gradients of both operands. No matrix of windows is made.
 *
 * The rows of an image that one row of output reads are copied into a strip `[columns, KH, I]`, with the zeros of the
 * padding. A window is then KW·KH·I numbers side by side, and the next window starts strides·KH·I numbers later. So one
 * row of output is one product, with the kernel packed as `[KW·KH·I, O]`. If taps are not neighbours (dilationRate), it
 * is one product for each column of taps. A strip is a KH-th of what a matrix of windows would take at least, and stays
 * in the L1 cache.
 *
 * Buffers are row-major: images `[B, H, W, I]`, outputs `[B, OH, OW, O]`, kernel `[KH, KW, I/groups, O]`. Each group is
 * a convolution of its own on some of the channels.
 *
 * Most convolutions of 3×3 taps go by tiles instead (winograd.ts), which takes a quarter of the products.
 */
import type { Tensor } from '../../autograd/tensor.ts';
import { Binary, Init, type Kernels, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { packedForm } from '../../ops/products/packed-columns.ts';
import { PRODUCT_GRAIN } from '../../ops/products/product.ts';
import { coveredBy, type Geometry, spanOf } from './geometry.ts';
import { convolveTiles, isTiled, kernelGradientTiles, packTiles, tiledSize } from './winograd.ts';

/** Number of windows that the products for the gradient of the kernel sum at a time: one block of `gemm`. */
const WINDOWS = 256;

/** Floats of a buffer, so that the next one starts at a cache line. */
const aligned = (floats: number): number => 16 * Math.ceil(floats / 16);

interface Slabs {
  /** Number of products for a row of output. */
  readonly count: number;
  /** Depth of one product. */
  readonly depth: number;
}

/** How many columns of taps one product takes: all if they are neighbours in memory, else one. */
const slabsOf = ({ rows, cols }: Geometry, inputs: number): Slabs => {
  const column = rows.taps * inputs;
  return cols.dilation === 1 ? { count: 1, depth: cols.taps * column } : { count: cols.taps, depth: column };
};

/** The number of output rows for which another thread is worth its cost. */
const rowGrainOf = ({ rows, cols, inputs, outputs, groups }: Geometry): number =>
  PRODUCT_GRAIN / Math.max((cols.output * rows.taps * cols.taps * inputs * outputs) / groups, 1);

/** A kernel packed for `convolveRows`: one matrix for each group and slab, `floats` apart. */
interface PackedKernel {
  readonly at: Ptr;
  readonly floats: number;
}

/**
 * Copies the taps of one group, column by column of taps: `[KW, KH, I, O]` with the channels of the group. `flipped`
 * exchanges the channels and reverses both axes: `[KW, KH, O, I]`.
 */
function orderTaps(kernels: Kernels, g: Geometry, kernel: Ptr, group: number, to: Ptr, flipped = false): void {
  const [taps, columns] = [g.rows.taps, g.cols.taps];
  const [inputs, outputs] = [g.inputs / g.groups, g.outputs / g.groups];
  const size = inputs * outputs;
  for (let ky = 0; ky < taps; ky++) {
    for (let kx = 0; kx < columns; kx++) {
      const from = kernel + 4 * ((ky * columns + kx) * inputs * g.outputs + group * outputs);
      const place = kx * taps + ky;
      if (!flipped) {
        kernels.copy_2d(inputs, outputs, from, g.outputs, to + 4 * place * size, outputs);
        continue;
      }
      const target = to + 4 * (columns * taps - 1 - place) * size;
      if (g.groups === 1) kernels.swap_axes(inputs, outputs, 1, from, target);
      else
        for (let i = 0; i < inputs; i++)
          kernels.copy_2d(outputs, 1, from + 4 * i * g.outputs, 1, target + 4 * i, inputs);
    }
  }
}

/**
 * Packs a kernel for `convolveRows`. `flipped` packs it for the gradient of the input. With `kept` the parameter keeps
 * the result until its values change; otherwise it is in scratch.
 */
function packKernel(g: Geometry, kernel: Tensor, flipped: boolean, kept: boolean): PackedKernel {
  const { engine } = kernel;
  const { kernels } = engine;
  const inputs = (flipped ? g.outputs : g.inputs) / g.groups;
  const outputs = (flipped ? g.inputs : g.outputs) / g.groups;
  const { count, depth } = slabsOf(g, inputs);
  const floats = kernels.gemm_packed_size(depth, outputs);
  const write = (at: Ptr): void =>
    engine.scratch(() => {
      const ordered = engine.allocateScratch(count * depth * outputs);
      for (let group = 0; group < g.groups; group++) {
        orderTaps(kernels, g, kernel.ptr, group, ordered, flipped);
        for (let i = 0; i < count; i++) {
          const to = at + 4 * (group * count + i) * floats;
          kernels.gemm_pack_b(depth, outputs, ordered + 4 * i * depth * outputs, outputs, 1, to);
        }
      }
    });
  const form = `${g.groups} groups, ${count} slabs`;
  return {
    at: packedForm(kernel, kept, flipped ? 'rows, flipped' : 'rows', form, g.groups * count * floats, write),
    floats,
  };
}

/** Where the rows of images are, and which of their channels are read. */
interface Channels {
  /** Address of the first channel in the first image. */
  readonly at: Ptr;
  /** Floats from a pixel to the next. */
  readonly pitch: number;
  readonly count: number;
}

/**
 * Fills a strip `[columns, KH, count]` with the pixels that row `row` of all outputs reads. Columns of padding are not
 * written: the caller has set the strip to 0 once. `zeros` are `count` zeros.
 */
function fillStrip(kernels: Kernels, g: Geometry, channels: Channels, row: number, strip: Ptr, zeros: Ptr): void {
  const { rows, cols } = g;
  const { at, pitch, count } = channels;
  const image = Math.floor(row / rows.output) * rows.input;
  const top = (row % rows.output) * rows.stride - rows.before;
  const width = Math.min(cols.input, coveredBy(cols) - cols.before);
  const step = rows.taps * count;
  for (let ky = 0; ky < rows.taps; ky++) {
    const y = top + ky * rows.dilation;
    const isInside = y >= 0 && y < rows.input;
    const from = isInside ? at + 4 * (image + y) * cols.input * pitch : zeros;
    kernels.copy_2d(width, count, from, isInside ? pitch : 0, strip + 4 * (cols.before * step + ky * count), step);
  }
}

/** Operands of a convolution with a packed kernel. */
export interface ConvolutionOperands {
  readonly x: Ptr;
  readonly y: Ptr;
  /** One of `Init`: 0, y itself or the bias. */
  readonly init: number;
  readonly bias: Ptr;
}

/**
 * Prepares a convolution: packs the kernel, in scratch unless it is `kept` for the next call. `flipped` prepares the
 * gradient of the input, for strides of 1: a convolution of dy with the flipped kernel. The returned function sets y to
 * init + the convolution of `batch` images x.
 */
export function prepareConvolution(
  given: Geometry,
  kernel: Tensor,
  { flipped = false, kept }: { readonly flipped?: boolean; readonly kept: boolean },
): (batch: number, operands: ConvolutionOperands) => void {
  const { engine } = kernel;
  const g = flipped ? flippedGeometry(given) : given;
  if (isTiled(g)) {
    const write = (to: Ptr): void =>
      engine.scratch(() => {
        const ordered = engine.allocateScratch(kernel.size);
        orderTaps(engine.kernels, given, kernel.ptr, 0, ordered, flipped);
        packTiles(engine, g, ordered, to);
      });
    const packed = packedForm(kernel, kept, flipped ? 'tiles, flipped' : 'tiles', 0, tiledSize(engine, g), write);
    return (batch, operands) => convolveTiles(engine, { ...g, batch }, packed, operands);
  }
  const packed = packKernel(given, kernel, flipped, kept);
  return (batch, operands) => convolveRows(engine, { ...g, batch }, packed, operands);
}

/**
 * Rows of y ← init + the convolution of x with a packed kernel, in strips. The sum of an output runs over the columns
 * of taps, in each over its rows, and in each over the channels. Threads share the rows.
 */
function convolveRows(
  engine: Engine,
  g: Geometry,
  packed: PackedKernel,
  { x, y, init, bias }: ConvolutionOperands,
): void {
  const { rows, cols, groups } = g;
  const [inputs, outputs] = [g.inputs / groups, g.outputs / groups];
  const { count, depth } = slabsOf(g, inputs);
  const step = rows.taps * inputs;
  const size = aligned(coveredBy(cols) * step);
  engine.scratch(() => {
    const strips = engine.zeroedScratch(engine.threads * size + inputs);
    const zeros = strips + 4 * engine.threads * size;
    engine.parallel(g.batch * rows.output, rowGrainOf(g), ({ kernels, gemmScratch, index, from, to }) => {
      const strip = strips + 4 * index * size;
      for (let row = from; row < to; row++) {
        for (let group = 0; group < groups; group++) {
          fillStrip(kernels, g, { at: x + 4 * group * inputs, pitch: g.inputs, count: inputs }, row, strip, zeros);
          const c = y + 4 * (row * cols.output * g.outputs + group * outputs);
          for (let i = 0; i < count; i++) {
            const left = strip + 4 * i * cols.dilation * step;
            const right = packed.at + 4 * (group * count + i) * packed.floats;
            kernels.gemm(
              ...([cols.output, outputs, depth, left, cols.stride * step, 1, right] as const),
              ...([c, g.outputs, i > 0 ? Init.Accumulate : init, bias + 4 * group * outputs, gemmScratch] as const),
            );
          }
        }
      }
    });
  });
}

/** y ← bias + the convolution of x; `bias` is 0 for none. `kept` is that of `prepareConvolution`. */
export function convolve(g: Geometry, x: Ptr, kernel: Tensor, bias: Ptr, y: Ptr, kept = false): void {
  kernel.engine.scratch(() =>
    prepareConvolution(g, kernel, { kept })(g.batch, { x, y, init: bias ? Init.Bias : Init.Zero, bias }),
  );
}

/** The geometry of the gradient of the input, for strides of 1: a convolution of dy with the flipped kernel. */
function flippedGeometry(g: Geometry): Geometry {
  const turned = (axis: Geometry['rows']): Geometry['rows'] => ({
    ...axis,
    input: axis.output,
    output: axis.input,
    before: spanOf(axis) - 1 - axis.before,
  });
  return { ...g, rows: turned(g.rows), cols: turned(g.cols), inputs: g.outputs, outputs: g.inputs };
}

/**
 * dx ← the gradient of the input, from dy and the kernel. It is what a transposed convolution computes, so it has a
 * bias `[I]`, which is 0 for none. `kept` is that of `prepareConvolution`.
 */
export function inputGradient(g: Geometry, dy: Ptr, kernel: Tensor, bias: Ptr, dx: Ptr, kept = false): void {
  kernel.engine.scratch(() => {
    if (g.rows.stride === 1 && g.cols.stride === 1) {
      const init = bias ? Init.Bias : Init.Zero;
      prepareConvolution(g, kernel, { flipped: true, kept })(g.batch, { x: dy, y: dx, init, bias });
    } else scatter(g, dy, kernel, bias, dx, kept);
  });
}

/**
 * `inputGradient` for any strides: a row of dy makes the gradient of its strip, which is added to the rows of dx that
 * the strip was read from. Threads share the images.
 */
function scatter(g: Geometry, dy: Ptr, kernel: Tensor, bias: Ptr, dx: Ptr, kept: boolean): void {
  const { engine } = kernel;
  const { rows, cols, groups } = g;
  const [inputs, outputs] = [g.inputs / groups, g.outputs / groups];
  const step = rows.taps * inputs;
  const floats = engine.kernels.gemm_packed_size(outputs, step);
  const packed = packedForm(kernel, kept, 'scattered', groups, groups * cols.taps * floats, (at) =>
    engine.scratch(() => {
      const ordered = engine.allocateScratch(cols.taps * step * outputs);
      for (let group = 0; group < groups; group++) {
        orderTaps(engine.kernels, g, kernel.ptr, group, ordered);
        for (let kx = 0; kx < cols.taps; kx++) {
          const to = at + 4 * (group * cols.taps + kx) * floats;
          engine.kernels.gemm_pack_b(outputs, step, ordered + 4 * kx * step * outputs, 1, outputs, to);
        }
      }
    }),
  );
  const size = aligned(coveredBy(cols) * step);
  const strips = engine.allocateScratch(engine.threads * size);
  // With groups an image of one group is summed apart, because `binary` writes pixels side by side.
  const pixels = rows.input * cols.input;
  const apart = groups > 1 ? engine.allocateScratch(engine.threads * pixels * inputs) : 0;
  const zeros = bias || engine.zeroedScratch(g.inputs);
  const width = Math.min(cols.input, coveredBy(cols) - cols.before);
  engine.parallel(g.batch, rowGrainOf(g) / Math.max(rows.output, 1), ({ kernels, gemmScratch, index, from, to }) => {
    const strip = strips + 4 * index * size;
    for (let b = from; b < to; b++) {
      for (let group = 0; group < groups; group++) {
        const image = apart ? apart + 4 * index * pixels * inputs : dx + 4 * b * pixels * inputs;
        kernels.copy_2d(pixels, inputs, zeros + 4 * group * inputs, 0, image, inputs);
        for (let row = 0; row < rows.output; row++) {
          kernels.fill(size, 0, strip);
          const left = dy + 4 * ((b * rows.output + row) * cols.output * g.outputs + group * outputs);
          for (let kx = 0; kx < cols.taps; kx++) {
            const right = packed + 4 * (group * cols.taps + kx) * floats;
            kernels.gemm(
              ...([cols.output, step, outputs, left, g.outputs, 1, right] as const),
              ...([strip + 4 * kx * cols.dilation * step, cols.stride * step] as const),
              ...([Init.Accumulate, 0, gemmScratch] as const),
            );
          }
          for (let ky = 0; ky < rows.taps; ky++) {
            const y = row * rows.stride + ky * rows.dilation - rows.before;
            if (y < 0 || y >= rows.input) continue;
            const target = image + 4 * y * cols.input * inputs;
            const part = strip + 4 * (cols.before * step + ky * inputs);
            kernels.binary(Binary.Add, width, inputs, target, inputs, 1, part, step, 1, target);
          }
        }
        if (apart) {
          const place = dx + 4 * (b * pixels * g.inputs + group * inputs);
          kernels.copy_2d(pixels, inputs, image, inputs, place, g.inputs);
        }
      }
    }
  });
}

/**
 * dKernel ← the gradient of the kernel, or += with `accumulate`. About `WINDOWS` windows are summed by one product, in
 * the order of images and rows: dy is laid out with the distance of the strips, with zeros where a window would lie in
 * two strips. Threads share the input channels.
 */
export function kernelGradient(
  engine: Engine,
  g: Geometry,
  x: Ptr,
  dy: Ptr,
  dKernel: { readonly ptr: Ptr; readonly accumulate: 0 | 1 },
): void {
  if (isTiled(g)) {
    const size = g.rows.taps * g.cols.taps * g.inputs * g.outputs;
    engine.scratch(() => {
      const own = dKernel.accumulate ? engine.allocateScratch(size) : dKernel.ptr;
      kernelGradientTiles(engine, g, x, dy, own);
      if (dKernel.accumulate) engine.kernels.axpy(size, 1, own, dKernel.ptr);
    });
    return;
  }
  const { rows, cols, groups } = g;
  const [inputs, outputs] = [g.inputs / groups, g.outputs / groups];
  const taps = rows.taps * cols.taps;
  // Windows from the first of a strip to the first of the next.
  const windows = Math.ceil(coveredBy(cols) / cols.stride);
  const columns = windows * cols.stride;
  const total = g.batch * rows.output;
  const most = Math.max(Math.min(Math.floor(WINDOWS / windows), total), 1);
  const depth = most * windows;
  const isDense = windows === cols.output && groups === 1;
  const sizes = {
    strips: aligned(most * columns * rows.taps * inputs),
    right: isDense ? 0 : aligned(depth * outputs),
    packed: engine.kernels.gemm_packed_size(depth, outputs),
    sum: taps * inputs * outputs,
  };
  const size = aligned(sizes.strips + sizes.right + sizes.packed + sizes.sum);
  const grain = PRODUCT_GRAIN / Math.max(total * cols.output * taps * outputs * groups, 1);
  engine.scratch(() => {
    const buffers = engine.allocateScratch(engine.threads * size);
    const zeros = engine.zeroedScratch(inputs);
    engine.parallel(inputs, grain, ({ kernels, gemmScratch, index, from, to }) => {
      const count = to - from;
      const strips = buffers + 4 * index * size;
      const right = strips + 4 * sizes.strips;
      const packed = right + 4 * sizes.right;
      const sum = packed + 4 * sizes.packed;
      const slabs = slabsOf(g, count);
      const step = rows.taps * count;
      kernels.fill(sizes.strips + sizes.right, 0, strips);
      for (let group = 0; group < groups; group++) {
        const channels = { at: x + 4 * (group * inputs + from), pitch: g.inputs, count };
        if (dKernel.accumulate) moveTaps(kernels, g, { from, to, group, sum, dKernel: dKernel.ptr }, true);
        else kernels.fill(taps * count * outputs, 0, sum);
        for (let row = 0; row < total; row += most) {
          const height = Math.min(most, total - row);
          const k = (height - 1) * windows + cols.output;
          let b = dy + 4 * row * cols.output * g.outputs;
          for (let r = 0; r < height; r++) {
            fillStrip(kernels, g, channels, row + r, strips + 4 * r * columns * step, zeros);
            if (isDense) continue;
            const source = b + 4 * (r * cols.output * g.outputs + group * outputs);
            kernels.copy_2d(cols.output, outputs, source, g.outputs, right + 4 * r * windows * outputs, outputs);
          }
          if (!isDense) b = right;
          kernels.gemm_pack_b(k, outputs, b, outputs, 1, packed);
          for (let i = 0; i < slabs.count; i++) {
            kernels.gemm(
              ...([slabs.depth, outputs, k, strips + 4 * i * cols.dilation * step, 1, cols.stride * step] as const),
              ...([packed, sum + 4 * i * slabs.depth * outputs, outputs, Init.Accumulate, 0, gemmScratch] as const),
            );
          }
        }
        moveTaps(kernels, g, { from, to, group, sum, dKernel: dKernel.ptr }, false);
      }
    });
  });
}

interface TapSums {
  /** The input channels [from, to) of the group. */
  readonly from: number;
  readonly to: number;
  readonly group: number;
  /** `[KW, KH, to − from, O/groups]` */
  readonly sum: Ptr;
  readonly dKernel: Ptr;
}

/** Copies the gradients of some channels from dKernel to their sums, or back. */
function moveTaps(kernels: Kernels, g: Geometry, { from, to, group, sum, dKernel }: TapSums, toSums: boolean): void {
  const [inputs, outputs] = [g.inputs / g.groups, g.outputs / g.groups];
  const count = to - from;
  for (let ky = 0; ky < g.rows.taps; ky++) {
    for (let kx = 0; kx < g.cols.taps; kx++) {
      const own = sum + 4 * (kx * g.rows.taps + ky) * count * outputs;
      const place = dKernel + 4 * (((ky * g.cols.taps + kx) * inputs + from) * g.outputs + group * outputs);
      if (toSums) kernels.copy_2d(count, outputs, place, g.outputs, own, outputs);
      else kernels.copy_2d(count, outputs, own, outputs, place, g.outputs);
    }
  }
}
