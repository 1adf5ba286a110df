// Tier-up curves: the times of the first calls of a workload, while the engine compiles it better and better.
import type uPlot from 'uplot';
import { counted, duration } from '../../src/bench/report/numbers.ts';
import type { BenchReport } from '../../src/bench/results.ts';
import { drawChart, logAxis, logRange } from './chart.ts';
import { choice, element, section } from './elements.ts';
import { lineColour, lineDash } from './palette.ts';
import { colour } from './theme.ts';

export interface NamedReport {
  name: string;
  report: BenchReport;
}

/** Curves of one workload in all reports; undefined if no report has a curve. `draw` needs it on the page. */
export function tierUp(reports: readonly NamedReport[]): { part: HTMLElement; draw: () => void } | undefined {
  const curveOf = (report: BenchReport, id: string): number[] =>
    report.results.find((result) => result.id === id)?.curve ?? [];
  const ids = [...new Set(reports.flatMap(({ report }) => report.results.map(({ id }) => id)))].filter((id) =>
    reports.some(({ report }) => curveOf(report, id).length > 1),
  );
  if (ids.length === 0) return undefined;
  const host = element('div', { className: 'chart' });
  const words = element('ul', { className: 'words', role: 'list' });
  const show = (chosen: number): void => {
    const id = ids[chosen]!;
    const lines = reports
      .map(({ name, report }) => ({ name, curve: curveOf(report, id), report }))
      .filter(({ curve }) => curve.length > 1);
    const sentences = lines.map(({ name, report }) => {
      const calls = report.results.find((result) => result.id === id)!.callsToFullSpeed;
      const full = calls === null ? 'the curve shows no full speed' : `at full speed after ${counted(calls, 'call')}`;
      return element('li', {}, `${name}: ${full}.`);
    });
    words.replaceChildren(...sentences);
    host.replaceChildren();
    drawChart(host, { label: `Times of the first calls of ${id}`, ...curves(lines) });
  };
  const lead = 'Times of the first calls. The curve falls as the engine replaces its first code by faster code.';
  return {
    part: section('Tier-up', lead, choice('Workload', ids, 0, show), host, words),
    draw: () => show(0),
  };
}

function curves(lines: readonly { name: string; curve: readonly number[] }[]): {
  data: uPlot.AlignedData;
  options: () => Omit<uPlot.Options, 'width' | 'height'>;
} {
  const calls = Math.max(...lines.map(({ curve }) => curve.length));
  const range = logRange(lines.flatMap(({ curve }) => curve.filter((time) => time > 0)));
  // A clock may be too coarse for a call. A logarithmic scale has no place for a time of 0.
  const values = lines.map(({ curve }) => Array.from({ length: calls }, (_, i) => (curve[i]! > 0 ? curve[i]! : null)));
  return {
    data: [Array.from({ length: calls }, (_, i) => i + 1), ...values],
    options: () => ({
      scales: { x: { time: false, distr: 3, range: [0.9, calls * 1.1] }, y: { distr: 3, range } },
      cursor: { drag: { x: false, y: false } },
      legend: { markers: { width: 2, dash: (_, i) => (lineDash(i - 1).length > 0 ? 'dashed' : 'solid') } },
      axes: [logAxis('call', String), logAxis('time', (ms) => duration(ms).replace(/\.0+ /, ' '), { size: 64 })],
      series: [
        { label: 'call', value: (_, value) => (value === null ? '' : String(value)) },
        ...lines.map(
          ({ name }, i): uPlot.Series => ({
            label: name,
            stroke: colour(lineColour(i)),
            width: 2,
            dash: lineDash(i),
            points: { show: false },
            value: (_, value) => (value === null ? '' : duration(value)),
          }),
        ),
      ],
    }),
  };
}
