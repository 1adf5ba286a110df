import { ArgumentError, shown } from '../checks/argument-error.ts';

/** The state of a stream. A stream that is set to a saved state gives the numbers that would have come. */
export interface RandomState {
  seed: number;
  calls: number;
}

// A bijection of 32-bit words with low bias (constants: Chris Wellons, "Prospecting for hash functions", lowbias32).
// Words are signed here: an unsigned one may be a number on the heap, until the compiler has seen better.
function mix(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/**
 * Random bits: a seeded, counter-based stream. Its n-th value depends on the seed and n alone, on every host. What only
 * draws from distributions needs no more: `RandomStream` adds what training needs.
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

  /** Its present state. Setting it makes the stream go on from there. */
  get state(): RandomState {
    return { seed: this.#seed, calls: this.#calls };
  }

  set state({ seed, calls }: RandomState) {
    this.#seed = seed;
    this.#mixed = mix(seed);
    this.#calls = calls;
  }

  /** The word of the next call, signed. */
  #nextWord(): number {
    return mix(mix((this.#calls++ + 0x9e3779b9) | 0) ^ this.#mixed);
  }

  /** Uniform in [0, 2³²). */
  nextUint32(): number {
    return this.#nextWord() >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  nextUniform(): number {
    return ((this.#nextWord() >>> 5) * 2 ** 26 + (this.#nextWord() >>> 6)) / 2 ** 53;
  }

  /**
   * Passes over `count` calls. Returns what their words depend on: the mixed seed, and the number of the first.
   * @internal
   */
  protected skip(count: number): { mixed: number; first: number } {
    const first = this.#calls;
    this.#calls += count;
    return { mixed: this.#mixed, first };
  }
}

// Seeds of texts, apart from those of weights: what a model starts from does not depend on what was written before.
let textSeeds = new RandomBits(0xffffffff);

/** Makes texts without a seed of their own start again from `seed`. @internal */
export function seedTexts(seed: number): void {
  textSeeds = new RandomBits(seed);
}

/** The seed of a text that was given none. @internal */
export const nextTextSeed = (): number => textSeeds.nextUint32();
