import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { record } from '../autograd/tape.ts';
import { empty, type Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { expectChoice, expectFlags } from '../checks/choices.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { mul } from '../ops/elementwise/elementwise.ts';
import { concatenate } from '../ops/shapes/joins.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import { reverse, slice } from '../ops/shapes/slices.ts';
import { planOf } from './fft/plan.ts';
import { type FrameOptions, type Framing, frameNames, framingOf, placeWindow } from './framing.ts';
import { audioKernels } from './kernels/audio-kernels.ts';

/** What is beyond the ends of a signal: its mirror image without the sample at the end, or zeros. */
export type PadMode = 'reflect' | 'constant';

export interface StftOptions extends FrameOptions {
  /** What `center` puts around the signal, `pad_mode`. Default `reflect`. */
  padMode?: PadMode | undefined;
  /** Whether spectra have the bins up to nFft/2 only: the others are their conjugates. Default true. */
  onesided?: boolean | undefined;
}

/** Names without onesided. */
export const spectraNames: Names<Omit<StftOptions, 'onesided'>> = { ...frameNames, padMode: 1 };
const names: Names<StftOptions> = { ...spectraNames, onesided: true };

/** The checked pad mode. */
export function padModeOf(what: string, padMode: PadMode = 'reflect'): PadMode {
  expectChoice(what, 'padMode', padMode, ['reflect', 'constant']);
  return padMode;
}

/** The number of frames of `length` samples. Throws `ArgumentError` if there is none, or no room for a mirror image. */
export function framesIn(what: string, length: number, { n, hop, pad }: Framing, padMode: PadMode): number {
  if (pad > 0 && padMode === 'reflect' && length <= pad)
    throw new ArgumentError(`${what}: reflect expected more than nFft/2 = ${pad} samples, got ${length}`);
  const padded = length + 2 * pad;
  if (padded < n) throw new ArgumentError(`${what}: expected nFft = ${n} samples or more, got ${length}`);
  return 1 + Math.floor((padded - n) / hop);
}

/** A row of `length` samples with `pad` more at either end. */
function writePadded(to: Float32Array, row: Float32Array, pad: number, padMode: PadMode): void {
  to.set(row, pad);
  if (padMode === 'constant') {
    to.fill(0, 0, pad);
    to.fill(0, pad + row.length);
    return;
  }
  const last = row.length - 1;
  for (let i = 1; i <= pad; i++) {
    to[pad - i] = row[i]!;
    to[pad + last + i] = row[last - i]!;
  }
}

/** The gradient of a row from that of what `writePadded` wrote: row += the inner part and the mirror images. */
function addPadded(row: Float32Array, from: Float32Array, pad: number, padMode: PadMode): void {
  for (let i = 0; i < row.length; i++) row[i]! += from[pad + i]!;
  if (padMode === 'constant') return;
  const last = row.length - 1;
  for (let i = 1; i <= pad; i++) {
    row[i]! += from[pad - i]!;
    row[last - i]! += from[pad + last + i]!;
  }
}

/** All n bins from those up to n/2. */
function allBins(y: Tensor, n: number): Tensor {
  const axis = y.shape.length - 2;
  const inner = reverse(slice(y, { axis, from: 1, to: Math.ceil(n / 2) }), axis);
  return concatenate([y, mul(inner, tensor([1, -1], { engine: y.engine }))], axis);
}

/**
 * The short-time Fourier transform: the spectra of overlapping frames of a signal.
 *
 * y[…, t, k] = Σ_j window[j]·x[…, t·hopLength + j]·e^(−2πi·jk/nFft), where x begins ⌊nFft/2⌋ samples before the signal
 * if `center` is true
 *
 * Time comes before the bins, as recurrent layers want it. PyTorch's result is `[…, bins, frames]`.
 *
 * @param x signal `[…, T]` f32, in either memory order.
 * @param options nFft, hopLength, winLength, window, center, padMode, normalized and onesided, as PyTorch has them. A
 *   frame that would go beyond the end is left out.
 * @returns `[…, frames, bins, 2]` f32, row-major: real and imaginary part along the last axis; ⌊nFft/2⌋ + 1 bins, or
 *   nFft if `onesided` is false; frames = 1 + ⌊(T − nFft)/hopLength⌋, with 2·⌊nFft/2⌋ more samples if `center` is true.
 *   A tensor of the open step; outside a step the caller owns it. The window has no gradient.
 * @throws ArgumentError if `x` is not an f32 tensor of an axis or more, the signal is shorter than a frame or, for
 *   `reflect`, not longer than nFft/2, or an option is unknown or out of range.
 * @see torch.stft
 *
 * @example
 * const y = stft(tensor([0, 1, 0, -1, 0, 1, 0, -1]), { nFft: 4, hopLength: 2 });
 * y.shape; // 5, 3, 2: frames, bins, real and imaginary part
 */
export function stft(x: Weight, options: StftOptions): Tensor {
  const { onesided = true } = checkOptions('stft', options, names);
  expectFlags('stft', { onesided });
  const y = spectraOf('stft', x, options);
  return onesided ? y : allBins(y, options.nFft);
}

/** `stft` with the bins up to nFft/2. */
export function spectraOf(what: string, x: Weight, options: StftOptions): Tensor {
  const padMode = padModeOf(what, options.padMode);
  const framing = framingOf(what, options);
  const { n, hop, bins, pad, scale } = framing;
  const signal = inOrder(floatsOf(x, `${what}: x`), false);
  const { engine, shape } = signal;
  if (shape.length === 0) throw new ArgumentError(`${what}: x expected […, T], got ${formatShape(shape)}`);
  const length = shape.at(-1)!;
  const frames = framesIn(what, length, framing, padMode);
  const rows = signal.size / Math.max(length, 1);
  const kernels = audioKernels(engine);
  const y = empty([...shape.slice(0, -1), frames, bins, 2], { name: what, engine });
  const stride = 8 * frames * bins;
  const padded = length + 2 * pad;
  engine.scratch(() => {
    const plan = planOf(engine, n);
    const { window, work } = placeWindow(engine, framing);
    const buffer = pad > 0 ? engine.allocateScratch(padded) : 0;
    for (let i = 0; i < rows; i++) {
      const row = signal.ptr + 4 * i * length;
      if (pad > 0) writePadded(engine.f32(buffer, padded), engine.f32(row, length), pad, padMode);
      kernels.rfft(frames, n, plan, buffer || row, hop, window, y.ptr + i * stride, scale, 1, work);
    }
  });
  record(
    [signal],
    [y],
    (tape) => {
      const dy = tape.gradientOf(y);
      const dx = tape.intoZeroed(signal)!;
      engine.scratch(() => {
        const plan = planOf(engine, n);
        const { window, work } = placeWindow(engine, framing);
        const buffer = pad > 0 ? engine.allocateScratch(padded) : 0;
        for (let i = 0; i < rows; i++) {
          const row = dx + 4 * i * length;
          if (pad > 0) engine.f32(buffer, padded).fill(0);
          kernels.irfft(frames, n, plan, dy + i * stride, buffer || row, hop, window, scale / 2, 2, 1, work);
          if (pad > 0) addPadded(engine.f32(row, length), engine.f32(buffer, padded), pad, padMode);
        }
      });
    },
    { forgetsOutputs: true },
  );
  return y;
}
