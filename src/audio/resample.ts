import { ArgumentError, shown } from '../checks/argument-error.ts';
import { allocated } from '../data/array.ts';
import { sinPi } from '../engine/float64.ts';
import { expectNumbers } from './numbers.ts';
import { besselI0 } from './windows.ts';

/** Zero crossings of the sinc on either side of a sample, at the lower of the two rates. */
const ZEROS = 32;
/** Kaiser's β for an attenuation of 90 dB: 0.1102·(90 − 8.7). */
const BETA = 8.96;
/**
 * Where the filter is at one half, as a fraction of the lower Nyquist frequency. Its transition is 0.178 wide: ((90 −
 * 8)/(2.285·2·32·π)), so that it ends at 1.
 */
const CUTOFF = 0.91;

/** A value of a filter: at distance x from its center, in samples of the lower rate. */
function tap(x: number): number {
  const place = x / ZEROS;
  if (place <= -1 || place >= 1) return 0;
  const t = CUTOFF * x;
  const sinc = t === 0 ? 1 : sinPi(t) / (Math.PI * t);
  return CUTOFF * sinc * (besselI0(BETA * Math.sqrt(1 - place * place)) / besselI0(BETA));
}

/** The length of a filter grows with the ratio of the rates. */
const MOST_RATIO = 1000;

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** Phases whose filters are kept; those of a rarer pair of rates are made where they are used. */
const MOST_PHASES = 4096;

/**
 * Changes the sample rate of a signal.
 *
 * y[m] = Σ_i x[i]·h(m·from/to − i), where h is a sinc of 32 zero crossings on either side under a Kaiser window
 *
 * It keeps frequencies up to 82% of the lower Nyquist frequency, min(from, to)/2, within 0.001 dB, and attenuates what
 * would alias by 90 dB. The delay is 0. Beyond its ends the signal is 0.
 *
 * @param samples `[T]`, one channel.
 * @param from its sample rate in Hz, an integer.
 * @param to the wanted sample rate in Hz, an integer.
 * @returns `[⌈T·to/from⌉]`, summed in float64; the caller owns it. With equal rates, a copy.
 * @throws ArgumentError if `samples` is not a list of numbers or a typed array, a rate is not an integer from 1 to
 *   2³² − 1, one is more than 1000 times the other, or the result is too large for the host.
 * @see Smith, https://ccrma.stanford.edu/~jos/resample/; torchaudio.functional.resample
 *
 * @example
 * resample(new Float32Array(441), 44100, 16000).length; // 160
 */
export function resample(samples: ArrayLike<number>, from: number, to: number): Float32Array {
  expectNumbers('resample: samples', samples);
  for (const [name, rate] of Object.entries({ from, to })) {
    if (!Number.isInteger(rate) || rate < 1 || rate >= 2 ** 32)
      throw new ArgumentError(`resample: ${name} expected an integer from 1 to 2³² − 1, got ${shown(rate)}`);
  }
  if (Math.max(from, to) > MOST_RATIO * Math.min(from, to))
    throw new ArgumentError(
      `resample: from and to expected rates within a factor of ${MOST_RATIO}, got ${from} and ${to}`,
    );
  if (from === to) return Float32Array.from(samples);
  const common = divisor(from, to);
  const [up, down] = [to / common, from / common];
  const { length } = samples;
  const y = allocated(Float32Array, Math.ceil((length * up) / down), 'resample: to');
  // x is read at place m·down/up = whole + phase/up. Distances are in samples of the lower rate.
  const unit = Math.min(up / down, 1);
  const reach = Math.ceil(ZEROS / unit);
  const filters = new Map<number, Float64Array>();
  const filterOf = (phase: number): Float64Array => {
    const known = filters.get(phase);
    if (known) return known;
    const made = Float64Array.from({ length: 2 * reach }, (_, i) => unit * tap((phase / up + reach - 1 - i) * unit));
    if (filters.size < MOST_PHASES) filters.set(phase, made);
    return made;
  };
  let [whole, phase] = [0, 0];
  for (let m = 0; m < y.length; m++) {
    const filter = filterOf(phase);
    const first = whole - reach + 1;
    const end = Math.min(2 * reach, length - first);
    let sum = 0;
    for (let i = Math.max(-first, 0); i < end; i++) sum += filter[i]! * samples[first + i]!;
    y[m] = sum;
    phase += down;
    const steps = Math.floor(phase / up);
    whole += steps;
    phase -= steps * up;
  }
  return y;
}
