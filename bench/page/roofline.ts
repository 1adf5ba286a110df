// The roofline: how near each workload is to what the host's arithmetic and its memory allow.
import type uPlot from 'uplot';
import { gflopsOf, peakOf } from '../../src/bench/report/layout.ts';
import { counted, digits, percentage } from '../../src/bench/report/numbers.ts';
import { type BenchReport, GROUPS, type WorkloadResult } from '../../src/bench/results.ts';
import { drawChart, logAxis, logRange } from './chart.ts';
import { element, section } from './elements.ts';
import { markOf } from './palette.ts';
import { colour } from './theme.ts';

const intensityOf = ({ flops, bytes }: WorkloadResult): number => flops / bytes;

/** The roofline of a report; undefined if no workload has both operations and bytes. `draw` needs it on the page. */
export function roofline(report: BenchReport): { part: HTMLElement; draw: () => void } | undefined {
  const results = report.results.filter(({ flops, bytes }) => flops > 0 && bytes > 0);
  if (results.length === 0) return undefined;
  const host = element('div', { className: 'chart' });
  const groups = GROUPS.filter((group) => results.some((result) => result.group === group));
  const legend = element(
    'ul',
    { className: 'legend', role: 'list' },
    ...groups.map((group) => element('li', {}, element('span', { className: markOf(group) }), group)),
  );
  const lead = `The lines are the most that one thread of this host can do: ${digits(report.host.peakGBs)} GB/s on the
    left, its multiply-adds on the right. Products that find their data in a cache may be above the slope, and several
    threads or 256-bit vectors above the roof. Point at a mark, or go through them with the arrow keys.`;
  return {
    part: section('Roofline', lead, host, legend),
    draw: () => drawRoofline(host, report, results),
  };
}

function drawRoofline(host: HTMLElement, report: BenchReport, results: WorkloadResult[]): void {
  const { peakGflops, peakGBs } = report.host;
  const roofs = Object.entries(peakGflops).filter((entry): entry is [string, number] => entry[1] !== null);
  const peaks = roofs.map(([, peak]) => peak);
  const ridges = peaks.map((peak) => peak / peakGBs);
  const [left, right] = logRange([...results.map(intensityOf), ...ridges]);
  const [bottom, top] = logRange([...results.map(gflopsOf), ...peaks]);
  const x = [...new Set([left, ...ridges, right])].sort((a, b) => a - b);
  const marks = new Marks(report, results);
  drawChart(host, {
    label: `Roofline of ${counted(results.length, 'workload')}`,
    data: [x, ...peaks.map((peak) => x.map((intensity) => Math.min(peak, intensity * peakGBs)))],
    options: () => ({
      scales: {
        x: { time: false, distr: 3, range: [left, right] },
        y: { distr: 3, range: [bottom, top] },
      },
      legend: { show: false },
      cursor: { show: false },
      axes: [logAxis('FLOP / byte', String), logAxis('GFLOP/s', String, { size: 56 })],
      series: [
        {},
        ...roofs.map(
          (_, i): uPlot.Series => ({
            stroke: colour('ink'),
            width: 2,
            dash: i === 0 ? [6, 4] : [],
            points: { show: false },
          }),
        ),
      ],
      hooks: {
        draw: [(plot) => nameRoofs(plot, roofs)],
        ready: [(plot) => marks.attach(plot)],
        setSize: [(plot) => marks.place(plot)],
      },
    }),
  });
}

/** Writes the name of each roof over its right end, or under it if there is no room below the roof above. */
function nameRoofs(plot: uPlot, roofs: readonly (readonly [string, number])[]): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colour('ink');
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  let above = Number.NEGATIVE_INFINITY;
  for (const [build, peak] of [...roofs].sort((a, b) => b[1] - a[1])) {
    const y = plot.valToPos(peak, 'y', true);
    const isNear = y - above < 20 * ratio;
    ctx.textBaseline = isNear ? 'top' : 'bottom';
    ctx.fillText(`${build} ${digits(peak)}`, bbox.left + bbox.width - 4 * ratio, y + (isNear ? 4 : -3) * ratio);
    above = y;
  }
  ctx.restore();
}

/** A button over the chart for each workload. One can be reached by Tab, and the others from it by arrow keys. */
class Marks {
  readonly #results: WorkloadResult[];
  readonly #buttons: HTMLButtonElement[];
  readonly #label = element('div', { className: 'tip', hidden: true });

  constructor(report: BenchReport, results: WorkloadResult[]) {
    // From left to right, as the arrow keys go.
    this.#results = [...results].sort((a, b) => intensityOf(a) - intensityOf(b));
    this.#buttons = this.#results.map((result, i) => {
      const peak = peakOf(result, report);
      const share = peak === null ? '' : `, ${percentage(gflopsOf(result) / peak)} of the peak`;
      const words = [
        `${result.id}${result.verified === false ? ' ✗ wrong result' : ''}`,
        `${digits(gflopsOf(result))} GFLOP/s${share}`,
        `${digits(intensityOf(result))} FLOP / byte`,
      ];
      const button = element('button', {
        type: 'button',
        className: markOf(result.group),
        ariaLabel: words.join('; '),
        tabIndex: i === 0 ? 0 : -1,
      });
      const show = (): void => this.#show(button, words);
      const hide = (): unknown => (this.#label.hidden = true);
      button.addEventListener('pointerenter', show);
      button.addEventListener('focus', show);
      button.addEventListener('pointerleave', hide);
      button.addEventListener('blur', hide);
      button.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') hide();
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        this.#focus(i + step);
      });
      return button;
    });
  }

  attach(plot: uPlot): void {
    plot.over.append(...this.#buttons, this.#label);
    this.place(plot);
  }

  place(plot: uPlot): void {
    for (const [i, result] of this.#results.entries()) {
      this.#buttons[i]!.style.left = `${plot.valToPos(intensityOf(result), 'x')}px`;
      this.#buttons[i]!.style.top = `${plot.valToPos(gflopsOf(result), 'y')}px`;
    }
  }

  #focus(i: number): void {
    const next = this.#buttons[i];
    if (!next) return;
    for (const button of this.#buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }

  /** Shows the label beside a mark, within the chart. */
  #show(button: HTMLElement, words: readonly string[]): void {
    this.#label.replaceChildren(...words.map((text) => element('div', {}, text)));
    this.#label.hidden = false;
    const { offsetLeft: x, offsetTop: y } = button;
    const { clientWidth, clientHeight } = button.parentElement!;
    const { offsetWidth: width, offsetHeight: height } = this.#label;
    const left = Math.max(0, Math.min(x - width / 2, clientWidth - width));
    const above = y - height - 12;
    this.#label.style.left = `${left}px`;
    this.#label.style.top = `${above >= 0 ? above : Math.min(y + 14, clientHeight - height)}px`;
  }
}
