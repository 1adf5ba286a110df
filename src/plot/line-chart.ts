// Line charts as SVG documents that are readable on light and dark pages.
import { type Axis, linearAxis, logAxis, type Span, spanOf, stepAxis } from './axis.ts';

export type Point = readonly [x: number, y: number];

/** Colours of lines on light and on dark pages. */
const COLOURS = {
  blue: ['#2563eb', '#60a5fa'],
  orange: ['#ea580c', '#fb923c'],
  green: ['#15803d', '#4ade80'],
  violet: ['#9333ea', '#c084fc'],
  pink: ['#db2777', '#f472b6'],
  teal: ['#0e7490', '#22d3ee'],
  brown: ['#92400e', '#d6a06a'],
  grey: ['#4b5563', '#9ca3af'],
  faint: ['#93b4f5', '#2f4f86'],
} as const;

export type Colour = keyof typeof COLOURS;

/** Colours for lines without a meaning of their own, in order of use. */
export const DISTINCT: readonly Colour[] = ['blue', 'orange', 'green', 'violet', 'pink', 'teal', 'brown', 'grey'];

export interface Series {
  label: string;
  /** Points in any order. Points that the axes cannot show are left out. */
  points: readonly Point[];
  colour: Colour;
  /** Whether to mark each point with a dot. Default: only if there is one point. */
  dots?: boolean | undefined;
  dashed?: boolean | undefined;
}

/** One pair of axes. */
export interface Panel {
  title: string;
  xLabel: string;
  yLabel: string;
  series: readonly Series[];
  /** The range of the x axis. Default: that of the points. */
  x?: Span | undefined;
  /** Default `linear`. */
  yScale?: 'linear' | 'log' | undefined;
  /** The text of a chart without points. */
  empty: string;
}

export const WIDTH = 800;
const MARGIN = { left: 64, right: 40, top: 64, bottom: 56 };
const LEGEND_ROW = 20;

// The style sheet. It uses plain classes, because renderers outside browsers support neither CSS variables nor media
// queries. They show the light colours.
function styleOf(panels: readonly Panel[]): string {
  const used = [...new Set(panels.flatMap(({ series }) => series.map(({ colour }) => colour)))];
  const colours = (mode: 0 | 1, indent: string): string =>
    used
      .map((name) => [name, COLOURS[name][mode]])
      .map(([name, colour]) => `.line.${name} { stroke: ${colour} }\n${indent}.dot.${name} { fill: ${colour} }`)
      .join(`\n${indent}`);
  return `
    text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #4b5563 }
    .page { fill: #ffffff }
    .title { font-size: 17px; font-weight: 600; fill: #111827 }
    .grid { stroke: #e5e7eb; stroke-width: 1 }
    .axis { stroke: #9ca3af; stroke-width: 1 }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
    .line.faint { stroke-width: 1 }
    .dashed { stroke-dasharray: 6 5 }
    ${colours(0, '    ')}
    @media (prefers-color-scheme: dark) {
      text { fill: #9ca3af }
      .page { fill: #0d1117 }
      .title { fill: #f3f4f6 }
      .grid { stroke: #21262d }
      .axis { stroke: #4b5563 }
      ${colours(1, '      ')}
    }
`;
}

/**
 * Draws panels below each other in one document.
 *
 * @param options.title title of the document, for readers that do not see it.
 * @param options.height height of each panel in pixels. Default 450.
 * @returns a standalone SVG document.
 */
export function lineCharts(
  panels: readonly Panel[],
  { title, height = 450 }: { title: string; height?: number },
): string {
  const total = height * panels.length;
  const parts = panels.flatMap((panel, i) => drawPanel(panel, { top: i * height, height }));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}" role="img">
  <title>${escapeXml(title)}</title>
  <style>${styleOf(panels)}  </style>
  <rect class="page" width="${WIDTH}" height="${total}" rx="6"/>
  ${parts.join('\n  ')}
</svg>
`;
}

function drawPanel({ series, ...panel }: Panel, { top, height }: { top: number; height: number }): string[] {
  const { yScale = 'linear' } = panel;
  const shown = series.map((each) => ({ ...each, points: drawablePoints(each.points, yScale) }));
  const legend = layOutLegend(shown);
  const plot = {
    left: MARGIN.left,
    right: WIDTH - MARGIN.right,
    top: top + MARGIN.top + LEGEND_ROW * Math.max(legend.rows, 1),
    bottom: top + height - MARGIN.bottom,
  };
  const all = shown.flatMap(({ points }) => points);
  const xSpan = panel.x ?? spanOf(all.map(([at]) => at)) ?? { low: 0, high: 1 };
  const x = stepAxis(xSpan, plot.left, plot.right);
  const ySpan =
    spanOf(all.map(([, value]) => value)) ?? (yScale === 'log' ? { low: 1, high: 10 } : { low: 0, high: 1 });
  const y = (yScale === 'log' ? logAxis : linearAxis)(ySpan, plot.bottom, plot.top);
  const middle = { x: (plot.left + plot.right) / 2, y: (plot.top + plot.bottom) / 2 };
  const ylabelAt = `translate(18 ${middle.y}) rotate(-90)`;
  return [
    `<text class="title" x="${plot.left}" y="${top + 34}">${escapeXml(panel.title)}</text>`,
    ...legend.draw(top + 56),
    ...y.ticks.map((value) => `<path class="grid" d="M${plot.left} ${y.at(value)}H${plot.right}"/>`),
    ...y.ticks.map((value, i) => text(y.labels[i]!, plot.left - 10, y.at(value) + 4, 'end')),
    ...x.ticks.map((value) => `<path class="axis" d="M${x.at(value)} ${plot.bottom}v5"/>`),
    ...x.ticks.map((value, i) => text(x.labels[i]!, x.at(value), plot.bottom + 22, 'middle')),
    `<path class="axis" d="M${plot.left} ${plot.bottom}H${plot.right}"/>`,
    text(panel.xLabel, middle.x, top + height - 12, 'middle'),
    `<text transform="${ylabelAt}" text-anchor="middle">${escapeXml(panel.yLabel)}</text>`,
    ...shown.flatMap((each) => drawSeries(each, x, y)),
    ...(all.length === 0 ? [text(panel.empty, middle.x, middle.y, 'middle')] : []),
  ];
}

function drawSeries({ points, colour, dots = false, dashed = false }: Series, x: Axis, y: Axis): string[] {
  const place = ([step, value]: Point): string => `${x.at(step)} ${y.at(value)}`;
  const kind = classOf(colour, dashed);
  const line =
    points.length > 1 ? [`<path class="${kind}" d="M${extremesPerColumn(points).map(place).join('L')}"/>`] : [];
  const marked = dots || points.length === 1 ? points : [];
  return [
    ...line,
    ...marked.map(([step, value]) => `<circle class="dot ${colour}" cx="${x.at(step)}" cy="${y.at(value)}" r="3"/>`),
  ];
}

const classOf = (colour: Colour, dashed = false): string => `line ${colour}${dashed ? ' dashed' : ''}`;

/** Places the labels of series that have points, in as many rows as necessary. */
function layOutLegend(series: readonly Series[]): { rows: number; draw(top: number): string[] } {
  let left = MARGIN.left;
  let row = 0;
  const entries = series
    .filter(({ points }) => points.length > 0)
    .map((each) => {
      // The width of the font is unknown. At 13 pixels, 7 pixels per character are enough for common fonts.
      const width = 34 + 7 * each.label.length + 20;
      if (left > MARGIN.left && left + width - 20 > WIDTH - MARGIN.right) {
        left = MARGIN.left;
        row++;
      }
      const at = left;
      left += width;
      return { ...each, at, row };
    });
  return {
    rows: entries.length === 0 ? 0 : row + 1,
    draw: (top) =>
      entries.flatMap(({ label, colour, dashed, at, row }) => [
        `<path class="${classOf(colour, dashed)}" d="M${at} ${top + LEGEND_ROW * row}h24"/>`,
        text(label, at + 32, top + LEGEND_ROW * row + 4, 'start'),
      ]),
  };
}

const text = (content: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(content)}</text>`;

/** The points that the axes can show, in the order of x. */
export const drawablePoints = (points: readonly Point[], yScale: 'linear' | 'log' = 'linear'): Point[] =>
  points
    .filter((point) => point.every(Number.isFinite) && (yScale === 'linear' || point[1] > 0))
    .sort((a, b) => a[0] - b[0]);

/**
 * Keeps the lowest and the highest point of each pixel column. The line looks the same, and the file of a long run
 * stays small.
 */
function extremesPerColumn(points: readonly Point[]): readonly Point[] {
  const columns = WIDTH - MARGIN.left - MARGIN.right;
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
