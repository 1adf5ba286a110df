/** The ticks of an axis, and the map from values to pixels. */
export interface Axis {
  /** Values with a line and a label, ascending. They may end before the axis does. */
  ticks: readonly number[];
  labels: readonly string[];
  /** The position of a value in pixels, rounded to a tenth. */
  at(value: number): number;
}

export interface Span {
  low: number;
  high: number;
}

/** The least and the greatest value; undefined if there are no values. */
export function spanOf(values: Iterable<number>): Span | undefined {
  // `Math.min(...values)` would fail: a long run has more points than a call can have arguments.
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? { low, high } : undefined;
}

/**
 * An axis of steps or epochs, with whole numbers. It starts at 0 unless the first value is large, as in a resumed run.
 */
export function stepAxis(span: Span, from: number, to: number): Axis {
  const { low: first, high: last } = span;
  const low = first <= 0.1 * last || first === last ? Math.min(first, 0) : first;
  const high = Math.max(last, low + 1);
  const ticks = roundTicks({ low, high }, 7, 1).filter((step) => step <= high);
  return { ticks, labels: decimalLabels(ticks), at: pixels({ low: ticks[0]!, high }, from, to) };
}

/** A linear axis whose ends are round numbers around the span. */
export function linearAxis(span: Span, from: number, to: number): Axis {
  const ticks = roundTicks(widened(span), 6);
  return { ticks, labels: decimalLabels(ticks), at: pixels({ low: ticks[0]!, high: ticks.at(-1)! }, from, to) };
}

/** A logarithmic axis whose ends are powers of ten around the span. The span must be above 0. */
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

/** A number with commas between groups of digits. From 10¹⁰ on, as for a diverged loss, it has an exponent. */
export const grouped = (value: number, decimals = 0): string =>
  Math.abs(value) >= 1e10
    ? value.toExponential(1)
    : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** The span, widened if its ends are too close to be distinguished. */
function widened({ low, high }: Span): Span {
  const margin = Math.max(1e-6, 1e-4 * Math.abs(low));
  return high - low >= margin ? { low, high } : { low: low - margin, high: high + margin };
}

/** Maps a span to pixels. */
function pixels({ low, high }: Span, from: number, to: number): (value: number) => number {
  return (value) => Math.round(10 * (from + ((value - low) / (high - low)) * (to - from))) / 10;
}

/**
 * About `count` multiples of 1, 2 or 5 times a power of ten that enclose the span. Their distance is at least `finest`.
 */
function roundTicks({ low, high }: Span, count: number, finest = 0): number[] {
  const rough = Math.max((high - low) / count, finest);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Labels with as many decimals as neighbouring values need to differ. */
function decimalLabels(values: readonly number[]): string[] {
  const decimals = Math.max(0, Math.min(8, Math.ceil(-Math.log10(values[1]! - values[0]!) - 1e-9)));
  return values.map((value) => grouped(value, decimals));
}
