// The loss log: one JSON object on each line. If a run ends early, every complete line stays readable.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { FileError } from '../io/file-error.ts';

export interface LossRecord {
  step: number;
  loss: number;
  valLoss?: number;
  charsPerSecond: number;
}

/** Appends lines to a loss log. Existing lines stay, for example when a run is resumed. */
export class LossLog {
  readonly #path: string;
  #fd: number | undefined;

  /** @throws FileError if the file can be neither opened nor created. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'a+');
      // The last run may have ended inside a line. A newline keeps the first new line valid.
      if (!endsLine(this.#fd)) writeSync(this.#fd, '\n');
    } catch (error) {
      this.close();
      throw new FileError(path, 'open', error);
    }
  }

  /**
   * Writes one line, before it returns. A loss that is not finite is written as null, because JSON has no such number.
   *
   * @throws FileError if the line cannot be written, or the log is closed.
   */
  write({ step, loss, valLoss, charsPerSecond }: LossRecord): void {
    if (this.#fd === undefined) throw new FileError(this.#path, 'write', 'the log is closed');
    const record = {
      step,
      loss,
      ...(valLoss === undefined ? {} : { valLoss }),
      charsPerSecond: Math.round(charsPerSecond),
    };
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      for (let at = 0; at < line.length; ) at += writeSync(this.#fd, line, at);
    } catch (error) {
      throw new FileError(this.#path, 'write', error);
    }
  }

  /** A second call does nothing. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function endsLine(fd: number): boolean {
  const stat = fstatSync(fd);
  // Pipes and terminals have no last byte to read.
  if (!stat.isFile() || stat.size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, stat.size - 1);
  return last[0] === 0x0a;
}
