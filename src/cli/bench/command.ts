// `tapeloop bench`: runs the suite, or reads the reports of earlier runs.
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { compareReports } from '../../bench/compare.ts';
import { htmlReport } from '../../bench/report/html.ts';
import { markdownComparison, markdownReport } from '../../bench/report/markdown.ts';
import { terminalComparison, terminalReport } from '../../bench/report/terminal.ts';
import { expectReport } from '../../bench/report-check.ts';
import type { BenchReport, Comparison } from '../../bench/results.ts';
import { checkedOptions, runBench } from '../../bench/run.ts';
import { workloads } from '../../bench/workloads/all.ts';
import { FileError } from '../../io/file-error.ts';
import { folderOf, makeFolder, readFileChecked, writeFileAtomic } from '../../io/node-files.ts';
import { StatusLine } from '../../io/status-line.ts';
import type { BenchCommandOptions } from '../flags.ts';
import { PAGE_FILES } from './page-files.ts';
import { runInProcesses } from './processes.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A file of the package, beside the command line. */
const asset = (name: string): string => readFileSync(new URL(`../bench/${name}`, import.meta.url), 'utf8');

/** Rounds if none are asked for: as many as make an interval, and a comparison, that holds. */
const ROUNDS = 8;

/**
 * Runs the suite, and writes what is asked for.
 *
 * @returns the exit code: 1 if a result is wrong, or if a comparison finds something slower or another result.
 */
export async function bench(files: readonly string[], options: BenchCommandOptions): Promise<number> {
  if (options.list) return list();
  for (const path of [options.json, options.markdown, options.html]) if (path !== undefined) expectWritable(path);
  if (options.script !== undefined) {
    writeFileAtomic(options.script, bytesOf(asset('shell.js')));
    return 0;
  }
  if (options.page !== undefined) return writePage(options.page);
  const reports = files.map(readReport);
  if (options.compare) return compare(reports, options);
  if (reports.length === 0) reports.push(await run(options));
  const last = reports.at(-1)!;
  // Printed first, so that what was measured is seen even if a file cannot be written.
  if (!options.quiet) process.stdout.write(`${terminalReport(last, terminal())}\n`);
  if (options.json !== undefined) writeFileAtomic(options.json, bytesOf(`${JSON.stringify(last)}\n`));
  if (options.markdown !== undefined) writeFileAtomic(options.markdown, bytesOf(markdownReport(last)));
  if (options.html !== undefined) {
    writeFileAtomic(options.html, bytesOf(htmlReport(reports, asset('report.js'), asset('report.css'))));
  }
  return reports.every(({ verified }) => verified) ? 0 : 1;
}

/** Throws `FileError` before anything is measured if a report surely cannot be written to `path`. */
function expectWritable(path: string): void {
  try {
    accessSync(folderOf(path), constants.W_OK);
  } catch (error) {
    throw new FileError(path, 'write', error);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new FileError(path, 'write', 'it is a folder');
}

const terminal = (): { color: boolean; width: number } => ({
  color: process.stdout.isTTY === true && !process.env.NO_COLOR,
  width: process.stdout.columns || 100,
});

function list(): number {
  const width = Math.max(...workloads.map(({ name }) => name.length)) + 2;
  for (const { name, group, stresses } of workloads) {
    process.stdout.write(`${name.padEnd(width)}${group.padEnd(12)}${stresses}\n`);
  }
  return 0;
}

function writePage(folder: string): number {
  makeFolder(folder);
  for (const file of PAGE_FILES) {
    writeFileAtomic(`${folder}/${file}`, bytesOf(asset(file)));
  }
  return 0;
}

function readReport(path: string): BenchReport {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(readFileChecked(path)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FileError(path, 'read', 'expected the JSON of a report');
  }
  return expectReport(`tapeloop bench: ${path}`, value);
}

function compare([before, after]: readonly BenchReport[], options: BenchCommandOptions): number {
  const comparison: Comparison = compareReports(before!, after!);
  if (options.json !== undefined) writeFileAtomic(options.json, bytesOf(`${JSON.stringify(comparison)}\n`));
  if (options.markdown !== undefined) writeFileAtomic(options.markdown, bytesOf(markdownComparison(comparison)));
  if (!options.quiet) process.stdout.write(`${terminalComparison(comparison, terminal())}\n`);
  const isWorse = comparison.rows.some(({ verdict, isSameResult }) => verdict === 'slower' || !isSameResult);
  return isWorse ? 1 : 0;
}

async function run(options: BenchCommandOptions): Promise<BenchReport> {
  const { inProcess, quick, size, mode, only, iterations, quiet } = options;
  const rounds = options.rounds ?? (quick || iterations !== undefined ? 1 : ROUNDS);
  const settings = { quick, size, mode, only, iterations };
  checkedOptions(settings);
  if (!inProcess && rounds > 1) return runInProcesses(settings, rounds, quiet);
  const status = new StatusLine(process.stderr);
  const onProgress = (name: string, done: number, count: number): void => {
    if (!quiet && process.stderr.isTTY) status.draw(`${done + 1} of ${count}: ${name}`);
  };
  try {
    return await runBench({ ...settings, rounds, onProgress });
  } finally {
    status.draw('');
  }
}
