/**
 * Fills NaN in place by linear interpolation between the values before and after; at the ends it repeats the nearest
 * value.
 *
 *     x[i] = x[a] + (x[b] − x[a])·(i − a)/(b − a)
 *
 * It multiplies first, so that a result that is a whole number is exact.
 *
 * @param values numbers; each `stride`-th from `first` on belongs to the series.
 * @returns false if all numbers are NaN, so that none could be filled; else true.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.interp.html
 * @internal
 */
export function interpolate(values: Float32Array | Float64Array, first = 0, stride = 1): boolean {
  let before = -1;
  for (let at = first; at < values.length; at += stride) {
    if (Number.isNaN(values[at])) continue;
    const from = before < 0 ? values[at] : values[before];
    const gap = at - before;
    for (let i = before < 0 ? first : before + stride; i < at; i += stride) {
      const [k, n] = before < 0 ? [0, 1] : [(i - before) / stride, gap / stride];
      const rise = (values[at] - from) * k;
      // If the difference overflows, a weighted sum of both values does not.
      values[i] = Number.isFinite(rise) ? from + rise / n : from * (1 - k / n) + values[at] * (k / n);
    }
    before = at;
  }
  if (before < 0) return values.length <= first;
  for (let at = before + stride; at < values.length; at += stride) values[at] = values[before];
  return true;
}
