/** Softmax of one row in float64, and ln Σ e^x. */
export function softmax(x: ArrayLike<number>): { y: Float64Array; logSum: number } {
  const row = Float64Array.from(x);
  const greatest = Math.max(...row);
  const terms = row.map((v) => Math.exp(v - greatest));
  const sum = terms.reduce((a, b) => a + b, 0);
  return { y: terms.map((v) => v / sum), logSum: greatest + Math.log(sum) };
}
