// How far a kernel's float32 may be from a float64 reference, and a message for a larger difference: index, got,
// expected, shape.

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Position on the float32 line, in units of one representable number; −0 and 0 share theirs. */
function ordinal(value: number): number {
  float[0] = value;
  return bits[0]! < 0 ? -(bits[0]! & 0x7fffffff) : bits[0]!;
}

/** Representable float32 between `got` and `expected` once rounded; 0 for two NaNs, ∞ for one. */
export function ulps(got: number, expected: number): number {
  if (Number.isNaN(got) || Number.isNaN(expected)) return Number.isNaN(got) === Number.isNaN(expected) ? 0 : Infinity;
  return Math.abs(ordinal(got) - ordinal(expected));
}

export interface Tolerance {
  /** Representable numbers apart. */
  ulp?: number;
  absolute?: number;
  relative?: number;
}

/** Whether `got` is within any one of the tolerances; infinities and NaN must be equal. */
export function isClose(got: number, expected: number, { ulp = 0, absolute = 0, relative = 0 }: Tolerance): boolean {
  const distance = Math.abs(got - expected);
  return distance <= absolute + relative * Math.abs(expected) || ulps(got, expected) <= ulp;
}

/**
 * Throws at the first element out of tolerance, naming its index, both values and the `shape` (and seed) of the case.
 */
export function expectClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  shape: string,
): void {
  if (got.length !== expected.length)
    throw new Error(`${shape}: got ${got.length} values, expected ${expected.length}`);
  for (let i = 0; i < got.length; i++) {
    if (!isClose(got[i]!, expected[i]!, tolerance)) {
      throw new Error(
        `${shape}: [${i}] got ${got[i]}, expected ${expected[i]} (${ulps(got[i]!, expected[i]!)} ulp apart, allowed ${JSON.stringify(tolerance)})`,
      );
    }
  }
}

/** Throws at the first element whose bits differ; NaNs count as equal. */
export function expectSameBits(got: ArrayLike<number>, expected: ArrayLike<number>, shape: string): void {
  if (got.length !== expected.length)
    throw new Error(`${shape}: got ${got.length} values, expected ${expected.length}`);
  for (let i = 0; i < got.length; i++) {
    if (!Object.is(got[i], expected[i]))
      throw new Error(`${shape}: [${i}] got ${show(got[i]!)}, expected ${show(expected[i]!)}`);
  }
}

const show = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
