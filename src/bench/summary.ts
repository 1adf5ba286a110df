// From what the rounds measured to results, intervals and scores.
import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { references } from './expected/references.ts';
import { expectReport, otherSetting } from './report-check.ts';
import type { BenchReport, Group, Score, WorkloadResult } from './results.ts';
import {
  factorInterval,
  fastOf,
  geometricMean,
  independentMean,
  median,
  medianInterval,
  quantile,
} from './statistics.ts';

// A call is as fast as the last ones if it takes at most this much more.
const FULL_SPEED = 1.1;
// So many calls in a row, so that a lucky one does not count.
const IN_A_ROW = 3;

/** Calls before the times stay near `perCall`, in ms; null if the curve ends before. */
export function callsToFullSpeed(curve: readonly number[], perCall: number): number | null {
  const isFast = curve.map((time) => time <= FULL_SPEED * perCall);
  for (let i = 0; i + IN_A_ROW <= curve.length; i++) {
    if (isFast.slice(i, i + IN_A_ROW).every(Boolean) && median(curve.slice(i)) <= FULL_SPEED * perCall) return i;
  }
  return null;
}

/** The part of a result that follows from its samples. */
export type Times = Pick<WorkloadResult, 'median' | 'low' | 'high' | 'fast' | 'p999' | 'callsToFullSpeed' | 'score'>;

/**
 * Medians and intervals of the samples of a workload. `calls` are times of single calls, of all rounds. Calls without a
 * warm-up have no score: the reference has one.
 */
export function timesOf(
  id: string,
  samples: readonly (readonly number[])[],
  { curve, calls, isWarm }: { curve: readonly number[]; calls: readonly number[]; isWarm: boolean },
): Times {
  const { value, low, high } = medianInterval(samples);
  const fast = fastOf(samples.flat());
  const reference = references.times[id];
  return {
    median: value,
    low,
    high,
    fast,
    p999: calls.length > 0 ? quantile(calls, 0.999) : null,
    callsToFullSpeed: callsToFullSpeed(curve, value),
    score: reference === undefined || !isWarm ? null : (100 * reference) / fast,
  };
}

/** The score of some results: of each round, and their mean. Null if none has a reference. */
function scoreOf(results: readonly WorkloadResult[]): Score | null {
  const scored = results.filter(({ score }) => score !== null);
  if (scored.length === 0) return null;
  const rounds = Math.min(...scored.map(({ samples }) => samples.length));
  // Too few rounds to tell how they differ: from the intervals of the workloads.
  if (rounds < 3) {
    return independentMean(
      scored.map(({ score, median: middle, low, high }) => ({
        ...{ value: score!, low: (score! * middle) / high, high: (score! * middle) / low },
      })),
    );
  }
  const ofRounds = Array.from({ length: rounds }, (_, round) =>
    geometricMean(scored.map(({ id, samples }) => (100 * references.times[id]!) / fastOf(samples[round]!))),
  );
  // The time of all rounds together is shorter than most of those of one, so the interval moves along.
  const { value: middle, low, high } = factorInterval(ofRounds);
  const value = geometricMean(scored.map(({ score }) => score!));
  return { value, low: (value * low) / middle, high: (value * high) / middle };
}

/** Scores of every group and of all. The score of all is that of the groups, so that each counts the same. */
export function scoresOf(results: readonly WorkloadResult[]): Pick<BenchReport, 'scores' | 'score'> {
  const scores: Partial<Record<Group, Score>> = {};
  for (const group of new Set(results.map((result) => result.group))) {
    const score = scoreOf(results.filter((result) => result.group === group));
    if (score) scores[group] = score;
  }
  const all = Object.values(scores);
  return { scores, score: all.length === 0 ? null : independentMean(all) };
}

/**
 * One report of several runs of one round each, of one host and one list of workloads. The first gives the curves.
 *
 * @param reports at least one. A result that differs from that of the first is a wrong one.
 * @throws ArgumentError if there is none, one is no report, or they differ in size, mode, iterations, chosen workloads
 *   or engine.
 */
export function mergeReports(reports: readonly BenchReport[]): BenchReport {
  expectList('mergeReports: reports', reports);
  if (reports.length === 0) throw new ArgumentError('mergeReports: reports expected at least one, got none');
  const first = reports[0]!;
  for (const [i, report] of reports.entries()) {
    const what = `mergeReports: reports[${i}]`;
    expectReport(what, report);
    const isOfOthers = first.settings.only !== report.settings.only;
    const name = otherSetting(first.settings, report.settings) ?? (isOfOthers ? 'only' : undefined);
    if (name) {
      const [wanted, got] = [first, report].map(({ settings }) => shown(settings[name]));
      throw new ArgumentError(`${what} expected the ${name} ${wanted}, got ${got}`);
    }
    if (report.host.engine !== first.host.engine)
      throw new ArgumentError(`${what} expected the engine ${first.host.engine}, got ${report.host.engine}`);
  }
  const isWarm = first.settings.iterations === null;
  const results = first.results.map((result): WorkloadResult => {
    const all = reports.map((report) => report.results.find(({ id }) => id === result.id)!).filter(Boolean);
    const samples = all.flatMap((each) => each.samples);
    const p999s = all.map((each) => each.p999).filter((value) => value !== null);
    const distances = all.map((each) => each.distance).filter((value) => value !== null);
    const verified = all.map((each) => (each.hash === result.hash ? each.verified : false));
    return {
      ...result,
      ...timesOf(result.id, samples, { curve: result.curve, calls: [], isWarm }),
      samples,
      p999: p999s.length > 0 ? median(p999s) : null,
      distance: distances.length > 0 ? Math.max(...distances) : null,
      verified: verified.includes(false) ? false : verified.includes(null) ? null : true,
      dropped: all.reduce((sum, each) => sum + each.dropped, 0),
      noisy: all.some((each) => each.noisy),
      steady: all.every((each) => each.steady),
    };
  });
  return {
    ...first,
    settings: { ...first.settings, rounds: reports.reduce((sum, { settings }) => sum + settings.rounds, 0) },
    results,
    ...scoresOf(results),
    verified: results.every(({ verified }) => verified !== false),
    seconds: reports.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}
