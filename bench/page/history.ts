// Several reports: scores over time, and all medians beside each other.
import uPlot from 'uplot';
import { duration, minuteOf, ratioNumber, scoreNumber } from '../../src/bench/report/numbers.ts';
import { otherSetting } from '../../src/bench/report-check.ts';
import { type BenchReport, GROUPS, type Score } from '../../src/bench/results.ts';
import { axis, drawChart } from './chart.ts';
import { breakable, choice, element, scrollable, section } from './elements.ts';
import { lineColour, lineDash } from './palette.ts';
import { colour } from './theme.ts';
import type { NamedReport } from './tier-up.ts';

/** The runtime and its version, or the engine of a browser, whose version is a long text. */
export const runtimeName = ({ host }: BenchReport): string =>
  host.runtime === 'browser' ? `browser, ${host.engine}` : `${host.runtime} ${host.version}`;

/** What tells hosts apart. */
const hostName = (report: BenchReport): string =>
  [runtimeName(report), report.host.cpu ?? '', report.host.flags.join(' ')].filter(Boolean).join(', ');

const secondsOf = ({ date }: BenchReport): number => Date.parse(date) / 1000;

/** A line of scores over time for each host. `draw` needs it on the page. */
export function history(reports: readonly NamedReport[]): { part: HTMLElement; draw: () => void } {
  const all = reports.map(({ report }) => report);
  const kinds = [
    { name: 'all', of: (report: BenchReport): Score | null => report.score },
    ...GROUPS.filter((group) => all.some(({ scores }) => scores[group])).map((group) => ({
      name: group as string,
      of: (report: BenchReport): Score | null => report.scores[group] ?? null,
    })),
  ];
  const host = element('div', { className: 'chart' });
  const show = (chosen: number): void => {
    host.replaceChildren();
    drawChart(host, { label: `History of the score, ${kinds[chosen]!.name}`, ...lines(all, kinds[chosen]!.of) });
  };
  const names = kinds.map(({ name }) => name);
  const lead = 'Scores by date, a line for each host. Thin lines up and down are the 95% intervals.';
  return { part: section('History', lead, choice('Score', names, 0, show), host), draw: () => show(0) };
}

function lines(
  reports: readonly BenchReport[],
  scoreOf: (report: BenchReport) => Score | null,
): { data: uPlot.AlignedData; options: () => Omit<uPlot.Options, 'width' | 'height'> } {
  const hosts = [...new Set(reports.map(hostName))];
  const x = [...new Set(reports.map(secondsOf))].sort((a, b) => a - b);
  const scores = hosts.map((host) =>
    x.map((time) => {
      const report = reports.find((each) => hostName(each) === host && secondsOf(each) === time);
      return report ? scoreOf(report) : null;
    }),
  );
  // One run stands in the middle of an hour.
  const margin = (x.at(-1)! - x[0]!) * 0.05 || 1800;
  const shown = scores.flat().filter((score) => score !== null);
  const range = uPlot.rangeNum(
    Math.min(100, ...shown.map(({ low }) => low)),
    Math.max(100, ...shown.map(({ high }) => high)),
    0.1,
    true,
  );
  const drawIntervals = ({ ctx, valToPos }: uPlot): void => {
    ctx.save();
    ctx.lineWidth = 1.5 * devicePixelRatio;
    for (const [i, line] of scores.entries()) {
      ctx.strokeStyle = colour(lineColour(i));
      ctx.beginPath();
      for (const [at, score] of line.entries()) {
        if (!score) continue;
        ctx.moveTo(valToPos(x[at]!, 'x', true), valToPos(score.low, 'y', true));
        ctx.lineTo(valToPos(x[at]!, 'x', true), valToPos(score.high, 'y', true));
      }
      ctx.stroke();
    }
    ctx.restore();
  };
  return {
    data: [x, ...scores.map((line) => line.map((score) => score?.value ?? null))],
    options: () => ({
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), 'Etc/UTC'),
      scales: { x: { range: [x[0]! - margin, x.at(-1)! + margin] }, y: { range } },
      cursor: { drag: { x: false, y: false } },
      legend: { markers: { width: 2, dash: (_, i) => (lineDash(i - 1).length > 0 ? 'dashed' : 'solid') } },
      hooks: { draw: [drawIntervals] },
      axes: [axis('date, UTC'), axis('score', { size: 50 })],
      series: [
        { label: 'date', value: (_, value) => (value === null ? '' : minuteOf(new Date(value * 1000).toISOString())) },
        ...hosts.map(
          (host, i): uPlot.Series => ({
            label: host,
            stroke: colour(lineColour(i)),
            width: 2,
            dash: lineDash(i),
            spanGaps: true,
            points: { show: true, size: 7, fill: colour(lineColour(i)) },
            value: (_, value) => (value === null ? '' : scoreNumber(value)),
          }),
        ),
      ],
    }),
  };
}

/** A table of the medians of all reports, with ratios to those of the shown one. */
export function besideEachOther(reports: readonly NamedReport[], shown: number): HTMLElement {
  const base = reports[shown]!.report;
  const ids = [...new Set(reports.flatMap(({ report }) => report.results.map(({ id }) => id)))];
  const others = reports.filter((_, i) => i !== shown);
  const cells = (id: string): HTMLElement[] => {
    const own = base.results.find((result) => result.id === id);
    return others.flatMap(({ report }) => {
      const result = report.results.find((each) => each.id === id);
      if (!result) return [element('td', {}, '–'), element('td')];
      if (!own) return [element('td', {}, duration(result.median)), element('td')];
      const ratio = result.median / own.median;
      const isOfOneForm = otherSetting(report.settings, base.settings) === undefined;
      const isApart = isOfOneForm && (result.low > own.high || result.high < own.low);
      const mark = isApart ? (ratio > 1 ? ' ▲' : ' ▼') : '';
      const differs = result.hash && own.hash && result.hash !== own.hash ? ' ≠' : '';
      return [
        element('td', {}, duration(result.median)),
        element(
          'td',
          { className: isApart ? (ratio > 1 ? 'bad' : 'good') : '' },
          `${ratioNumber(ratio)}${mark}${differs}`,
        ),
      ];
    });
  };
  const rows = ids.map((id) => {
    const own = base.results.find((result) => result.id === id);
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, ...breakable(id)),
      element('td', {}, own ? duration(own.median) : '–'),
      ...cells(id),
    );
  });
  const table = element(
    'table',
    { className: 'numbers' },
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'workload'),
        element('th', { scope: 'col', className: 'run' }, reports[shown]!.name),
        ...others.flatMap(({ name }) => [
          element('th', { scope: 'col', className: 'run' }, name),
          element('th', { scope: 'col' }, 'ratio'),
        ]),
      ),
    ),
    element('tbody', {}, ...rows),
  );
  const lead = `Medians, and ratios to “${reports[shown]!.name}”. ▲ is slower and ▼ faster where
    the 95% intervals lie apart, of runs of one mode; ≠ marks another result.`;
  return section('Beside each other', lead, scrollable('Medians of all runs', table));
}
