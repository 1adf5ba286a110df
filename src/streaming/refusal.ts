import { ArgumentError } from '../checks/argument-error.ts';

/**
 * Which option of a layer keeps it from running step by step; nothing until `blameBy` is called, so that an app need
 * not carry it.
 */
export let blame = (_className: string, _config: object): string => '';

export function blameBy(own: typeof blame): void {
  blame = own;
}

/** Throws `ArgumentError`: no stream can run layers of this class, or with these options. */
export function refuseStream(where: string, className: string, config: object): never {
  throw new ArgumentError(`${where}: ${className} layers${blame(className, config)} cannot run step by step`);
}
