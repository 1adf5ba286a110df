import { ArgumentError, shown } from '../checks/argument-error.ts';
import { classOf } from '../host/class-of.ts';

/**
 * Throws `ArgumentError`, which names the place, unless JSON holds a value as it is: a finite number, text, a boolean,
 * null, or lists and objects of these. An entry of an object may be undefined and is left out.
 */
export function expectPlainJson(what: string, value: unknown, around: readonly unknown[] = []): void {
  const refuse = (got: string): never => {
    throw new ArgumentError(
      `${what} expected what JSON holds: finite numbers, text, true, false, null, lists and objects; got ${got}`,
    );
  };
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(String(value));
    return;
  }
  if (around.includes(value)) refuse('an object that holds itself');
  const inside = [...around, value];
  if (Array.isArray(value)) {
    // `Array.from`, because `forEach` passes over holes.
    Array.from(value).forEach((each, i) => void expectPlainJson(`${what}[${i}]`, each, inside));
    return;
  }
  const kind = classOf(value);
  if (kind !== 'Object' || typeof (value as { toJSON?: unknown }).toJSON === 'function')
    refuse(typeof value === 'object' ? `a ${kind}` : shown(value));
  for (const [key, each] of Object.entries(value as object)) {
    if (each !== undefined) expectPlainJson(`${what}.${key}`, each, inside);
  }
}
