import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { cosPi, sinPi } from '../../engine/float64.ts';

/** Words before the twiddle factors: the number of passes and their factors. */
const HEADER = 32;
/** Lengths whose plans are kept. */
const MOST_PLANS = 64;

/** The factors of n, fours first. The first pass of a factor 4 has a fast path. */
export function factorsOf(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  const divide = (by: number): void => {
    for (; rest % by === 0; rest /= by) factors.push(by);
  };
  for (const by of [4, 2, 3, 5]) divide(by);
  for (let by = 7; by * by <= rest; by += 2) divide(by);
  if (rest > 1) factors.push(rest);
  return factors;
}

/** cos and −sin of 2π·turn, the real and the imaginary part of e^(−2πi·turn). */
const cosOf = (turn: number): number => cosPi(2 * turn);
const sineOf = (turn: number): number => -sinPi(2 * turn);

/** Writes the plan of n: i32 first, f32 then. */
export function writePlan(n: number, words: Int32Array): void {
  const half = n % 2 === 0 ? n / 2 : n;
  const factors = factorsOf(half);
  words.fill(0, 0, HEADER);
  words.set([factors.length, ...factors]);
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  let at = HEADER;
  /** Two planes: cos and −sin of i·turn for i in [0, count). */
  const planes = (count: number, turn: (i: number) => number): void => {
    for (let i = 0; i < count; i++) {
      floats[at + i] = cosOf(turn(i));
      floats[at + count + i] = sineOf(turn(i));
    }
    at += 2 * count;
  };
  if (half !== n) planes(half, (k) => k / n);
  let length = half;
  for (const r of factors) {
    const m = length / r;
    // The product is exact, and taken modulo the length, so that the angle is rounded once.
    for (let j = 1; j < r; j++) planes(m, (p) => ((j * p) % length) / length);
    if (r > 5) planes(r, (j) => j / r);
    length = m;
  }
}

/** Words of the plan of n. */
export function sizeOfPlan(n: number): number {
  const half = n % 2 === 0 ? n / 2 : n;
  let size = HEADER + (half === n ? 0 : 2 * half);
  let length = half;
  for (const r of factorsOf(half)) {
    const m = length / r;
    size += 2 * (r - 1) * m + (r > 5 ? 2 * r : 0);
    length = m;
  }
  return size;
}

const plans = new WeakMap<Engine, Map<number, Ptr>>();

/**
 * The address of the plan of transforms of length n, in the heap of the engine: the factors of n and the twiddle
 * factors, computed in float64. It holds until the plan of another length is asked for. An engine keeps the plans of
 * the last lengths that were new.
 */
export function planOf(engine: Engine, n: number): Ptr {
  let ofEngine = plans.get(engine);
  if (!ofEngine) {
    ofEngine = new Map();
    plans.set(engine, ofEngine);
  }
  const known = ofEngine.get(n);
  if (known !== undefined) return known;
  const words = sizeOfPlan(n);
  const at = engine.heap.allocate(4 * words);
  writePlan(n, engine.i32(at, words));
  if (ofEngine.size === MOST_PLANS) {
    const [oldest, gone] = ofEngine.entries().next().value!;
    engine.heap.release(gone);
    ofEngine.delete(oldest);
  }
  ofEngine.set(n, at);
  return at;
}
