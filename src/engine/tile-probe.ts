// Chooses the tile of `gemm`. A host whose engine joins two vectors of 128 bits into one of 256 computes wide tiles up
// to 1.8 times as fast; any other host computes them slower. No feature test tells the two apart, so both are timed.
import { Init, type Kernels, type Ptr } from './abi.ts';

// One product is 10 rows times two panels: 81,920 multiply-adds. In both builds 10 rows are cut into heights that have a
// wide tile.
const [M, N, K] = [10, 32, 256];
const PRODUCT_MS = 0.0026;
// Least number of products in one measurement: 0.1 ms at full speed.
const PRODUCTS = 40;
// The clock is read after so many products.
const BATCH = 10;
const ROUNDS = 16;
// Rounds that follow the first steps directly. V8 runs kernels unoptimized at first, and has optimized both tiles by
// the end of the second step. After fewer rounds one tile may be optimized and the other not.
const TRUSTED = 2;
// Later rounds take at most this part of the time since the start, the first ones included.
const SHARE = 0.02;
// A measurement takes so many ticks of the clock. A page that is not cross-origin isolated has ticks of 0.1 ms in
// Chromium. A clock that is coarser than `COARSEST_MS` would make a measurement too long.
const TICKS = 5;
const COARSEST_MS = 0.25;
// How many times as fast wide tiles are where they pay off: 1.2 in the plain build, 1.8 in the fused one. More means
// that the engine has not optimized the narrow tile yet.
const [LEAST, MOST] = [1.1, 3];

// An AudioWorklet has no clock.
const now = (): number => globalThis.performance?.now?.() ?? 0;

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
    // A module from the caller may have no wide tiles.
    if (!kernels.set_wide || !this.hasClock) this.#rounds = ROUNDS;
  }

  /** Whether the host has a clock that tells apart times of a quarter of a millisecond. */
  get hasClock(): boolean {
    return this.#tick > 0 && this.#tick <= COARSEST_MS;
  }

  /** Whether there are no more rounds. Without a clock, or with one that stands still or is coarse, there are none. */
  get isDone(): boolean {
    return this.#rounds === ROUNDS;
  }

  /** Whether the wide tile is the faster one, as far as is known. */
  get isWide(): boolean {
    const gain = this.#best[0] / this.#best[1];
    return this.#rounds >= TRUSTED && gain > LEAST && gain < MOST;
  }

  /** Runs a round if it is time for one. Afterwards the kernels use the faster tile. */
  advance(): void {
    if (this.isDone) return;
    const began = now();
    const after = this.#spent + 2 * TICKS * this.#tick;
    if (this.#rounds >= TRUSTED && after > SHARE * (began - this.#start)) return;
    this.#rounds++;
    this.#measure(1);
    // V8 optimizes the tiles of all heights only after some 80 products. Steps have run the narrow ones already.
    if (this.#rounds === 1) this.#measure(1);
    this.#measure(0);
    this.#kernels.set_wide(Number(this.isWide));
    this.#spent += now() - began;
  }

  #measure(isWide: 0 | 1): void {
    const { gemm, gemm_packed_size, fill, set_wide } = this.#kernels;
    const packed = this.#scratch + 4 * M * K;
    const c = packed + 4 * gemm_packed_size(K, N);
    const multiply = (): void => gemm(M, N, K, this.#scratch, K, 1, packed, c, N, Init.Zero, 0, 0);
    fill((c - this.#scratch) / 4, 0, this.#scratch);
    set_wide(isWide);
    // The first call may compile the tile.
    multiply();
    const least = TICKS * this.#tick;
    // If the clock stops after the start, as under the fake timers of a test, the loop ends nevertheless.
    const most = PRODUCTS + (2 * least) / PRODUCT_MS;
    const start = now();
    let [count, time] = [0, 0];
    while (count < PRODUCTS || (time < least && count < most)) {
      for (let i = 0; i < BATCH; i++) multiply();
      count += BATCH;
      time = now() - start;
    }
    if (time > 0) this.#best[isWide] = Math.min(this.#best[isWide], time / count);
  }
}

/** The shortest of three times that the clock tells apart, in ms. 0 if it stands still, as in some edge hosts. */
function clockTick(): number {
  let tick = 0;
  for (let sample = 0; sample < 3; sample++) {
    const start = now();
    let time = 0;
    for (let i = 0; i < 20_000 && !(time > 0); i++) time = now() - start;
    if (!(time > 0)) return 0;
    tick = sample === 0 ? time : Math.min(tick, time);
  }
  return tick;
}
