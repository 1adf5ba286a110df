// uPlot charts as wide as their place, in the colours of the page.
import uPlot from 'uplot';
import { colour, onThemeChange } from './theme.ts';

export interface ChartContent {
  /** All options but the size. It is asked for again when colours change. */
  options(): Omit<uPlot.Options, 'width' | 'height'>;
  data: uPlot.AlignedData;
  /** What a screen reader says of the drawing. */
  label: string;
}

const heightFor = (width: number): number => (width > 560 ? 360 : 280);

/** Draws a chart in `host`, which must be on the page. It follows the width of the host and the theme. */
export function drawChart(host: HTMLElement, { options, data, label }: ChartContent): void {
  const size = (): { width: number; height: number } => ({
    width: host.clientWidth,
    height: heightFor(host.clientWidth),
  });
  const make = (): uPlot => {
    const plot = new uPlot({ ...size(), ...options() }, data, host);
    plot.ctx.canvas.setAttribute('role', 'img');
    plot.ctx.canvas.setAttribute('aria-label', label);
    return plot;
  };
  let plot = make();
  // Another chart may have taken the place of this one.
  const isShown = (): boolean => plot.root.isConnected;
  onThemeChange(() => {
    if (!isShown()) return false;
    plot.destroy();
    plot = make();
    return true;
  });
  const observer = new ResizeObserver(() => {
    if (!isShown()) observer.disconnect();
    else if (host.clientWidth > 0 && host.clientWidth !== plot.width) plot.setSize(size());
  });
  observer.observe(host);
}

const FONT = '12px system-ui, sans-serif';

/** An axis in the colours of the page. */
export const axis = (label: string, more: uPlot.Axis = {}): uPlot.Axis => ({
  stroke: colour('soft'),
  grid: { stroke: colour('line'), width: 1 },
  ticks: { stroke: colour('line'), width: 1 },
  font: FONT,
  labelFont: FONT,
  label,
  labelSize: 18,
  ...more,
});

/** A logarithmic axis with a label at 1, 10, 100, and at 2 and 5 where it spans less than two decades. */
export function logAxis(label: string, text: (value: number) => string, more: uPlot.Axis = {}): uPlot.Axis {
  const isShown = (value: number, span: number): boolean => {
    const first = Number(value.toExponential(3).slice(0, 5));
    return first === 1 || (span < 100 && (first === 2 || first === 5));
  };
  return axis(label, {
    filter: (plot, splits, i) => {
      const { min, max } = plot.scales[plot.axes[i]!.scale!]!;
      return splits.map((value) => (isShown(value, max! / min!) ? value : null));
    },
    values: (_, splits) => splits.map((value) => (value === null ? '' : text(Number(value.toPrecision(3))))),
    ...more,
  });
}

/**
 * The range of a logarithmic scale around values, with room at both ends. Its ends have one digit, because uPlot counts
 * the lines of the grid from the lower one.
 */
export function logRange(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values) / 1.3, Math.max(...values) * 1.3];
  const powerOf = (value: number): number => 10 ** Math.floor(Math.log10(value));
  return [Math.floor(low / powerOf(low)) * powerOf(low), Math.ceil(high / powerOf(high)) * powerOf(high)];
}
