// Training and validation loss over steps as one SVG, readable on a light and on a dark page.

export type LossPoint = [step: number, loss: number];

export interface LossCurveData {
  train: readonly LossPoint[];
  validation: readonly LossPoint[];
  title: string;
}

const WIDTH = 800;
const HEIGHT = 450;
const plot = { left: 64, right: WIDTH - 40, top: 84, bottom: HEIGHT - 56 };

// Plain classes: renderers outside browsers know neither CSS variables nor media queries, and then show the light colours.
const style = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #4b5563 }
    .page { fill: #ffffff }
    .title { font-size: 17px; font-weight: 600; fill: #111827 }
    .grid { stroke: #e5e7eb; stroke-width: 1 }
    .axis { stroke: #9ca3af; stroke-width: 1 }
    .line { fill: none; stroke-linejoin: round; stroke-linecap: round }
    .raw { stroke: #93b4f5; stroke-width: 1 }
    .train { stroke: #2563eb; stroke-width: 2 }
    .validation { stroke: #ea580c; stroke-width: 2 }
    .dot { fill: #ea580c }
    .train-dot { fill: #2563eb }
    @media (prefers-color-scheme: dark) {
      text { fill: #9ca3af }
      .page { fill: #0d1117 }
      .title { fill: #f3f4f6 }
      .grid { stroke: #21262d }
      .axis { stroke: #4b5563 }
      .raw { stroke: #2f4f86 }
      .train { stroke: #60a5fa }
      .validation { stroke: #fb923c }
      .dot { fill: #fb923c }
      .train-dot { fill: #60a5fa }
    }
`;

interface Span {
  low: number;
  high: number;
}

/**
 * Draws the loss over steps: every training loss thin, their moving average thick, the validation losses with a dot each. Points that
 * are not finite are left out; their order does not matter.
 *
 * @returns a standalone SVG document
 */
export function lossCurveSvg({ train, validation, title }: LossCurveData): string {
  const trained = tidy(train);
  const validated = tidy(validation);
  const all = [...trained, ...validated];

  const steps = spanOf(all, 0) ?? { low: 0, high: 1 };
  // From 0 unless the run begins far behind it, as a resumed one does.
  if (steps.low <= 0.1 * steps.high || steps.low === steps.high) steps.low = 0;
  steps.high = Math.max(steps.high, steps.low + 1);
  const xTicks = ticks(steps, 7, 1).filter((step) => step <= steps.high);
  steps.low = xTicks[0];
  const yTicks = ticks(widened(spanOf(all, 1) ?? { low: 0, high: 1 }), 6);
  const losses = { low: yTicks[0], high: yTicks[yTicks.length - 1] };

  const x = scale(steps, plot.left, plot.right);
  const y = scale(losses, plot.bottom, plot.top);
  const path = (points: LossPoint[], kind: string) =>
    `<path class="line ${kind}" d="M${points.map(([step, loss]) => `${x(step)} ${y(loss)}`).join('L')}"/>`;
  const dot = ([step, loss]: LossPoint, kind: string) =>
    `<circle class="${kind}" cx="${x(step)}" cy="${y(loss)}" r="3"/>`;

  const curves: string[] = [];
  const legend: { kind: string; label: string }[] = [];
  const { points: smooth, window } = movingAverage(trained);
  if (trained.length === 1) curves.push(dot(trained[0], 'train-dot'));
  if (trained.length > 1 && window === 1) curves.push(path(trained, 'train'));
  if (window > 1) {
    curves.push(path(thin(trained), 'raw'), path(thin(smooth), 'train'));
    legend.push({ kind: 'raw', label: 'training' }, { kind: 'train', label: `training, mean of ${grouped(window)}` });
  } else if (trained.length > 0) legend.push({ kind: 'train', label: 'training' });
  if (validated.length > 0) {
    if (validated.length > 1) curves.push(path(thin(validated), 'validation'));
    if (validated.length <= 60) curves.push(...validated.map((point) => dot(point, 'dot')));
    const [step, loss] = validated.reduce((best, point) => (point[1] < best[1] ? point : best));
    legend.push({ kind: 'validation', label: `validation, best ${grouped(loss, 3)} at step ${grouped(step)}` });
  }

  const lines = [
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text class="title" x="${plot.left}" y="34">${escapeXml(title)}</text>`,
    ...drawLegend(legend),
    ...yTicks.map((loss) => `<path class="grid" d="M${plot.left} ${y(loss)}H${plot.right}"/>`),
    ...labels(yTicks).map((label, i) => text(label, plot.left - 10, y(yTicks[i]) + 4, 'end')),
    ...xTicks.map((step) => `<path class="axis" d="M${x(step)} ${plot.bottom}v5"/>`),
    ...labels(xTicks).map((label, i) => text(label, x(xTicks[i]), plot.bottom + 22, 'middle')),
    `<path class="axis" d="M${plot.left} ${plot.bottom}H${plot.right}"/>`,
    text('step', (plot.left + plot.right) / 2, HEIGHT - 12, 'middle'),
    `<text transform="translate(18 ${(plot.top + plot.bottom) / 2}) rotate(-90)" text-anchor="middle">loss</text>`,
    ...curves,
  ];
  if (all.length === 0)
    lines.push(text('no losses yet', (plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2, 'middle'));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">
  <title>${escapeXml(title)}</title>
  <style>${style}  </style>
  ${lines.join('\n  ')}
</svg>
`;
}

function drawLegend(entries: { kind: string; label: string }[]): string[] {
  let left = plot.left;
  return entries.flatMap(({ kind, label }) => {
    const at = left;
    // The font is the reader's; 7 pixels a character is wide enough for the usual ones at 13 pixels.
    left += 34 + 7 * label.length + 20;
    return [`<path class="line ${kind}" d="M${at} 56h24"/>`, text(label, at + 32, 60, 'start')];
  });
}

const text = (content: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(content)}</text>`;

/** Finite points in the order of their steps. */
const tidy = (points: readonly LossPoint[]): LossPoint[] =>
  points.filter((point) => point.every(Number.isFinite)).sort((a, b) => a[0] - b[0]);

/** What the points span on one axis; undefined for no points. */
function spanOf(points: LossPoint[], axis: 0 | 1): Span | undefined {
  if (points.length === 0) return undefined;
  // Not Math.min(...values): a long run has more points than a call takes arguments.
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    low = Math.min(low, point[axis]);
    high = Math.max(high, point[axis]);
  }
  return { low, high };
}

/** A span wide enough to tell its ends apart on the page. */
function widened({ low, high }: Span): Span {
  const margin = Math.max(1e-6, 1e-4 * Math.abs(low));
  return high - low >= margin ? { low, high } : { low: low - margin, high: high + margin };
}

/** Maps a span to pixels, to a tenth of one. */
function scale({ low, high }: Span, from: number, to: number): (value: number) => number {
  return (value) => Math.round(10 * (from + ((value - low) / (high - low)) * (to - from))) / 10;
}

/** Multiples of 1, 2 or 5 times a power of ten, `finest` or coarser, that enclose the span, about `count` of them. */
function ticks({ low, high }: Span, count: number, finest = 0): number[] {
  const rough = Math.max((high - low) / count, finest);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Tick labels, all with as many decimals as tell them apart. */
function labels(values: number[]): string[] {
  const decimals = Math.max(0, Math.min(8, Math.ceil(-Math.log10(values[1] - values[0]) - 1e-9)));
  return values.map((value) => grouped(value, decimals));
}

/** With a comma every three digits; a loss that ran off, which would fill the page with digits, by its power of ten. */
const grouped = (value: number, decimals = 0): string =>
  Math.abs(value) >= 1e10
    ? value.toExponential(1)
    : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** The mean of each point and its neighbours, about a fortieth of the run in all; the window shrinks where the run begins or ends. */
function movingAverage(points: LossPoint[]): { points: LossPoint[]; window: number } {
  const reach = Math.floor(points.length / 80);
  const sums = [0];
  for (const [, loss] of points) sums.push(sums[sums.length - 1] + loss);
  const smooth = points.map(([step], i): LossPoint => {
    const before = Math.min(reach, i);
    // Even on both sides at the steep beginning, where a lopsided mean would lie off the curve.
    const after = Math.min(before, points.length - 1 - i);
    return [step, (sums[i + after + 1] - sums[i - before]) / (before + after + 1)];
  });
  return { points: smooth, window: 2 * reach + 1 };
}

/** At most the lowest and the highest of each pixel column's points: looks the same, and a long run's file stays small. */
function thin(points: LossPoint[]): LossPoint[] {
  const columns = plot.right - plot.left;
  if (points.length <= 2 * columns) return points;
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * points.length) / columns);
    const bucket = points.slice(from, Math.floor(((column + 1) * points.length) / columns));
    const low = bucket.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = bucket.reduce((a, b) => (b[1] > a[1] ? b : a));
    return low[0] < high[0] ? [low, high] : [high, low];
  }).flat();
}

const escapeXml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
