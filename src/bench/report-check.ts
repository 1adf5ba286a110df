// Whether something is a report, such as a file that somebody has edited.
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { type BenchReport, type BenchSettings, FORMAT, GROUPS, SIZES } from './results.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isTime: Check = (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
const isAmount: Check = (value) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf =
  (check: Check, least = 0): Check =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.every(check);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const fieldsOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]));
const isScore = fieldsOf({ value: isTime, low: isTime, high: isTime });

const fields: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  report: {
    ...{ version: isText, date: isText, host: isObject, settings: isObject, results: Array.isArray },
    leftOut: listOf(fieldsOf({ id: isText, reason: isText })),
    scores: (value) => isObject(value) && Object.values(value as object).every(isScore),
    ...{ score: orNull(isScore), verified: isFlag, seconds: isAmount },
  },
  host: {
    ...{ runtime: isText, version: isText, engine: isText, flags: listOf(isText) },
    ...{ cpu: orNull(isText), cores: orNull(isAmount), arch: orNull(isText), clockMs: isAmount },
    ...{ peakGflops: fieldsOf({ simd: isAmount, relaxed: orNull(isAmount) }), peakGBs: isAmount },
  },
  settings: {
    ...{ mode: isText, size: (value) => SIZES.includes(value as never), rounds: isTime },
    ...{ iterations: orNull(isTime), only: isText },
  },
  result: {
    ...{ id: isText, name: isText, group: (value) => GROUPS.includes(value as never), stresses: isText },
    ...{ size: (value) => SIZES.includes(value as never), build: isText, threads: isTime },
    ...{ flops: isAmount, bytes: isAmount, hash: isText, verified: orNull(isFlag), distance: orNull(isAmount) },
    ...{ samples: listOf(listOf(isTime, 1), 1), repeats: isTime, dropped: isAmount, noisy: isFlag, steady: isFlag },
    ...{ median: isTime, low: isTime, high: isTime, fast: isTime, p999: orNull(isTime), curve: listOf(isAmount) },
    ...{ callsToFullSpeed: orNull(isAmount), score: orNull(isTime) },
  },
};

/** Throws `ArgumentError` unless it is a report of the present form. Returns it. */
export function expectReport(what: string, value: unknown): BenchReport {
  const { format } = (value ?? {}) as Partial<BenchReport>;
  if (format !== FORMAT) {
    throw new ArgumentError(`${what} expected a report of the form ${FORMAT}, got ${shown(format ?? value)}`);
  }
  const look = (kind: string, place: string, object: unknown): void => {
    if (!isObject(object)) throw new ArgumentError(`${what} expected an object as ${place}, got ${shown(object)}`);
    for (const [name, check] of Object.entries(fields[kind]!)) {
      const got = (object as Record<string, unknown>)[name];
      if (check(got)) continue;
      const path = `${place}${place ? '.' : ''}${name}`;
      throw new ArgumentError(`${what} expected ${path} as a report has it, got ${shown(got)}`);
    }
  };
  const report = value as BenchReport;
  look('report', '', report);
  look('host', 'host', report.host);
  look('settings', 'settings', report.settings);
  for (const [i, result] of report.results.entries()) look('result', `results[${i}]`, result);
  return report;
}

/** The settings by which what a call computes, or how it is measured, differs. */
const FORM = ['size', 'mode', 'iterations'] as const;

/** The first setting in which two runs are not of one form; undefined if their times can be compared. */
export const otherSetting = (a: BenchSettings, b: BenchSettings): (typeof FORM)[number] | undefined =>
  FORM.find((name) => a[name] !== b[name]);
