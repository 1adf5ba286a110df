// What a report says: its facts, tables and notes, with every number as text. The terminal, Markdown and the page draw
// it.
import { type BenchReport, GROUPS, type WorkloadResult } from '../results.ts';
import {
  counted,
  digits,
  duration,
  minuteOf,
  percentage,
  plusMinus,
  printable,
  scoreNumber,
  scoreText,
} from './numbers.ts';

/** `bad`: a wrong result, or slower. `doubtful`: a time that cannot be quoted. `good`: faster. */
export type Tone = 'bad' | 'doubtful' | 'good' | 'plain';

export interface Column {
  title: string;
  align: 'left' | 'right';
  /** Where there is no room, columns go in ascending order of this number. Those without it stay. */
  leaves?: number;
}

export interface Row {
  /** One for each column. */
  cells: string[];
  /** The length of the bar beside the row; null for none. */
  bar: number | null;
  tone: Tone;
}

export interface Table {
  title: string;
  columns: Column[];
  rows: Row[];
}

export interface Fact {
  name: string;
  value: string;
  tone: Tone;
}

export interface Layout {
  title: string;
  facts: Fact[];
  tables: Table[];
  /** The value at which a bar is full; null for tables without bars. Longer bars are cut. */
  barEnd: number | null;
  notes: string[];
  /** The last line. */
  summary: string;
}

/** The score of the reference run. */
export const REFERENCE = 100;

const MARKS = { right: '✓', wrong: '✗', noisy: '!', unsteady: '~' } as const;

/** What the numbers of a workload suffer from, as marks; empty for none. */
const marksOf = ({ verified, noisy, steady }: WorkloadResult): string =>
  [verified === false && MARKS.wrong, noisy && MARKS.noisy, !steady && MARKS.unsteady].filter(Boolean).join('');

const toneOf = ({ verified, noisy, steady }: WorkloadResult): Tone =>
  verified === false ? 'bad' : noisy || !steady ? 'doubtful' : 'plain';

export const gflopsOf = ({ flops, median }: WorkloadResult): number => flops / median / 1e6;

/** The peak of the build and the threads of a result in GFLOP/s; null if the host could not measure it. */
export function peakOf({ build, threads }: WorkloadResult, { host }: BenchReport): number | null {
  const peak = build.startsWith('relaxed') ? host.peakGflops.relaxed : host.peakGflops.simd;
  return peak === null ? null : peak * threads;
}

/** A bar is full at the highest score, but at 125 at least, so that 100 can be seen, and at 250 at most. */
export const barEndOf = (scores: readonly (number | null)[]): number =>
  Math.min(250, Math.max(125, ...scores.map((score) => score ?? 0)));

const buildOf = ({ build, threads }: WorkloadResult): string => (threads === 1 ? build : `${build} ×${threads}`);

/** The build and the threads that most results have. */
function usualBuild(results: readonly WorkloadResult[]): string {
  const counts = new Map<string, number>();
  for (const result of results) counts.set(buildOf(result), (counts.get(buildOf(result)) ?? 0) + 1);
  return [...counts].sort(([, x], [, y]) => y - x)[0]?.[0] ?? '–';
}

interface Field extends Column {
  /** The text of a result; empty for none. A column whose texts are all empty is left out. */
  of(result: WorkloadResult, report: BenchReport): string;
}

const fieldsFor = (usual: string): Field[] => [
  { title: 'workload', align: 'left', of: ({ id }) => printable(id) },
  { title: '', align: 'left', of: marksOf },
  { title: 'build', align: 'left', leaves: 1, of: (result) => (buildOf(result) === usual ? '' : buildOf(result)) },
  { title: 'median', align: 'right', of: ({ median }) => duration(median) },
  { title: '±', align: 'right', of: ({ median, low, high }) => plusMinus(median, low, high) },
  { title: '99.9%', align: 'right', leaves: 4, of: ({ p999 }) => (p999 === null ? '' : duration(p999)) },
  {
    title: 'GFLOP/s',
    align: 'right',
    leaves: 3,
    of: (result) => (result.flops > 0 ? digits(gflopsOf(result)) : ''),
  },
  {
    title: 'of peak',
    align: 'right',
    leaves: 2,
    of: (result, report) => {
      const peak = peakOf(result, report);
      return result.flops > 0 && peak !== null ? percentage(gflopsOf(result) / peak) : '';
    },
  },
  { title: 'score', align: 'right', of: ({ score }) => (score === null ? '' : scoreNumber(score)) },
];

/** The table of one group. */
function groupTable(title: string, results: readonly WorkloadResult[], report: BenchReport, fields: Field[]): Table {
  const shown = fields.filter((field) => results.some((result) => field.of(result, report) !== ''));
  return {
    title,
    columns: shown,
    rows: results.map((result) => ({
      cells: shown.map((field) => field.of(result, report)),
      bar: result.score,
      tone: toneOf(result),
    })),
  };
}

function scoreTable({ scores, score }: BenchReport): Table {
  const groups = GROUPS.flatMap((group) => {
    const own = scores[group];
    return own ? [{ name: group as string, own }] : [];
  });
  const all = score ? [...groups, { name: 'all', own: score }] : groups;
  return {
    title: 'scores',
    columns: [
      { title: 'group', align: 'left' },
      { title: '±', align: 'right' },
      { title: 'score', align: 'right' },
    ],
    rows: all.map(({ name, own }) => ({
      cells: [name, plusMinus(own.value, own.low, own.high), scoreNumber(own.value)],
      bar: own.value,
      tone: 'plain',
    })),
  };
}

const idsOf = (results: readonly WorkloadResult[]): string => results.map(({ id }) => printable(id)).join(', ');

function verification({ results, verified }: BenchReport): Fact {
  const name = 'verified';
  const wrong = results.filter((result) => result.verified === false);
  const right = results.filter((result) => result.verified === true);
  if (wrong.length > 0) {
    const value = `${MARKS.wrong} ${wrong.length} of ${counted(results.length, 'result')} wrong: ${idsOf(wrong)}`;
    return { name, value, tone: 'bad' };
  }
  if (results.length === 0) return { name, value: 'no results', tone: 'plain' };
  if (right.length === 0 && verified)
    return { name, value: 'not known: no result has an expected one', tone: 'doubtful' };
  const unknown = results.length - right.length;
  const words =
    unknown > 0
      ? `${right.length} right, ${unknown} without an expected one`
      : `all ${counted(right.length, 'result')}`;
  return { name, value: `${verified ? MARKS.right : MARKS.wrong} ${words}`, tone: verified ? 'plain' : 'bad' };
}

const peaksOf = ({ peakGflops, peakGBs }: BenchReport['host']): string =>
  `${Object.entries(peakGflops)
    .flatMap(([build, peak]) => (peak === null ? [] : [`${build} ${digits(peak)} GFLOP/s`]))
    .join(', ')} a thread, ${digits(peakGBs)} GB/s`;

function factsOf(report: BenchReport): Fact[] {
  const { host, settings, seconds, date } = report;
  const machine = [host.cpu, host.cores === null ? null : counted(host.cores, 'core'), host.arch];
  const run = [
    settings.mode,
    `size ${settings.size}`,
    counted(settings.rounds, 'round'),
    settings.iterations === null ? '' : `${counted(settings.iterations, 'call')} each`,
    settings.only === '' ? '' : `only ${settings.only}`,
    `${digits(seconds)} s`,
    minuteOf(date),
  ];
  const fact = (name: string, ...parts: (string | null)[]): Fact => ({
    name,
    value: parts
      .map((part) => printable(part ?? ''))
      .filter(Boolean)
      .join(', '),
    tone: 'plain',
  });
  return [
    fact('host', `${host.runtime} ${host.version}`, ...machine),
    fact('engine', host.engine),
    fact('flags', host.flags.join(' ')),
    fact('build', usualBuild(report.results)),
    fact('run', ...run),
    fact('clock', `${duration(host.clockMs)}`),
    fact('peaks', peaksOf(host)),
    verification(report),
  ].filter(({ value }) => value !== '');
}

function notesOf({ results, leftOut }: BenchReport): string[] {
  const note = (mark: string, words: string, of: (result: WorkloadResult) => boolean): string[] => {
    const found = results.filter(of);
    const names = found.length === results.length ? 'all' : idsOf(found);
    return found.length > 0 ? [`${mark} ${words}: ${names}`] : [];
  };
  return [
    ...note(MARKS.wrong, 'wrong result', ({ verified }) => verified === false),
    ...note(MARKS.noisy, 'noisy, more than half of the samples were slow', ({ noisy }) => noisy),
    ...note(MARKS.unsteady, 'not steady, times still fell at the end of the warm-up', ({ steady }) => !steady),
    ...leftOut.map(({ id, reason }) => `left out: ${printable(id)}, ${printable(reason)}`),
  ];
}

const summaryOf = ({ score, results, settings }: BenchReport): string => {
  if (!score && settings.iterations !== null) return 'No score: the calls had no warm-up.';
  if (!score) return 'No score: no workload has a reference.';
  const without = results.filter((result) => result.score === null).length;
  const rest = without > 0 ? `; ${counted(without, 'workload')} without a reference` : '';
  return `Score ${scoreText(score)}, where the reference run has ${REFERENCE}${rest}.`;
};

/** What the report of one run says. */
export function reportLayout(report: BenchReport): Layout {
  const { results, scores } = report;
  const fields = fieldsFor(usualBuild(results));
  const groups = GROUPS.flatMap((group) => {
    const own = results.filter((result) => result.group === group);
    return own.length > 0 ? [groupTable(group, own, report, fields)] : [];
  });
  return {
    title: `tapeloop ${printable(report.version)} benchmark suite`,
    facts: factsOf(report),
    tables: Object.keys(scores).length > 0 ? [...groups, scoreTable(report)] : groups,
    barEnd: results.some(({ score }) => score !== null) ? barEndOf(results.map(({ score }) => score)) : null,
    notes: notesOf(report),
    summary: summaryOf(report),
  };
}
