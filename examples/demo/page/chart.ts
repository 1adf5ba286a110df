import uPlot from 'uplot';
import { colour, onThemeChange } from './theme.ts';

export interface Line {
  label: string;
  /** Name of a colour of the style sheet. */
  colour: string;
  width?: number;
  dash?: number[];
  alpha?: number;
  points?: boolean;
}

export interface ChartOptions {
  x: string;
  y: string;
  lines: Line[];
  /** Decades instead of units on the y axis. */
  logarithmic?: boolean;
}

// Redrawing costs a few milliseconds of the page's time.
const REDRAW_MS = 200;
const heightFor = (width: number): number => (width > 560 ? 340 : 240);

/** A uPlot chart as wide as its host, in the colours of the page, redrawn a few times a second at most. */
export class Chart {
  readonly #host: HTMLElement;
  readonly #options: ChartOptions;
  #plot: uPlot;
  #data: uPlot.AlignedData;
  #pending = false;
  #drawn = 0;

  constructor(host: HTMLElement, options: ChartOptions) {
    this.#host = host;
    this.#options = options;
    this.#data = [[], ...options.lines.map(() => [])];
    this.#plot = this.#make();
    onThemeChange(() => {
      this.#plot.destroy();
      this.#plot = this.#make();
    });
    new ResizeObserver(() => this.#plot.setSize(this.#size)).observe(host);
  }

  /** The x values, then each line's y; null where it has none. */
  set(data: uPlot.AlignedData): void {
    this.#data = data;
    if (this.#pending) return;
    this.#pending = true;
    const wait = Math.max(0, this.#drawn + REDRAW_MS - performance.now());
    setTimeout(() => requestAnimationFrame(() => this.#draw()), wait);
  }

  #draw(): void {
    this.#pending = false;
    this.#drawn = performance.now();
    this.#plot.setData(this.#data);
  }

  get #size(): { width: number; height: number } {
    const { clientWidth } = this.#host;
    return { width: clientWidth, height: heightFor(clientWidth) };
  }

  #make(): uPlot {
    const { x, y, lines, logarithmic = false } = this.#options;
    const axis: uPlot.Axis = {
      stroke: colour('soft'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { stroke: colour('line'), width: 1 },
      font: '12px system-ui, sans-serif',
      labelFont: '12px system-ui, sans-serif',
      labelSize: 18,
    };
    return new uPlot(
      {
        ...this.#size,
        scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
        axes: [
          { ...axis, label: x, size: 34 },
          {
            ...axis,
            label: y,
            size: logarithmic ? 60 : 46,
            ...(logarithmic ? decades(axis) : {}),
          },
        ],
        series: [
          { label: x },
          ...lines.map(
            (line): uPlot.Series => ({
              label: line.label,
              stroke: colour(line.colour),
              width: line.width ?? 2,
              alpha: line.alpha ?? 1,
              dash: line.dash ?? [],
              spanGaps: !logarithmic,
              points: { show: line.points ?? false, size: 6, fill: colour(line.colour) },
              value: (_, value) => (value === null ? '–' : logarithmic ? value.toExponential(1) : value.toFixed(3)),
            }),
          ),
        ],
        cursor: { drag: { x: false, y: false } },
      },
      this.#data,
      this.#host,
    );
  }
}

/** An axis with a line at every second power of ten: 10⁻⁴ stands for 0.0001. */
function decades(axis: uPlot.Axis): uPlot.Axis {
  const power = (value: number): number => Math.round(Math.log10(value));
  const isShown = (value: number): boolean => power(value) % 2 === 0 && Math.abs(value / 10 ** power(value) - 1) < 1e-6;
  const filter = (_: uPlot, splits: number[]): (number | null)[] =>
    splits.map((value) => (isShown(value) ? value : null));
  const raised = (value: number): string =>
    [...String(power(value))].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '⁻').join('');
  return {
    filter,
    grid: { ...axis.grid, filter },
    ticks: { ...axis.ticks, filter },
    values: (_: uPlot, splits: (number | null)[]) =>
      splits.map((value) => (value === null ? '' : `10${raised(value)}`)),
  };
}
