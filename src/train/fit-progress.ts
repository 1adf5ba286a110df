import { expectChoice } from '../checks/choices.ts';
import { StatusLine, type TextStream } from '../io/status-line.ts';
import type { CallbackOf } from './callback.ts';
import type { Verbose } from './fit-options.ts';
import { progressLines } from './progress-lines.ts';

/**
 * The callbacks of a run, after one that shows progress: in a terminal a line that changes in place and stays at the
 * end of its epoch, elsewhere at most a line of the console for each epoch.
 *
 * @throws ArgumentError if `verbose` is none of its values.
 * @see keras.Model.fit (verbose)
 */
export function addProgress(
  verbose: Verbose = 'auto',
  callbacks: readonly CallbackOf<never>[],
): readonly CallbackOf<never>[] {
  expectChoice('fit', 'verbose', verbose, ['auto', 0, 1, 2]);
  const shown = verbose !== 0 && !callbacks.some(({ showsProgress }) => showsProgress) && progressOf(verbose);
  // First, so that its line has ended before another callback writes its own.
  return shown ? [shown, ...callbacks] : callbacks;
}

function progressOf(verbose: Exclude<Verbose, 0>): CallbackOf<unknown> | undefined {
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
