// Fourier transforms by their definitions, in float64. Spectra are pairs of a real and an imaginary part.

/** cos and sin of 2πi/n for i below n. */
const circle = (n: number): { cos: number[]; sin: number[] } => {
  const angles = Array.from({ length: n }, (_, i) => (2 * Math.PI * i) / n);
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
};

/** Bins 0 … ⌊n/2⌋ of Σ_j x_j·e^(−2πi·jk/n). */
export function spectrum(x: ArrayLike<number>): number[] {
  const n = x.length;
  const { cos, sin } = circle(n);
  return Array.from({ length: Math.floor(n / 2) + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    for (let j = 0; j < n; j++) {
      const at = (j * k) % n;
      re += x[j]! * cos[at]!;
      im -= x[j]! * sin[at]!;
    }
    return [re, im];
  }).flat();
}

/** The n real numbers whose lower bins are y; imaginary parts of bin 0 and, for even n, of bin n/2 are not read. */
export function inverse(y: ArrayLike<number>, n: number): number[] {
  const { cos, sin } = circle(n);
  return Array.from({ length: n }, (_, j) => {
    let sum = y[0]!;
    for (let k = 1; 2 * k <= n; k++) {
      const at = (j * k) % n;
      const isLast = 2 * k === n;
      sum += (isLast ? 1 : 2) * (y[2 * k]! * cos[at]! - (isLast ? 0 : y[2 * k + 1]! * sin[at]!));
    }
    return sum / n;
  });
}
