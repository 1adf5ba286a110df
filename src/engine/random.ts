import type { Engine } from './engine.ts';
import { ln } from './float64.ts';
import { RandomBits, type RandomState, seedTexts, uniformOf } from './random-bits.ts';

/** The 64-bit key of a block of random numbers, in two halves. */
export interface RandomKey {
  readonly low: number;
  readonly high: number;
}

/** A seeded stream of random numbers: its n-th value depends only on the seed and n, on every host. */
export class RandomStream extends RandomBits {
  /** The key of one block of kernel-made numbers. */
  nextKey(): RandomKey {
    return { low: this.nextUint32(), high: this.nextUint32() };
  }

  /**
   * `count` numbers in [low, high), made from the numbers of `nextUniform`, by a kernel. A JavaScript loop is slow on
   * its first run, and for initial weights it runs only once. The buffer in linear memory is temporary. Its place is
   * free for the parameter afterwards. @internal
   */
  uniformValues(count: number, low: number, high: number, { kernels, heap, memory }: Engine): Float32Array {
    const at = heap.allocate(4 * count);
    const { mixed, first } = this.skip(2 * count);
    kernels.hash_uniform(count, mixed, first, low, (high - low) / 2 ** 53, at);
    const values = new Float32Array(memory.buffer, at, count).slice();
    heap.release(at);
    return values;
  }

  /** A standard normal number, by the inverse of the distribution function. */
  nextNormal(): number {
    return normalQuantile(this.nextUniform() + 2 ** -54);
  }

  /**
   * Fills `values` with the numbers of `nextNormal`. Engines optimize this loop sooner than a chain of methods.
   * @internal
   */
  fillNormal(values: Float32Array): void {
    const { mixed, first } = this.skip(2 * values.length);
    for (let i = 0; i < values.length; i++) values[i] = normalQuantile(uniformOf(mixed, first + 2 * i) + 2 ** -54);
  }

  /** Permutes `values` in place, by the method of Fisher and Yates. */
  shuffle(values: Uint32Array): Uint32Array {
    for (let i = values.length - 1; i > 0; i--) {
      const j = Math.floor(this.nextUniform() * (i + 1));
      const kept = values[i]!;
      values[i] = values[j]!;
      values[j] = kept;
    }
    return values;
  }
}

// Rational approximations with relative error 1.15e-9, by Peter J. Acklam, "An algorithm for computing the inverse
// normal cumulative distribution function". The polynomials are written out, and both halves of the centre share one
// branch, so that random numbers cause few mispredictions. This takes half the time of loops over coefficients.
function normalQuantile(p: number): number {
  const isUpper = p > 0.97575;
  if (isUpper || p < 0.02425) {
    const q = Math.sqrt(-2 * ln(isUpper ? 1 - p : p));
    const top =
      ((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q - 2.400758277161838) * q - 2.549732539343734) * q +
        4.374664141464968) *
        q +
      2.938163982698783;
    const bottom =
      (((7.784695709041462e-3 * q + 3.224671290700398e-1) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1;
    return (isUpper ? -top : top) / bottom;
  }
  const q = p - 0.5;
  const r = q * q;
  const top =
    ((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.38357751867269e2) * r -
      3.066479806614716e1) *
      r +
    2.506628277459239;
  const bottom =
    ((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1) * r -
      1.328068155288572e1) *
      r +
    1;
  return (q * top) / bottom;
}

let seeds = new RandomStream(0);

/**
 * Sets the seed of all later random numbers: initial weights, dropout masks, shuffling, generated text. Like
 * `keras.utils.set_random_seed`. Without this call every process starts with the seed 0.
 *
 * @param seed an integer in [0, 2³²).
 * @throws ArgumentError if `seed` is not such an integer.
 */
export function setSeed(seed: number): void {
  seeds = new RandomStream(seed);
  seedTexts(~seed >>> 0);
}

/**
 * A new stream for one consumer of random numbers, seeded from the stream that `setSeed` set, or from another one.
 * @internal
 */
export const nextStream = (from = seeds): RandomStream => new RandomStream(from.nextUint32());

/** The stream that `setSeed` set. @internal */
export const seedStream = (): RandomStream => seeds;

/** A stream that continues from the saved state of another one. @internal */
export function streamAt(state: RandomState): RandomStream {
  const stream = new RandomStream(state.seed);
  stream.state = state;
  return stream;
}
