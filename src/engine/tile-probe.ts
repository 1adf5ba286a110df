// Chooses the tile of `gemm`. A host whose engine joins two vectors of 128 bits into one of 256 computes wide tiles
// almost twice as fast; any other host computes them slower. No feature test tells the two apart, so both are timed.
import { Init, type Kernels, type Ptr } from './abi.ts';

// One product is 6 rows times two panels: 49,152 multiply-adds, 1 to 2 µs.
const [M, N, K] = [6, 32, 256];
const PRODUCT_MS = 0.0016;
// Products of one measurement: 0.1 ms at full speed.
const PRODUCTS = 64;
// V8 runs kernels unoptimized at first. It optimizes a tile after 3 to 6 rounds.
const ROUNDS = 16;
// Rounds may take this part of the time since the start, and half a millisecond in any case.
const SHARE = 0.02;
const FREE_MS = 0.5;
// A measurement takes at least so many ticks of the clock.
const TICKS = 5;
// Wide tiles must be this much faster. A host without wide vectors is 1.25 times slower with them, one with is 1.35
// to 1.8 times faster.
const MARGIN = 1.1;

// An AudioWorklet has no clock.
const now = (): number => globalThis.performance?.now() ?? 0;

/** Times both tiles between the first steps of an engine. It uses no memory but the scratch of `gemm`. */
export class TileProbe {
  readonly #kernels: Kernels;
  readonly #scratch: Ptr;
  // The shortest times of a product with the narrow tile and with the wide one.
  readonly #best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  readonly #tick = clockTick();
  readonly #start = now();
  #spent = 0;
  #rounds = 0;

  constructor(kernels: Kernels, scratch: Ptr) {
    this.#kernels = kernels;
    this.#scratch = scratch;
  }

  /** Whether more rounds would tell nothing new. No clock, or one that stands still, tells nothing. */
  get isDone(): boolean {
    return this.#rounds === ROUNDS || this.#tick === 0;
  }

  /** Whether the wide tile is the faster one, as far as is known. */
  get isWide(): boolean {
    return this.#best[1] * MARGIN < this.#best[0];
  }

  /** Runs a round if it is time for one. Afterwards the kernels use the faster tile. */
  advance(): void {
    const began = now();
    const budget = Math.max(FREE_MS, SHARE * (began - this.#start));
    if (this.isDone || this.#spent + 2 * TICKS * this.#tick > budget) return;
    this.#rounds++;
    this.#measure(0);
    this.#measure(1);
    this.#kernels.set_wide(Number(this.isWide));
    this.#spent += now() - began;
  }

  #measure(isWide: 0 | 1): void {
    const { gemm, gemm_packed_size, fill, set_wide } = this.#kernels;
    const packed = this.#scratch + 4 * M * K;
    const c = packed + 4 * gemm_packed_size(K, N);
    fill((c - this.#scratch) / 4, 0, this.#scratch);
    set_wide(isWide);
    const count = Math.max(PRODUCTS, Math.ceil((TICKS * this.#tick) / PRODUCT_MS));
    const start = now();
    for (let i = 0; i < count; i++) gemm(M, N, K, this.#scratch, K, 1, packed, c, N, Init.Zero, 0, 0);
    const time = (now() - start) / count;
    if (time > 0) this.#best[isWide] = Math.min(this.#best[isWide], time);
  }
}

/** The shortest time that the clock tells apart, in ms; 0 if it stands still, as in a request of some edge hosts. */
function clockTick(): number {
  const start = now();
  for (let i = 0; i < 20_000; i++) {
    const time = now() - start;
    if (time > 0) return time;
  }
  return 0;
}
