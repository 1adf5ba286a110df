// Draws reports of the benchmark suite on a page: dist/bench/report.js for one-file reports, and the page of the suite.
import { minuteOf } from '../../src/bench/report/numbers.ts';
import type { BenchReport } from '../../src/bench/results.ts';
import { groupScores, workloadScores } from './bars.ts';
import { choice, element } from './elements.ts';
import { besideEachOther, history, runtimeName } from './history.ts';
import { facts, numbers } from './numbers-table.ts';
import { roofline } from './roofline.ts';
import { themeButton } from './theme.ts';
import { type NamedReport, tierUp } from './tier-up.ts';

/**
 * Draws reports in an element of the page, in place of what it contains. It needs the styles of report.css.
 *
 * @param place an element on the page.
 * @param reports one or more. One is shown at a time, first the newest. Several have a history and a table of all.
 */
export function renderReports(place: HTMLElement, reports: readonly BenchReport[]): void {
  place.classList.add('bench-report');
  if (reports.length === 0) {
    place.replaceChildren(element('p', {}, 'There is no report.'));
    return;
  }
  const named = namesOf([...reports].sort((x, y) => x.date.localeCompare(y.date)));
  const content = element('div', { className: 'content' });
  const last = named.length - 1;
  const show = (shown: number): void => drawReport(content, named, shown);
  const tools = element('div', { className: 'tools' });
  place.replaceChildren(tools, content);
  if (named.length > 1) {
    const names = named.map(({ name }) => name);
    tools.append(choice('Run', names, last, show));
  }
  tools.append(themeButton());
  show(last);
}

/** Names that tell runs apart. */
function namesOf(reports: readonly BenchReport[]): NamedReport[] {
  const seen = new Map<string, number>();
  const formOf = ({ settings: { size, mode, iterations } }: BenchReport): string =>
    [size, mode, ...(iterations === null ? [] : [`${iterations} calls`])].join(', ');
  const isMixed = new Set(reports.map(formOf)).size > 1;
  return reports.map((report) => {
    const form = isMixed ? `, ${formOf(report)}` : '';
    const name = `${runtimeName(report)}, ${minuteOf(report.date).replace(' UTC', '')}${form}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count > 1 ? `${name} (${count})` : name, report };
  });
}

function drawReport(content: HTMLElement, named: readonly NamedReport[], shown: number): void {
  const { report } = named[shown]!;
  // Without a reference the facts say that there is no score.
  const isScored = report.results.some(({ score }) => score !== null);
  const drawn = [roofline(report), tierUp(named.length > 1 ? named : [named[shown]!])];
  const several = named.length > 1 ? history(named) : undefined;
  content.replaceChildren(
    facts(report),
    ...(isScored ? [groupScores(report)] : []),
    ...drawn.slice(0, 1).flatMap((each) => (each ? [each.part] : [])),
    ...(isScored ? [workloadScores(report)] : []),
    ...drawn.slice(1).flatMap((each) => (each ? [each.part] : [])),
    ...(several ? [several.part, besideEachOther(named, shown)] : []),
    numbers(report),
  );
  // Charts measure their place, so they are drawn when it is on the page.
  for (const each of [...drawn, several]) each?.draw();
}
