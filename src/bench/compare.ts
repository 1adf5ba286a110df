import { ArgumentError, shown } from '../checks/argument-error.ts';
import { expectReport, otherSetting } from './report-check.ts';
import type { BenchReport, ComparedSide, ComparedWorkload, Comparison, WorkloadResult } from './results.ts';
import { ERROR_OF_FAST, fastOf, independentMean, mean, studentQuantile, variance } from './statistics.ts';

// A smaller difference is not named, however sure it is: it is what another place of the same code in memory makes.
const LEAST_DIFFERENCE = 0.01;
// Of all workloads together, a difference that is none is named in so many runs.
const FALSE_ALARMS = 0.05;
// Between two processes of one build, as a part of the time, where a report has too few rounds to tell.
const UNSEEN_DEVIATION = 0.01;

/** The logarithm of a time, the variance of its mean over rounds, and the degrees of freedom of that variance. */
interface Estimate {
  readonly log: number;
  readonly variance: number;
  readonly degrees: number;
}

function estimateOf({ samples }: WorkloadResult): Estimate {
  const logs = samples.map((round) => Math.log(fastOf(round)));
  const n = logs.length;
  if (n > 2) return { log: mean(logs), variance: variance(logs) / n, degrees: n - 1 };
  const all = samples.flat().map(Math.log);
  const ofSamples = (ERROR_OF_FAST ** 2 * variance(all)) / all.length;
  return { log: mean(logs), variance: ofSamples + UNSEEN_DEVIATION ** 2 / n, degrees: 20 };
}

function compared(before: WorkloadResult, after: WorkloadResult, rows: number): ComparedWorkload {
  const [a, b] = [estimateOf(before), estimateOf(after)];
  const difference = b.log - a.log;
  const error = Math.sqrt(a.variance + b.variance);
  // Welch and Satterthwaite's, of two variances that need not be alike.
  const degrees = error ** 4 / (a.variance ** 2 / a.degrees + b.variance ** 2 / b.degrees || Number.MIN_VALUE);
  const within = (probability: number): number =>
    error * studentQuantile(probability, Math.max(1, Math.min(degrees, 1e4)));
  const isNamed =
    Math.abs(difference) > within(1 - FALSE_ALARMS / rows) && Math.abs(Math.expm1(difference)) > LEAST_DIFFERENCE;
  const reach = within(0.95);
  return {
    ...{ id: before.id, group: before.group, before: Math.exp(a.log), after: Math.exp(b.log) },
    ratio: Math.exp(difference),
    ...{ low: Math.exp(difference - reach), high: Math.exp(difference + reach) },
    verdict: !isNamed ? 'same' : difference > 0 ? 'slower' : 'faster',
    isSameResult: before.hash === after.hash && before.verified !== false && after.verified !== false,
  };
}

/**
 * Compares two reports, such as those of two builds of an engine or of tapeloop on one host.
 *
 * ratio = the geometric mean over rounds of the lowest tenth of the times after, divided by that before; its interval
 * is Welch's, of the logarithms. A workload is called faster or slower if it is so by more than 1%, and with an error
 * that lets all workloads of two equal builds be called the same in 19 of 20 comparisons (Bonferroni). Reports of eight
 * rounds or more tell best: with fewer than three, differences between processes are not seen and are taken as 1%.
 *
 * @throws ArgumentError if one is no report, if size, mode or iterations differ, or without a common workload.
 *
 * @example
 * const measured = () => runBench({ size: 'small', only: 'softmax', rounds: 1, iterations: 3 });
 * const { rows } = compareReports(await measured(), await measured());
 * rows.filter(({ verdict }) => verdict === 'slower').map(({ id, ratio }) => [id, ratio]);
 */
export function compareReports(before: BenchReport, after: BenchReport): Comparison {
  expectReport('compareReports: before', before);
  expectReport('compareReports: after', after);
  const name = otherSetting(before.settings, after.settings);
  if (name) {
    const [wanted, got] = [before, after].map(({ settings }) => shown(settings[name]));
    throw new ArgumentError(`compareReports: after expected the ${name} ${wanted} of before, got ${got}`);
  }
  const pairs = before.results.flatMap((result): [WorkloadResult, WorkloadResult][] => {
    const same = after.results.find(({ id }) => id === result.id);
    return same ? [[result, same]] : [];
  });
  const rows = pairs.map(([a, b]) => compared(a, b, pairs.length));
  const known = new Set(pairs.map(([{ id }]) => id));
  const missing = [...before.results, ...after.results].map(({ id }) => id).filter((id) => !known.has(id));
  if (rows.length === 0) throw new ArgumentError('compareReports: after expected a workload that before has, got none');
  const side = ({ host, version, date, settings, verified }: BenchReport): ComparedSide => ({
    ...{ host, version, date, rounds: settings.rounds, verified },
  });
  return {
    ...{ before: side(before), after: side(after), rows, missing },
    all: independentMean(rows.map(({ ratio, low, high }) => ({ value: ratio, low, high }))),
  };
}
