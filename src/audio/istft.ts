import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { record } from '../autograd/tape.ts';
import { empty, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { expectFlags } from '../checks/choices.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { allocated } from '../data/array.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import { slice } from '../ops/shapes/slices.ts';
import { planOf } from './fft/plan.ts';
import {
  addSquares,
  type FrameOptions,
  type Framing,
  frameNames,
  framingOf,
  inverseSum,
  placeWindow,
} from './framing.ts';
import { audioKernels } from './kernels/audio-kernels.ts';

export interface IstftOptions extends FrameOptions {
  /** Whether spectra have the bins up to nFft/2 only. Otherwise the other bins are not read. Default true. */
  onesided?: boolean | undefined;
  /**
   * Number of samples to return. Samples beyond the last frame are 0. Default: all that the frames cover, without
   * ⌊nFft/2⌋ at either end if `center` is true.
   */
  length?: number | undefined;
}

const names: Names<IstftOptions> = { ...frameNames, onesided: true, length: 1 };

/** 1/(the sum of the squares of the windows) for samples [from, to) of the frames. */
function inverseSums(framing: Framing, frames: number, from: number, to: number): Float32Array {
  const { n, hop } = framing;
  const sums = allocated(Float64Array, n + hop * (frames - 1), 'istft: hopLength');
  for (let t = 0; t < frames; t++) addSquares(sums, t * hop, framing);
  return Float32Array.from(sums.subarray(from, to), (sum, i) => inverseSum('istft', sum, i));
}

/**
 * The signal of a short-time Fourier transform: the inverse of `stft`, by adding the overlapping frames.
 *
 * x[i] = Σ_t window[i − t·hopLength]·f_t[i − t·hopLength]/Σ_t window[i − t·hopLength]², where f_t is the inverse
 * transform of frame t. Of spectra that no signal has, it is the signal whose spectra are nearest.
 *
 * @param y spectra `[…, frames, bins, 2]` f32, in either memory order: as `stft` makes them with the same options.
 * @param options nFft, hopLength, winLength, window, center, normalized, onesided and length, as PyTorch has them.
 * @returns `[…, T]` f32, row-major. A tensor of the open step; outside a step the caller owns it. The window has no
 *   gradient.
 * @throws ArgumentError if `y` is not an f32 tensor of that shape, it has no frame, all windows are 0 at a sample of
 *   the result, or an option is unknown or out of range.
 * @see torch.istft; Griffin and Lim 1984, https://doi.org/10.1109/TASSP.1984.1164317
 *
 * @example
 * const options = { nFft: 4, hopLength: 2 };
 * istft(stft(tensor([1, 2, 3, 4, 5, 6]), options), options).toArray(); // 1, 2, 3, 4, 5, 6
 */
export function istft(y: Weight, options: IstftOptions): Tensor {
  const { onesided = true, length } = checkOptions('istft', options, names);
  expectFlags('istft', { onesided });
  const framing = framingOf('istft', options);
  const { n, hop, bins, pad } = framing;
  const whole = inOrder(floatsOf(y, 'istft: y'), false);
  const { shape } = whole;
  const [frames, own, parts] = shape.slice(-3) as [number, number, number];
  const expected = onesided ? bins : n;
  if (shape.length < 3 || parts !== 2 || own !== expected || frames === 0) {
    throw new ArgumentError(
      `istft: y expected […, frames, ${expected}, 2] with a frame or more for nFft = ${n}, got ${formatShape(shape)}`,
    );
  }
  const covered = n + hop * (frames - 1);
  const usual = covered - 2 * pad;
  if (length !== undefined && !(Number.isInteger(length) && length >= 0 && length <= covered + 2 ** 24)) {
    throw new ArgumentError(
      `istft: length expected an integer from 0 to ${covered} + 2²⁴ for ${frames} frames, got ${shown(length)}`,
    );
  }
  const total = length ?? usual;
  const count = Math.min(total, covered - pad);
  const inverse = inverseSums(framing, frames, pad, pad + count);
  const spectra = onesided ? whole : slice(whole, { axis: shape.length - 2, to: bins });
  const { engine } = spectra;
  const kernels = audioKernels(engine);
  const scale = 1 / (n * framing.scale);
  const x = empty([...shape.slice(0, -3), total], { name: 'istft', engine });
  const rows = spectra.size / (frames * bins * 2);
  const stride = 8 * frames * bins;
  engine.scratch(() => {
    const plan = planOf(engine, n);
    const { window, work } = placeWindow(engine, framing);
    const sums = engine.allocateScratch(covered);
    for (let i = 0; i < rows; i++) {
      const from = engine.f32(sums, covered).fill(0);
      kernels.irfft(frames, n, plan, spectra.ptr + i * stride, sums, hop, window, scale, 1, 1, work);
      const to = engine.f32(x.ptr + 4 * i * total, total);
      for (let j = 0; j < count; j++) to[j] = from[pad + j]! * inverse[j]!;
      to.fill(0, count);
    }
  });
  record(
    [spectra],
    [x],
    (tape) => {
      const dx = tape.gradientOf(x);
      const dy = engine.allocateScratch(spectra.size);
      engine.scratch(() => {
        const plan = planOf(engine, n);
        const { window, work } = placeWindow(engine, framing);
        const sums = engine.allocateScratch(covered);
        for (let i = 0; i < rows; i++) {
          const to = engine.f32(sums, covered).fill(0);
          const from = engine.f32(dx + 4 * i * total, total);
          for (let j = 0; j < count; j++) to[pad + j] = from[j]! * inverse[j]!;
          kernels.rfft(frames, n, plan, sums, hop, window, dy + i * stride, 2 * scale, 0.5, work);
        }
      });
      tape.give(spectra, dy);
    },
    { forgetsOutputs: true },
  );
  return x;
}
