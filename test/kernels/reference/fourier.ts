// Fourier transforms by their definitions, in float64. Spectra are pairs of a real and an imaginary part.

/** Bins 0 … ⌊n/2⌋ of Σ_j x_j·e^(−2πi·jk/n). */
export function spectrum(x: ArrayLike<number>): number[] {
  const n = x.length;
  return Array.from({ length: Math.floor(n / 2) + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    for (let j = 0; j < n; j++) {
      const angle = (2 * Math.PI * ((j * k) % n)) / n;
      re += x[j]! * Math.cos(angle);
      im -= x[j]! * Math.sin(angle);
    }
    return [re, im];
  }).flat();
}

/** The n real numbers whose lower bins are y; imaginary parts of bin 0 and, for even n, of bin n/2 are not read. */
export function inverse(y: ArrayLike<number>, n: number): number[] {
  return Array.from({ length: n }, (_, j) => {
    let sum = y[0]!;
    for (let k = 1; 2 * k <= n; k++) {
      const angle = (2 * Math.PI * ((j * k) % n)) / n;
      const isLast = 2 * k === n;
      sum += (isLast ? 1 : 2) * (y[2 * k]! * Math.cos(angle) - (isLast ? 0 : y[2 * k + 1]! * Math.sin(angle)));
    }
    return sum / n;
  });
}
