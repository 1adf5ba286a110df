import { expectChoice } from '../checks/choices.ts';
import { StatusLine, type TextStream } from '../io/status-line.ts';
import type { CallbackOf } from './callback.ts';
import type { Verbose } from './fit-options.ts';
import { progressLines } from './progress-lines.ts';

/**
 * Adds a callback that shows progress in front of the callbacks of a run. In a terminal it shows a line that is updated
 * in place and remains at the end of the epoch; elsewhere at most one console line for each epoch.
 *
 * @throws ArgumentError if `verbose` is not one of its values.
 * @see keras.Model.fit (verbose)
 */
export function addProgress(
  verbose: Verbose = 'auto',
  callbacks: readonly CallbackOf<never>[],
): readonly CallbackOf<never>[] {
  expectChoice('fit', 'verbose', verbose, ['auto', 0, 1, 2]);
  const shown = verbose !== 0 && !callbacks.some(({ showsProgress }) => showsProgress) && progressOf(verbose);
  // It comes first, so that it ends its line before another callback writes.
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
  // The line of an interrupted epoch remains.
  return { ...progressLines(show, { tellsLeft: true }), onTrainEnd: () => status.end() };
}
