import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchReport } from '../../bench/results.ts';
import type { BenchOptions } from '../../bench/run.ts';
import { mergeReports } from '../../bench/summary.ts';
import { FileError } from '../../io/file-error.ts';
import { readFileChecked } from '../../io/node-files.ts';

type Settings = Pick<BenchOptions, 'quick' | 'size' | 'mode' | 'only' | 'iterations'>;

/**
 * One round in each of several processes. Where code and data stand in memory makes processes of one build differ by
 * about one per cent, which one process cannot see.
 */
export async function runInProcesses(settings: Settings, rounds: number, quiet: boolean): Promise<BenchReport> {
  let folder: string;
  try {
    folder = mkdtempSync(join(tmpdir(), 'tapeloop-bench-'));
  } catch (error) {
    throw new FileError(tmpdir(), 'make a folder in', error);
  }
  const file = join(folder, 'round.json');
  const { quick, ...valued } = settings;
  const flags = Object.entries(valued).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  if (quick) flags.push('--quick');
  const reports: BenchReport[] = [];
  let child: ChildProcess | undefined;
  // A child that goes on would disturb the next measurement.
  const stop = (signal: NodeJS.Signals): void => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    for (let round = 0; round < rounds; round++) {
      if (!quiet) process.stderr.write(`round ${round + 1} of ${rounds}\n`);
      child = fork(process.argv[1]!, ['bench', '--in-process', '--rounds=1', '--quiet', `--json=${file}`, ...flags]);
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      // A wrong result ends with 1 too, but its report is there.
      if (code !== 0 && code !== 1)
        throw new FileError(file, 'read', `round ${round + 1} ended with ${code ?? signal}`);
      reports.push(JSON.parse(new TextDecoder().decode(readFileChecked(file))) as BenchReport);
      rmSync(file);
    }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    rmSync(folder, { recursive: true, force: true });
  }
  return mergeReports(reports);
}
