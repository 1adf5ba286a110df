import { ArgumentError, shown } from '../checks/argument-error.ts';

/** The state of a stream. A stream that is set to a saved state gives the numbers that follow that state. */
export interface RandomState {
  seed: number;
  calls: number;
}

// A bijection of 32-bit words with low bias (constants: Chris Wellons, "Prospecting for hash functions", lowbias32).
// Words are signed here, because JavaScript engines may store an unsigned word as a heap object before they optimize
// the code.
function mix(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** The word of a call, signed. */
const wordOf = (mixed: number, call: number): number => mix(mix((call + 0x9e3779b9) | 0) ^ mixed);

/**
 * The number of `nextUniform` that calls `call` and `call + 1` of a stream make, from its mixed seed. @internal
 */
export const uniformOf = (mixed: number, call: number): number =>
  ((wordOf(mixed, call) >>> 5) * 2 ** 26 + (wordOf(mixed, call + 1) >>> 6)) / 2 ** 53;

/**
 * Random bits: a seeded, counter-based stream. Its n-th value depends only on the seed and n, on every host. Code that
 * only draws from distributions needs no more. `RandomStream` adds the functions for training.
 */
export class RandomBits {
  #seed: number;
  #calls = 0;
  // mix(seed), which every number needs.
  #mixed: number;

  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new ArgumentError(`seed expected an integer in [0, 2^32), got ${shown(seed)}`);
    }
    this.#seed = seed;
    this.#mixed = mix(seed);
  }

  /** The current state. After a state is set, the stream continues from it. */
  get state(): RandomState {
    return { seed: this.#seed, calls: this.#calls };
  }

  set state({ seed, calls }: RandomState) {
    this.#seed = seed;
    this.#mixed = mix(seed);
    this.#calls = calls;
  }

  /** Uniform in [0, 2³²). */
  nextUint32(): number {
    return wordOf(this.#mixed, this.#calls++) >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  nextUniform(): number {
    this.#calls += 2;
    return uniformOf(this.#mixed, this.#calls - 2);
  }

  /**
   * Skips `count` calls. Returns the mixed seed and the number of the first skipped call, which determine the words of
   * these calls.
   * @internal
   */
  protected skip(count: number): { mixed: number; first: number } {
    const first = this.#calls;
    this.#calls += count;
    return { mixed: this.#mixed, first };
  }
}

// Seeds of generated texts, separate from those of weights, so that generating a text does not change the initial
// weights of a later model.
let textSeeds = new RandomBits(0xffffffff);

/** Restarts the seeds of texts without a `seed` option from `seed`. @internal */
export function seedTexts(seed: number): void {
  textSeeds = new RandomBits(seed);
}

/** The seed of the next text without a `seed` option. @internal */
export const nextTextSeed = (): number => textSeeds.nextUint32();
