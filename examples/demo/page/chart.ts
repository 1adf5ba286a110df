import uPlot from 'uplot';
import { grouped } from './elements.ts';
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
  /** Whether the y axis is logarithmic. */
  logarithmic?: boolean;
  /** The height, for any width. */
  height?: number;
  /** The text before there are numbers. */
  empty: {
    words: string;
    /** Ends of the axes. */
    x: [from: number, to: number];
    y: [from: number, to: number];
    /** Faint lines that show how the curves may look. Arguments and values are shares of the axes, from 0 to 1. */
    sketches: ((x: number) => number)[];
  };
}

// Redrawing costs a few milliseconds of the page's time.
const REDRAW_MS = 200;
const heightFor = (width: number): number => (width > 560 ? 300 : 240);
const SKETCH_POINTS = 60;

/** A uPlot chart as wide as its host, in the colours of the page. It is redrawn at most a few times a second. */
export class Chart {
  readonly #host: HTMLElement;
  readonly #options: ChartOptions;
  readonly #words = document.createElement('p');
  #plot: uPlot;
  #data: uPlot.AlignedData;
  #pending = false;
  #drawn = 0;

  constructor(host: HTMLElement, options: ChartOptions) {
    this.#host = host;
    this.#options = options;
    this.#data = [[], ...options.lines.map(() => [])];
    this.#plot = this.#make();
    this.#words.className = 'empty';
    this.#words.textContent = options.empty.words;
    host.append(this.#words);
    onThemeChange(() => {
      this.#plot.destroy();
      this.#plot = this.#make();
      this.#host.append(this.#words);
    });
    new ResizeObserver(() => this.#plot.setSize(this.#size)).observe(host);
  }

  /** The x values, then the y values of each line; null where a line has none. */
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
    this.#words.hidden = !this.#isEmpty;
    this.#plot.setData(this.#data);
  }

  get #size(): { width: number; height: number } {
    const { clientWidth } = this.#host;
    return { width: clientWidth, height: this.#options.height ?? heightFor(clientWidth) };
  }

  get #isEmpty(): boolean {
    return this.#data[0].length === 0;
  }

  #sketch({ ctx, bbox }: uPlot): void {
    if (!this.#isEmpty) return;
    ctx.save();
    ctx.strokeStyle = colour('line');
    ctx.lineWidth = 3 * devicePixelRatio;
    for (const share of this.#options.empty.sketches) {
      ctx.beginPath();
      for (let i = 0; i <= SKETCH_POINTS; i++) {
        const x = i / SKETCH_POINTS;
        ctx.lineTo(bbox.left + x * bbox.width, bbox.top + (1 - share(x)) * bbox.height);
      }
      ctx.stroke();
    }
    ctx.restore();
  }

  #make(): uPlot {
    const { x, y, lines, logarithmic = false, empty } = this.#options;
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
        scales: {
          x: { time: false, range: (_, low, high) => (this.#isEmpty ? empty.x : [low, high]) },
          y: {
            distr: logarithmic ? 3 : 1,
            range: (_, low, high) => {
              if (this.#isEmpty || low === null) return empty.y;
              return logarithmic ? uPlot.rangeLog(low, high, 10, true) : uPlot.rangeNum(low, high, 0.1, true);
            },
          },
        },
        // The legend has only names until the pointer is on the chart.
        legend: { markers: { width: 2, dash: (_, i) => (lines[i - 1]?.dash ? 'dashed' : 'solid') } },
        hooks: { draw: [(plot) => this.#sketch(plot)] },
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
          { label: x, value: (_, value) => (value === null ? '' : grouped(value)) },
          ...lines.map(
            (line): uPlot.Series => ({
              label: line.label,
              stroke: colour(line.colour),
              width: line.width ?? 2,
              alpha: line.alpha ?? 1,
              dash: line.dash ?? [],
              spanGaps: !logarithmic,
              points: { show: line.points ?? false, size: 6, fill: colour(line.colour) },
              value: (_, value) => (value === null ? '' : logarithmic ? value.toExponential(1) : value.toFixed(3)),
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

/** An axis with a line at every second power of ten: 10⁻⁴ means 0.0001. */
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
