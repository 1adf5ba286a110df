import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { isRecording, record, type Tape } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectCount, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { Init, type Ptr } from '../../engine/abi.ts';
import { inOrder } from '../shapes/layout.ts';
import { packedForm } from './packed-columns.ts';
import { PRODUCT_GRAIN, product } from './product.ts';

export interface Conv1dOptions {
  /** Number of steps between the starts of neighbouring windows. Default 1. */
  strides?: number | undefined;
  /**
   * `valid`: windows lie inside the sequence. `same`: zeros on both sides, ⌈T/strides⌉ windows. `causal`: zeros in
   * front, so that no window sees a later step. Default `valid`.
   */
  padding?: 'valid' | 'same' | 'causal' | undefined;
  /** Number of steps between neighbouring taps of the kernel. Default 1. */
  dilationRate?: number | undefined;
  /** Number of groups of channels, each of which is convolved by itself. Default 1. */
  groups?: number | undefined;
}

interface Geometry {
  batch: number;
  time: number;
  inputs: number;
  taps: number;
  outputs: number;
  groups: number;
  /** Number of windows of a sequence: the length of the result. */
  steps: number;
  strides: number;
  dilation: number;
  /** Number of zeros in front. */
  before: number;
  /** Number of steps that the windows cover, zeros included. */
  covered: number;
}

/** Number of steps from the first tap of a window to the last. */
const spanOf = (taps: number, dilation: number): number => (taps - 1) * dilation + 1;

/**
 * Number of windows of a sequence of `time` steps: the length that `conv1d` gives it. Throws `ArgumentError` for an
 * option out of range, and if a window does not fit into the sequence.
 */
export function conv1dLength(time: number, taps: number, options: Conv1dOptions = {}): number {
  const { strides = 1, padding = 'valid', dilationRate = 1 } = options;
  expectCount('conv1d: strides', strides);
  expectCount('conv1d: dilationRate', dilationRate);
  if (padding === 'same' || padding === 'causal') return Math.ceil(time / strides);
  if (padding !== 'valid') {
    throw new ArgumentError(`conv1d: padding expected 'valid', 'same' or 'causal', got ${shown(padding)}`);
  }
  const span = spanOf(taps, dilationRate);
  if (time < span) throw new ArgumentError(`conv1d: x expected at least ${span} steps for one window, got ${time}`);
  return Math.floor((time - span) / strides) + 1;
}

function geometry(x: Tensor, kernel: Tensor, options: Conv1dOptions): Geometry {
  const { strides = 1, padding = 'valid', dilationRate: dilation = 1, groups = 1 } = options;
  expectCount('conv1d: groups', groups);
  if (x.shape.length !== 3) throw new ArgumentError(`conv1d: x expected [B, T, I], got ${formatShape(x.shape)}`);
  const [batch, time, inputs] = x.shape as [number, number, number];
  const [taps, , outputs] = kernel.shape as [number, number, number];
  if (kernel.shape.length !== 3 || kernel.shape[1] !== inputs / groups || taps < 1 || outputs % groups) {
    throw new ArgumentError(
      `conv1d: kernel expected [K, ${inputs / groups}, O] with K ≥ 1${groups > 1 ? ` and O % ${groups} = 0` : ''} for x ${formatShape(x.shape)}, got ${formatShape(kernel.shape)}`,
    );
  }
  const steps = conv1dLength(time, taps, options);
  const span = spanOf(taps, dilation);
  const covered = Math.max(steps - 1, 0) * strides + span;
  const same = Math.floor(Math.max(covered - time, 0) / 2);
  const before = padding === 'causal' ? span - 1 : padding === 'same' ? same : 0;
  return { batch, time, inputs, taps, outputs, groups, steps, strides, dilation, before, covered };
}

/**
 * Convolution over time.
 *
 * y[b, t, :] = Σ_k x[b, t·strides + k·dilationRate − before, :]·W[k, :, :] + bias, where x is 0 outside of the sequence
 * and `before` is the number of zeros in front
 *
 * No matrix of windows is made: a window of neighbouring steps is one row of K·I numbers in memory, and rows are
 * strides·I numbers apart.
 *
 * @param input x `[B, T, I]` f32, in either memory order.
 * @param weight W `[K, I/groups, O]` f32. Group g reads the g-th part of the channels and makes the g-th part of the
 *   outputs.
 * @param bias `[O]` f32, optional.
 * @param options.strides steps between neighbouring windows; default 1.
 * @param options.padding `valid`, `same` or `causal`; default `valid`.
 * @param options.dilationRate steps between neighbouring taps; default 1.
 * @param options.groups default 1.
 * @returns `[B, T′, O]` in the memory order of `x`. T′ = ⌊(T − (K − 1)·dilationRate − 1)/strides⌋ + 1 for `valid`, else
 *   ⌈T/strides⌉.
 * @throws ArgumentError if an argument is not an f32 tensor, a shape does not fit, an option is unknown or out of
 *   range, or no window fits into the sequence with `valid`.
 * @see keras.layers.Conv1D
 */
export function conv1d(input: Weight, weight: Weight, bias?: Weight, options: Conv1dOptions = {}): Tensor {
  checkOptions('conv1d', options, { strides: 1, padding: 1, dilationRate: 1, groups: 1 });
  input = floatsOf(input, 'conv1d: x');
  const kernel = inOrder(floatsOf(weight, 'conv1d: kernel'), false);
  const offset = bias && floatsOf(bias, 'conv1d: bias');
  const g = geometry(input, kernel, options);
  if (offset) expectShape('conv1d: bias', offset.shape, [g.outputs]);
  const x = input;
  const { engine } = x;
  const y = empty([g.batch, g.steps, g.outputs], { name: 'conv1d', timeMajor: x.timeMajor, engine });
  engine.scratch(() => {
    const { at, stride } = withZeros(x, g);
    const { count, depth, width } = slabs(g);
    const size = engine.kernels.gemm_packed_size(depth, width);
    const kept = !isRecording([x, kernel, offset]);
    const packed = packedForm(kernel, kept, 'convolution', count, count * size, (to) => {
      for (let i = 0; i < count; i++) {
        const from = kernel.ptr + 4 * place(g, i).kernel;
        engine.kernels.gemm_pack_b(depth, width, from, g.outputs, 1, to + 4 * i * size);
      }
    });
    engine.parallel(g.batch, grainOf(g), ({ kernels, gemmScratch, from, to }) => {
      for (let b = from; b < to; b++) {
        const c = sequenceOf(y, g.outputs, b, y.ptr);
        for (let i = 0; i < count; i++) {
          const init = i >= g.groups ? Init.Accumulate : offset ? Init.Bias : Init.Zero;
          const { input, output } = place(g, i);
          const left = at + 4 * (b * stride + input);
          kernels.gemm(
            ...([g.steps, width, depth, left, g.strides * g.inputs, 1, packed + 4 * i * size] as const),
            ...([c.at + 4 * output, c.row, init, (offset?.ptr ?? 0) + 4 * output, gemmScratch] as const),
          );
        }
      }
    });
  });
  const backward = (tape: Tape): void => {
    const dy = tape.gradientOf(y);
    const dBias = offset && tape.into(offset);
    if (dBias) engine.kernels.col_sum(g.batch * g.steps, g.outputs, dy, g.outputs, dBias.ptr, dBias.accumulate);
    backwardKernel(tape, g, x, kernel, y, dy);
    if (tape.tracks(x)) tape.give(x, backwardInput(g, x, kernel, y, dy));
  };
  record([x, kernel, offset], [y], backward, { options });
  return y;
}

/**
 * The products for one sequence: `[T′, depth]` · `[depth, width]`. One takes all taps if they are neighbours in memory,
 * else one tap of one group.
 */
const slabs = ({
  taps,
  inputs,
  outputs,
  groups,
  dilation,
}: Geometry): { count: number; depth: number; width: number } =>
  dilation * groups === 1
    ? { count: 1, depth: taps * inputs, width: outputs }
    : { count: taps * groups, depth: inputs / groups, width: outputs / groups };

/** Where the i-th of these products starts in a window, in the outputs and in the kernel. */
function place(
  { dilation, inputs, outputs, groups }: Geometry,
  i: number,
): Record<'input' | 'output' | 'kernel', number> {
  const [tap, group] = [Math.floor(i / groups), i % groups];
  const [depth, output] = [inputs / groups, (group * outputs) / groups];
  return { input: tap * dilation * inputs + group * depth, output, kernel: tap * depth * outputs + output };
}

/** The number of sequences for which another thread is worth its cost. */
const grainOf = ({ steps, taps, inputs, outputs, groups }: Geometry): number =>
  PRODUCT_GRAIN / Math.max((steps * taps * inputs * outputs) / groups, 1);

/**
 * Sequence b of a buffer with the memory order of `like` and rows of `width` floats: its address, and the distance of
 * its rows in floats.
 */
function sequenceOf(like: Tensor, width: number, b: number, at: Ptr): { at: Ptr; row: number } {
  const [batch, time] = like.shape as [number, number];
  return like.timeMajor
    ? { at: at + 4 * b * width, row: batch * width }
    : { at: at + 4 * b * time * width, row: width };
}

/** Whether the windows can read `x` in place, without zeros around it. */
const readsInPlace = (x: Tensor, { before, covered, time }: Geometry): boolean =>
  !x.timeMajor && before === 0 && covered <= time;

/**
 * The sequences of `x`, row-major with their zeros, `stride` floats apart. Takes scratch unless `x` can be read in
 * place.
 */
function withZeros(x: Tensor, g: Geometry): { at: Ptr; stride: number } {
  const { batch, time, inputs, before, covered } = g;
  if (readsInPlace(x, g)) return { at: x.ptr, stride: time * inputs };
  const { kernels } = x.engine;
  const stride = covered * inputs;
  const at = x.engine.allocateScratch(batch * stride);
  kernels.fill(batch * stride, 0, at);
  for (let b = 0; b < batch; b++) {
    const { at: source, row } = sequenceOf(x, inputs, b, x.ptr);
    kernels.copy_2d(
      Math.min(time, covered - before),
      inputs,
      source,
      row,
      at + 4 * (b * stride + before * inputs),
      inputs,
    );
  }
  return { at, stride };
}

/** dW[k] += Σ_b windows(k)ᵀ·dy */
function backwardKernel(tape: Tape, g: Geometry, x: Tensor, kernel: Tensor, y: Tensor, dy: Ptr): void {
  const dKernel = tape.intoZeroed(kernel);
  if (dKernel === undefined) return;
  const { engine } = x;
  const { count, depth, width } = slabs(g);
  engine.scratch(() => {
    const { at, stride } = withZeros(x, g);
    for (let b = 0; b < g.batch; b++) {
      const right = sequenceOf(y, g.outputs, b, dy);
      for (let i = 0; i < count; i++) {
        const { input, output, kernel } = place(g, i);
        product(engine, {
          m: depth,
          n: width,
          k: g.steps,
          a: at + 4 * (b * stride + input),
          rsA: 1,
          csA: g.strides * g.inputs,
          b: right.at + 4 * output,
          rsB: right.row,
          csB: 1,
          c: dKernel + 4 * kernel,
          rsC: g.outputs,
          init: Init.Accumulate,
        });
      }
    }
  });
}

/** dx, in the memory order of `x`: each tap adds dy·W[k]ᵀ to the steps that it reads, in ascending k. */
function backwardInput(g: Geometry, x: Tensor, kernel: Tensor, y: Tensor, dy: Ptr): Ptr {
  const { batch, time, inputs, taps, outputs, groups, before, covered } = g;
  const { engine } = x;
  const dx = engine.allocateScratch(x.size);
  engine.kernels.fill(x.size, 0, dx);
  engine.scratch(() => {
    const inPlace = readsInPlace(x, g);
    const stride = (inPlace ? time : covered) * inputs;
    const at = inPlace ? dx : engine.allocateScratch(batch * stride);
    if (!inPlace) engine.kernels.fill(batch * stride, 0, at);
    const [depth, width] = [outputs / groups, inputs / groups];
    const size = engine.kernels.gemm_packed_size(depth, width);
    const packed = engine.allocateScratch(taps * groups * size);
    // One product for each tap and group, in the order of `place`.
    for (let i = 0; i < taps * groups; i++) {
      engine.kernels.gemm_pack_b(depth, width, kernel.ptr + 4 * place(g, i).kernel, 1, outputs, packed + 4 * i * size);
    }
    engine.parallel(batch, grainOf(g), ({ kernels, gemmScratch, from, to }) => {
      for (let b = from; b < to; b++) {
        const left = sequenceOf(y, outputs, b, dy);
        for (let i = 0; i < taps * groups; i++) {
          const { input, output } = place(g, i);
          const c = at + 4 * (b * stride + input);
          kernels.gemm(
            ...([g.steps, width, depth, left.at + 4 * output, left.row, 1, packed + 4 * i * size] as const),
            ...([c, g.strides * inputs, Init.Accumulate, 0, gemmScratch] as const),
          );
        }
      }
    });
    if (inPlace) return;
    for (let b = 0; b < batch; b++) {
      const { at: target, row } = sequenceOf(x, inputs, b, dx);
      engine.kernels.copy_2d(
        Math.min(time, covered - before),
        inputs,
        at + 4 * (b * stride + before * inputs),
        inputs,
        target,
        row,
      );
    }
  });
  return dx;
}
