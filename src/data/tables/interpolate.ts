/**
 * Fills NaN in place: on the line between the values before and behind, at the ends with the nearest value.
 *
 *     x[i] = x[a] + (x[b] − x[a])·(i − a)/(b − a)
 *
 * multiplied first, so that thirds of whole numbers are exact where they are whole.
 *
 * @param values any numbers, of which each `stride`-th from `first` on is one series.
 * @returns whether all are filled: none is, if all are NaN.
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
      // Where the difference overflows, weights that add up to 1 do not.
      values[i] = Number.isFinite(rise) ? from + rise / n : from * (1 - k / n) + values[at] * (k / n);
    }
    before = at;
  }
  if (before < 0) return values.length <= first;
  for (let at = before + stride; at < values.length; at += stride) values[at] = values[before];
  return true;
}
