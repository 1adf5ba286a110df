// The loss log: one JSON object a line, so that a run that dies leaves every line before its death readable.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { FileError } from '../io/file-error.ts';

export interface LossRecord {
  step: number;
  loss: number;
  valLoss?: number;
  charsPerSecond: number;
}

/** Appends to a loss log; what the file already holds, as on resuming, stays. */
export class LossLog {
  readonly #path: string;
  #fd: number | undefined;

  /** @throws FileError if the file can be neither opened nor made */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'a+');
      // A run that was cut off inside a line must not spoil the first line of the next one.
      if (!endsLine(this.#fd)) writeSync(this.#fd, '\n');
    } catch (error) {
      this.close();
      throw new FileError(path, 'open', error);
    }
  }

  /**
   * Writes one line, handed to the system before this returns. A loss that is not finite is written as null, JSON
   * having no word for it.
   *
   * @throws FileError if it cannot be written, or the log is closed
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

  /** Closing twice is closing once. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function endsLine(fd: number): boolean {
  const stat = fstatSync(fd);
  // Pipes and terminals have no last byte to look at.
  if (!stat.isFile() || stat.size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, stat.size - 1);
  return last[0] === 0x0a;
}
