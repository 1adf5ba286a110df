/**
 * Fills NaN in place: on the line between the values before and behind, at the ends with the nearest value.
 *
 *     x[i] = x[a] + (x[b] − x[a])·(i − a)/(b − a)
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
      // Weights add up to 1, so that no difference can overflow.
      const share = before < 0 ? 0 : (i - before) / gap;
      values[i] = from * (1 - share) + values[at] * share;
    }
    before = at;
  }
  if (before < 0) return values.length <= first;
  for (let at = before + stride; at < values.length; at += stride) values[at] = values[before];
  return true;
}
