import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { type Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import type { Engine } from '../engine/engine.ts';
import { exp2, ln } from '../engine/float64.ts';
import { log, maximum } from '../ops/elementwise/elementwise.ts';
import { linear } from '../ops/products/linear.ts';
import { expectLength } from './limits.ts';
import { magnitude } from './spectra.ts';
import { type StftOptions, spectraNames, spectraOf } from './stft.ts';

/** A scale of pitch: Slaney's Auditory Toolbox, linear below 1,000 Hz, or HTK's formula. */
export type MelScale = 'slaney' | 'htk';

export interface MelFilterOptions {
  /** Samples a second, in Hz. */
  sampleRate: number;
  /** Length of the transform. */
  nFft: number;
  /** Number of filters. Default 128. */
  nMels?: number | undefined;
  /** Lowest frequency in Hz. Default 0. */
  fMin?: number | undefined;
  /** Highest frequency in Hz. Default sampleRate/2. */
  fMax?: number | undefined;
  /** Default `slaney`. */
  melScale?: MelScale | undefined;
  /** `slaney` divides each filter by its width in Hz; `none` leaves its peak at 1. Default `slaney`. */
  norm?: 'slaney' | 'none' | undefined;
}

const filterNames: Names<MelFilterOptions> = {
  ...{ sampleRate: 1, nFft: 1, nMels: 1, fMin: 1, fMax: 1, melScale: 1, norm: 1 },
};

const exp = (x: number): number => exp2(x / Math.LN2);
/** ln 6.4 / 27: Slaney's scale is linear up to 1,000 Hz, which is mel 15; 27 mels above are a factor of 6.4. */
const STEP = 0.06875177742094912;

const scales: Readonly<Record<MelScale, { ofHertz: (f: number) => number; toHertz: (mel: number) => number }>> = {
  slaney: {
    ofHertz: (f) => (f < 1000 ? (3 * f) / 200 : 15 + ln(f / 1000) / STEP),
    toHertz: (mel) => (mel < 15 ? (200 * mel) / 3 : 1000 * exp(STEP * (mel - 15))),
  },
  htk: {
    ofHertz: (f) => (2595 * ln(1 + f / 700)) / Math.LN10,
    toHertz: (mel) => 700 * (exp((mel * Math.LN10) / 2595) - 1),
  },
};

function filters(what: string, options: MelFilterOptions, engine?: Engine): Tensor {
  const { sampleRate, nFft, nMels = 128, fMin = 0, melScale = 'slaney', norm = 'slaney' } = options;
  expectNumber(`${what}: sampleRate`, sampleRate, '> 0');
  expectLength(`${what}: nFft`, nFft);
  expectLength(`${what}: nMels`, nMels, 65_536);
  const { fMax = sampleRate / 2 } = options;
  expectNumber(`${what}: fMin`, fMin, '≥ 0');
  expectNumber(`${what}: fMax`, fMax, '> 0');
  if (!(fMin < fMax && fMax <= sampleRate / 2)) {
    throw new ArgumentError(
      `${what}: fMin < fMax ≤ sampleRate/2 expected, got ${shown(fMin)}, ${shown(fMax)} and ${shown(sampleRate / 2)}`,
    );
  }
  expectChoice(what, 'melScale', melScale, ['slaney', 'htk']);
  expectChoice(what, 'norm', norm, ['slaney', 'none']);
  const { ofHertz, toHertz } = scales[melScale];
  const [low, high] = [ofHertz(fMin), ofHertz(fMax)];
  const edges = Float64Array.from({ length: nMels + 2 }, (_, i) => toHertz(low + ((high - low) * i) / (nMels + 1)));
  const bins = Math.floor(nFft / 2) + 1;
  const values = new Float32Array(bins * nMels);
  for (let m = 0; m < nMels; m++) {
    const [left, peak, right] = edges.subarray(m, m + 3) as unknown as [number, number, number];
    const height = norm === 'slaney' ? 2 / (right - left) : 1;
    for (let k = 0; k < bins; k++) {
      const f = (k * sampleRate) / nFft;
      const weight = Math.min((f - left) / (peak - left), (right - f) / (right - peak));
      if (weight > 0) values[k * nMels + m] = height * weight;
    }
  }
  return tensor(values, { shape: [bins, nMels], name: 'melFilters', engine });
}

/**
 * Triangular filters on the mel scale, which turn the powers of bins into those of bands as wide as they sound.
 *
 * The peaks are evenly spaced in mel between fMin and fMax. Filter m rises from the peak of filter m − 1 to its own and
 * falls to that of filter m + 1. `slaney`: mel = 3f/200 below 1,000 Hz, 15 + 27·ln(f/1000)/ln 6.4 above; `htk`: mel =
 * 2595·log₁₀(1 + f/700).
 *
 * @param options sampleRate, nFft, nMels, fMin, fMax, melScale and norm.
 * @returns `[⌊nFft/2⌋ + 1, nMels]` f32, the transpose of librosa's, so that `ops.matmul(powers, filters)` has a band in
 *   each column. A tensor of the open step; outside a step the caller owns it. Filters between two bins are 0.
 * @throws ArgumentError if an option is missing, unknown or out of range.
 * @see librosa.filters.mel; torchaudio.functional.melscale_fbanks
 *
 * @example
 * melFilters({ sampleRate: 16000, nFft: 512, nMels: 40 }).shape; // 257, 40
 */
export const melFilters = (options: MelFilterOptions): Tensor =>
  filters('melFilters', checkOptions('melFilters', options, filterNames));

export interface MelSpectrogramOptions extends Omit<StftOptions, 'onesided'>, MelFilterOptions {
  /** The exponent of magnitudes: 1 or 2. Default 2, the power. */
  power?: 1 | 2 | undefined;
}

export interface LogMelOptions extends MelSpectrogramOptions {
  /** The least value before the logarithm. Default 1e-10. */
  amin?: number | undefined;
}

const melNames: Names<MelSpectrogramOptions> = {
  ...spectraNames,
  ...filterNames,
  power: 1,
};

function mels(what: string, x: Weight, options: MelSpectrogramOptions): Tensor {
  const { power = 2 } = options;
  expectChoice(what, 'power', power, [1, 2]);
  const bank = filters(what, options, floatsOf(x, `${what}: x`).engine);
  return linear(magnitude(spectraOf(what, x, options), { power }), bank);
}

/**
 * The powers of the bands of `melFilters` in overlapping frames of a signal.
 *
 * y[…, t, m] = Σ_k filters[k, m]·|s[…, t, k]|^power, with s = `stft` of x
 *
 * The filters are made anew in each call. A model that is trained on signals makes them once, and multiplies.
 *
 * @param x signal `[…, T]` f32, in either memory order.
 * @param options those of `stft` without onesided, those of `melFilters`, and power.
 * @returns `[…, frames, nMels]` f32: time-major features `[B, T, F]` for a batch `[B, T]` of signals. A tensor of the
 *   open step; outside a step the caller owns it.
 * @throws ArgumentError under the conditions of `stft` and `melFilters`.
 * @see librosa.feature.melspectrogram
 *
 * @example
 * const options = { sampleRate: 8000, nFft: 256, hopLength: 80, nMels: 20 };
 * melSpectrogram(ops.zeros([1, 800]), options).shape; // 1, 11, 20
 */
export const melSpectrogram = (x: Weight, options: MelSpectrogramOptions): Tensor =>
  mels('melSpectrogram', x, checkOptions('melSpectrogram', options, melNames));

/**
 * The natural logarithm of `melSpectrogram`, the usual features of speech.
 *
 * y = ln max(mel, amin)
 *
 * @param x signal `[…, T]` f32, in either memory order.
 * @param options those of `melSpectrogram`, and amin.
 * @returns `[…, frames, nMels]` f32. A tensor of the open step; outside a step the caller owns it.
 * @throws ArgumentError under the conditions of `melSpectrogram`, or if amin is not a positive number.
 * @see librosa.feature.melspectrogram
 *
 * @example
 * const features = logMelSpectrogram(ops.zeros([1, 800]), { sampleRate: 8000, nFft: 256, nMels: 20, amin: 1 });
 * features.toArray()[0]; // 0
 */
export function logMelSpectrogram(x: Weight, options: LogMelOptions): Tensor {
  const what = 'logMelSpectrogram';
  const { amin = 1e-10, ...rest } = checkOptions(what, options, { ...melNames, amin: 1 });
  expectNumber(`${what}: amin`, amin, '> 0');
  return log(maximum(mels(what, x, rest), amin));
}
