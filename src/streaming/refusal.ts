import { ArgumentError } from '../checks/argument-error.ts';

/**
 * The option that prevents a layer from running step by step. Empty until `blameBy` is called, so that an app can do
 * without its code.
 */
export let blame = (_className: string, _config: object): string => '';

export function blameBy(own: typeof blame): void {
  blame = own;
}

/** Throws `ArgumentError`: no stream can run layers of this class, or with these options. */
export function refuseStream(where: string, className: string, config: object): never {
  throw new ArgumentError(`${where}: ${className} layers${blame(className, config)} cannot run step by step`);
}
