import { getSystemErrorMap } from 'node:util';
import { TapeloopError } from '../checks/tapeloop-error.ts';

/**
 * A file operation failed. The message is one sentence with path, operation and reason. `code` is the error code of the
 * system, such as `ENOSPC`.
 */
export class FileError extends TapeloopError {
  readonly path: string;
  readonly operation: string;
  readonly code: string | undefined;

  constructor(path: string, operation: string, cause: unknown) {
    super(`cannot ${operation} ${path}: ${reason(cause)}`, { cause });
    this.name = 'FileError';
    this.path = path;
    this.operation = operation;
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code;
  }
}

function reason(cause: unknown): string {
  if (typeof cause === 'string') return cause;
  const { errno, code, message } = cause as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  return known === undefined ? message : `${known} (${code})`;
}
