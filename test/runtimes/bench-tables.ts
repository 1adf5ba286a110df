// What the benchmark suite gave in several hosts, as tables.
import { type BenchReport, GROUPS } from '../../src/bench/results.ts';

export interface BenchedHost {
  name: string;
  report?: BenchReport;
  /** What is wrong with the report. */
  faults?: string[];
  /** Why there is none. */
  text?: string;
}

const HEAD = ['runtime', 'engine', 'clock, ms', 'score', ...GROUPS, 'verified', 'left out', 's'];

/** A row of `hostTable`. */
export function cellsOf({ name, report, faults = [], text = '' }: BenchedHost): string[] {
  if (!report) return [name, text];
  const { host, score, scores, results, leftOut, seconds } = report;
  return [
    name,
    host.engine,
    host.clockMs.toPrecision(2),
    score ? score.value.toFixed(0) : '',
    ...GROUPS.map((group) => scores[group]?.value.toFixed(0) ?? ''),
    faults.length > 0 ? `NO: ${faults.join('; ')}` : `${results.length}`,
    `${leftOut.length}`,
    seconds.toFixed(0),
  ];
}

const table = (head: readonly string[], rows: readonly string[][]): string =>
  [head, head.map(() => '---'), ...rows.map((row) => head.map((_, i) => row[i] ?? ''))]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** One row for each host. */
export const hostTable = (hosts: readonly BenchedHost[]): string => table(HEAD, hosts.map(cellsOf));

/** One row for each workload: its time in each host, `fast`, as a multiple of the shortest. `!`: the host was slow. */
export function workloadTable(hosts: readonly BenchedHost[]): string {
  const measured = hosts.filter((host) => host.report !== undefined);
  const ids = [...new Set(measured.flatMap(({ report }) => report!.results.map(({ id }) => id)))];
  const rows = ids.map((id) => {
    const found = measured.map(({ report }) => report!.results.find((result) => result.id === id));
    const least = Math.min(...found.map((result) => result?.fast ?? Number.POSITIVE_INFINITY));
    const cells = found.map((result) =>
      result ? `${(result.fast / least).toFixed(2)}${result.noisy ? '!' : ''}` : '',
    );
    return [id, `${(1000 * least).toPrecision(3)}`, ...cells];
  });
  return table(['workload', 'shortest, µs', ...measured.map(({ name }) => name)], rows);
}
