// Which errors are allowed: tapeloop's own errors with tapeloop's own messages.

import { WorkerError } from '../../src/checks/worker-error.ts';
import { UsageError } from '../../src/cli/flags.ts';
import { DataError } from '../../src/data/sources/data-error.ts';
import * as data from '../../src/data.ts';
import * as main from '../../src/index.ts';
import * as node from '../../src/node.ts';
import * as stream from '../../src/stream.ts';
import { type Plain, type Target, Violation } from './target.ts';

const isErrorClass = (value: unknown): value is new (...args: never[]) => Error =>
  typeof value === 'function' && value.prototype instanceof Error;

/** The error classes that the package exports, and those of the command line. */
const ours = new Set([
  ...[main, data, node, stream].flatMap((entry) => Object.values(entry).filter(isErrorClass)),
  ...[DataError, UsageError, WorkerError],
]);

/** Words of engines, not of ours. */
const raw =
  /Cannot (?:read|set|destructure|convert|mix|access|assign|perform|delete|define|add|use)|is not (?:a function|iterable|a constructor|defined|an object|extensible|a typed array|async iterable|a valid)|\[object |Maximum call stack|Invalid (?:array|typed array|string|count|code point|time|regular|DataView|Date)|out of (?:bounds|range)|Reduce of empty|unreachable|called on |before initialization|must be (?:of type|an? instance)|incompatible receiver|cannot be converted|(?<!got )(?<!got ')\bundefined\b|must not be|Array buffer|detached|should be a (?:positive|multiple)|Class constructor|private (?:member|field)|circular structure/;

/** A fault that a parser of the host's tells is quoted as such. */
const withoutQuotes = (message: string): string => message.replace(/got a fault: .*$|"(?:[^"\\]|\\.)*"/gs, '…');

/** The longest message that a user reads. */
const LONGEST = 5000;

/** What is wrong with an error, in a few words; undefined if nothing is. */
export function faultOf(error: unknown): string | undefined {
  if (error instanceof Violation) return error.message;
  if (!(error instanceof Error)) return `threw ${typeof error}`;
  const { message } = error;
  // Some functions say TypeError or RangeError in their docs; ours say what was expected.
  const isOurs =
    ours.has(error.constructor as never) ||
    (/ expected |cannot be had/.test(message) && /^(Type|Range)Error$/.test(error.name));
  if (!isOurs) return `${error.name} of the inside`;
  if (raw.test(withoutQuotes(message))) return 'words of the engine in the message';
  if (message.length > LONGEST) return 'a message longer than anybody reads';
  return undefined;
}

/** What tells a finding from others: the fault and the place that it came from; without a place, its words. */
export function signatureOf(fault: string, error: unknown): string {
  const { message = String(error), stack = '' } = (error ?? {}) as Partial<Error>;
  const frames = [...stack.matchAll(/\/src\/([\w/.-]+\.ts):(\d+)/g)].filter(([, file]) => !/error\.ts$/.test(file!));
  const place = frames[0] ? `${frames[0][1]}:${frames[0][2]}` : message.slice(0, 80);
  return error instanceof Violation ? fault : `${fault} · ${place}`;
}

/** Runs one input; undefined if it was answered, and no signature if it was refused as it should be. */
export async function attempt(
  target: Target,
  input: Plain,
): Promise<{ signature: string; error: unknown } | undefined> {
  try {
    const result = target.run(input);
    if (result instanceof Promise) await result;
    return undefined;
  } catch (error) {
    const fault = faultOf(error);
    return fault === undefined ? { signature: '', error } : { signature: signatureOf(fault, error), error };
  }
}
