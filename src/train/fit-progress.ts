import { StatusLine, type TextStream } from '../io/status-line.ts';
import { progressLines } from './callbacks/progress-text.ts';
import type { Callback, Verbose } from './fit.ts';
import { expectChoice } from './option-checks.ts';

/**
 * The callbacks of a run with what shows how it goes: in a terminal of Node or its like a line that changes in place and stays when its epoch is over,
 * else at most a line of the console for each epoch.
 *
 * @throws ArgumentError if `verbose` is none of its values.
 * @see keras.Model.fit (verbose)
 */
export function withProgress(verbose: Verbose = 'auto', callbacks: readonly Callback[]): readonly Callback[] {
  expectChoice('fit', 'verbose', verbose, ['auto', 0, 1, 2]);
  const shown = verbose !== 0 && !callbacks.some(({ showsProgress }) => showsProgress) && progressOf(verbose);
  // First, so that its line has ended before another callback writes its own.
  return shown ? [shown, ...callbacks] : callbacks;
}

function progressOf(verbose: Exclude<Verbose, 0>): Callback | undefined {
  const { process } = globalThis as { process?: { stdout?: TextStream } };
  const terminal = process?.stdout?.isTTY === true ? process.stdout : undefined;
  if (verbose === 'auto' && !terminal) return undefined;
  if (!terminal || verbose === 2) {
    const everyMs = Number.POSITIVE_INFINITY;
    return progressLines((line) => console.log(line), { everyMs });
  }
  const status = new StatusLine(terminal);
  const show = (line: string, isLast: boolean): void => (isLast ? status.keep(line) : status.draw(line));
  // An epoch that is broken off leaves its line.
  return { ...progressLines(show, { tellsLeft: true }), onTrainEnd: () => status.end() };
}
