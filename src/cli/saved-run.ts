// Reads and writes runs of character models as files.
import { type CharRun, decodeRun, encodeRun } from '../characters/run.ts';
import { readFileChecked, writeFileAtomic } from '../io/node-files.ts';

export function saveRun(path: string, run: CharRun): void {
  writeFileAtomic(path, encodeRun(run));
}

/** Reads a file that `saveRun` wrote. Throws FileError if it cannot be read, and ModelFileError like `decodeRun`. */
export const loadRun = (path: string): CharRun => decodeRun(readFileChecked(path), path);
