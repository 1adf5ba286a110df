// All numbers of a report as tables: the same as in the terminal.
import { type Column, reportLayout, type Table } from '../../src/bench/report/layout.ts';
import { printable } from '../../src/bench/report/numbers.ts';
import type { BenchReport } from '../../src/bench/results.ts';
import { breakable, element, scrollable, section } from './elements.ts';

/** What the marks beside a name mean, for those who hear the page. */
const MEANINGS: Record<string, string> = { '✗': 'wrong result', '!': 'noisy', '~': 'not steady' };

const meaning = (marks: string): string => [...marks].map((mark) => MEANINGS[mark] ?? mark).join(', ');

/** The columns of all tables, in the order in which each has its own. */
function columnsOf(tables: readonly Table[]): Column[] {
  const all: Column[] = [];
  for (const { columns } of tables) {
    let at = 0;
    for (const column of columns) {
      const found = all.findIndex(({ title }) => title === column.title);
      if (found < 0) all.splice(at, 0, column);
      at = (found < 0 ? at : found) + 1;
    }
  }
  return all;
}

/** By name. */
type Verified = ReadonlyMap<string, string>;

function groupBody({ title, columns, rows }: Table, all: readonly Column[], verified: Verified): HTMLElement {
  const heading = element('th', { scope: 'rowgroup', colSpan: all.length + 1 }, title);
  const lines = rows.map(({ cells, tone }) => {
    const name = cells[0]!;
    const data = all.slice(1).map(({ title: wanted, align }) => {
      const cell = cells[columns.findIndex((column) => column.title === wanted)] ?? '';
      const isMark = wanted === '' && cell !== '';
      const content = isMark
        ? element('span', { title: meaning(cell), role: 'img', ariaLabel: meaning(cell) }, cell)
        : cell;
      return element('td', { className: align }, content);
    });
    const last = element('td', { className: 'left' }, verified.get(name)!);
    return element('tr', { className: tone }, element('th', { scope: 'row' }, ...breakable(name)), ...data, last);
  });
  return element('tbody', {}, element('tr', { className: 'group' }, heading), ...lines);
}

function numbersTable(tables: readonly Table[], verified: Verified): HTMLElement {
  const columns = columnsOf(tables);
  const head = columns.map(({ title, align }) =>
    element('th', { scope: 'col', className: align }, title || element('span', { className: 'hidden' }, 'marks')),
  );
  return element(
    'table',
    { className: 'numbers' },
    element('thead', {}, element('tr', {}, ...head, element('th', { scope: 'col', className: 'left' }, 'verified'))),
    ...tables.map((table) => groupBody(table, columns, verified)),
  );
}

const verifiedWord = (verified: boolean | null): string =>
  verified === null ? '– not known' : verified ? '✓ yes' : '✗ no';

/** The tables and notes of a report. */
export function numbers(report: BenchReport): HTMLElement {
  const { tables, notes } = reportLayout(report);
  const verified = new Map(report.results.map(({ id, verified }) => [printable(id), verifiedWord(verified)]));
  const workloads = tables.filter(({ rows }) => rows.every(({ cells }) => verified.has(cells[0]!)));
  return section(
    'All numbers',
    'Medians of one call with half of their 95% interval. The peak is that of the build, times the threads.',
    scrollable('All numbers', numbersTable(workloads, verified)),
    element('ul', { className: 'notes' }, ...notes.map((note) => element('li', {}, note))),
  );
}

/** The facts of a run, and the sentence of its score. */
export function facts(report: BenchReport): HTMLElement {
  const { facts: all, summary } = reportLayout(report);
  const list = element(
    'dl',
    {},
    ...all.map(({ name, value, tone }) =>
      element('div', { className: tone }, element('dt', {}, name), element('dd', {}, value)),
    ),
  );
  return element('section', {}, element('p', { className: 'summary' }, summary), list);
}
