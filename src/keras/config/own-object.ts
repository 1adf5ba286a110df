import { customObject } from '../../registry/custom-objects.ts';

/** The custom object of that name that the caller gave while a file is read; undefined if there is none. */
export function ownObject(kind: string, name: string): unknown {
  try {
    return customObject(kind, name);
  } catch {
    return undefined;
  }
}
