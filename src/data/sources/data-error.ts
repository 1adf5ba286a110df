import { TapeloopError } from '../../checks/tapeloop-error.ts';

/**
 * Data that is not what its format says. The message begins with the file and, where the format has lines, the line.
 */
export class DataError extends TapeloopError {
  override readonly name = 'DataError';
  /** The path, URL or name of what was read. */
  readonly file: string;
  /** From 1; undefined for formats without lines. */
  readonly line: number | undefined;

  constructor(file: string, message: string, line?: number) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${message}`);
    this.file = file;
    this.line = line;
  }
}

/**
 * Why a source could not be read: no such file, or one that may not be read; an HTTP status; a network that fails; a
 * download that ended early; bytes with another checksum; a cache that cannot be written; something that this host
 * lacks.
 */
export type SourceFault = 'file' | 'http' | 'network' | 'cut' | 'checksum' | 'cache' | 'host';

/** A source that could not be read. The message names it. */
export class SourceError extends TapeloopError {
  override readonly name = 'SourceError';
  /** Why. */
  readonly code: SourceFault;
  /** The HTTP status where `code` is `'http'`. */
  readonly status: number | undefined;

  constructor(code: SourceFault, message: string, options: { cause?: unknown; status?: number | undefined } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = options.status;
  }
}

/** What an error of the host says, without the path that whoever quotes it names anyway. @internal */
export function reasonOf(error: unknown): string {
  const { message = String(error), cause } = (error ?? {}) as Partial<Error>;
  // "fetch failed" says less than what it wraps.
  const said = (cause as Partial<Error> | undefined)?.message || message;
  return said.replace(/, \w+ '.*$/s, '');
}
