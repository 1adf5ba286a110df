import { ArgumentError } from '../checks/argument-error.ts';

/**
 * The option that prevents a layer from running step by step. Empty until `setRefusedOption` is called, so that an app
 * can do without its code.
 */
export let refusedOption = (_className: string, _config: object): string => '';

export function setRefusedOption(replacement: typeof refusedOption): void {
  refusedOption = replacement;
}

/** Throws `ArgumentError`: no stream can run layers of this class, or with these options. */
export function refuseStream(where: string, className: string, config: object): never {
  throw new ArgumentError(`${where}: ${className} layers${refusedOption(className, config)} cannot run step by step`);
}
