// Runs of character models as files of the command line.
import { type CharRun, decodeRun, encodeRun } from '../characters/run.ts';
import { readFileChecked, writeFileAtomic } from '../io/node-files.ts';

export function saveRun(path: string, run: CharRun): void {
  writeFileAtomic(path, encodeRun(run));
}

/** Reads a file that `saveRun` wrote. Throws FileError if it cannot be read, ModelFileError as `decodeRun` does. */
export const loadRun = (path: string): CharRun => decodeRun(readFileChecked(path), path);
