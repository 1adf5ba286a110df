/** Values of an axis, and their places on the page. */
export interface Axis {
  /** Values that get a line and a label, ascending; the first and the last are the axis's ends, or lie inside them. */
  ticks: readonly number[];
  labels: readonly string[];
  /** Pixels, to a tenth of one. */
  at(value: number): number;
}

export interface Span {
  low: number;
  high: number;
}

/** What values span; undefined for no values. */
export function spanOf(values: Iterable<number>): Span | undefined {
  // Not Math.min(...values): a long run has more points than a call takes arguments.
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? { low, high } : undefined;
}

/** Steps or epochs: whole numbers, from 0 unless the run begins far behind it, as a resumed one does. */
export function stepAxis(span: Span, from: number, to: number): Axis {
  const { low: first, high: last } = span;
  const low = first <= 0.1 * last || first === last ? Math.min(first, 0) : first;
  const high = Math.max(last, low + 1);
  const ticks = roundTicks({ low, high }, 7, 1).filter((step) => step <= high);
  return { ticks, labels: decimalLabels(ticks), at: pixels({ low: ticks[0]!, high }, from, to) };
}

/** Round numbers that enclose the span. */
export function linearAxis(span: Span, from: number, to: number): Axis {
  const ticks = roundTicks(widened(span), 6);
  return { ticks, labels: decimalLabels(ticks), at: pixels({ low: ticks[0]!, high: ticks.at(-1)! }, from, to) };
}

/** Powers of ten that enclose the span, which must be above 0. */
export function logAxis(span: Span, from: number, to: number): Axis {
  const low = Math.floor(Math.log10(span.low) + 1e-6);
  const high = Math.max(Math.ceil(Math.log10(span.high) - 1e-6), low + 1);
  const step = Math.ceil((high - low) / 8);
  const powers = Array.from({ length: Math.ceil((high - low) / step) + 1 }, (_, i) => low + i * step);
  const at = pixels({ low, high: powers.at(-1)! }, from, to);
  return {
    ticks: powers.map((power) => Number(`1e${power}`)),
    labels: powers.map((power) => (power >= -3 && power <= 4 ? String(Number(`1e${power}`)) : `1e${power}`)),
    at: (value) => at(Math.log10(value)),
  };
}

/** With a comma every three digits; a loss that ran off, which would fill the page with digits, by its power of ten. */
export const grouped = (value: number, decimals = 0): string =>
  Math.abs(value) >= 1e10
    ? value.toExponential(1)
    : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** A span wide enough to tell its ends apart on the page. */
function widened({ low, high }: Span): Span {
  const margin = Math.max(1e-6, 1e-4 * Math.abs(low));
  return high - low >= margin ? { low, high } : { low: low - margin, high: high + margin };
}

/** Maps a span to pixels. */
function pixels({ low, high }: Span, from: number, to: number): (value: number) => number {
  return (value) => Math.round(10 * (from + ((value - low) / (high - low)) * (to - from))) / 10;
}

/** Multiples of 1, 2 or 5 times a power of ten, `finest` or coarser, that enclose the span, about `count` of them. */
function roundTicks({ low, high }: Span, count: number, finest = 0): number[] {
  const rough = Math.max((high - low) / count, finest);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** All with as many decimals as tell them apart. */
function decimalLabels(values: readonly number[]): string[] {
  const decimals = Math.max(0, Math.min(8, Math.ceil(-Math.log10(values[1]! - values[0]!) - 1e-9)));
  return values.map((value) => grouped(value, decimals));
}
