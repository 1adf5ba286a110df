import { TapeloopError } from '../../checks/tapeloop-error.ts';

/** Data does not follow its format. The message begins with the file and, if the format has lines, the line. */
export class DataError extends TapeloopError {
  override readonly name = 'DataError';
  /** The path, URL or name of the source. */
  readonly file: string;
  /** Line number from 1; undefined for formats without lines. */
  readonly line: number | undefined;

  constructor(file: string, message: string, line?: number) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${message}`);
    this.file = file;
    this.line = line;
  }
}

/**
 * The reason why a source could not be read: `file` no such file or no permission; `http` an HTTP status; `network` no
 * connection; `cut` the download ended early; `checksum` another SHA-256; `cache` the cache cannot be written; `host`
 * this host lacks a feature.
 */
export type SourceFault = 'file' | 'http' | 'network' | 'cut' | 'checksum' | 'cache' | 'host';

/** A source could not be read. The message names it. */
export class SourceError extends TapeloopError {
  override readonly name = 'SourceError';
  /** The reason. */
  readonly code: SourceFault;
  /** The HTTP status if `code` is `'http'`. */
  readonly status: number | undefined;

  constructor(code: SourceFault, message: string, options: { cause?: unknown; status?: number | undefined } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = options.status;
  }
}

/** The message of a host's error, without the path, which the caller's message names already. @internal */
export function reasonOf(error: unknown): string {
  const { message = String(error), cause } = (error ?? {}) as Partial<Error>;
  // The cause has more information than "fetch failed".
  const said = (cause as Partial<Error> | undefined)?.message || message;
  return said.replace(/, \w+ '.*$/s, '');
}
