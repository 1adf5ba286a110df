// Runs inputs of one target in a separate process, which the driver can end if an input never ends.
import { openSync, writeSync } from 'node:fs';
import { attempt, signatureOf } from './oracle.ts';
import { Random } from './random.ts';
import { shrink } from './shrink.ts';
import type { Plain } from './target.ts';
import { targetOf } from './targets.ts';

/** What the driver asks for. */
export interface Job {
  readonly target: string;
  readonly seed: number;
  /** The first index. */
  readonly from: number;
  /** How many inputs at most. */
  readonly count: number;
  /** Time for inputs, from when the process is ready for them. */
  readonly milliseconds: number;
  /** Where the index of the input in progress is written, as 8 bytes. */
  readonly progress: string;
}

/** An input that broke a rule. */
export interface Finding {
  readonly signature: string;
  readonly index: number;
  readonly input: Plain;
  readonly message: string;
  readonly stack?: string | undefined;
}

export interface Tally {
  readonly inputs: number;
  /** Inputs that were answered; the others were refused by an error of ours, or broke a rule. */
  readonly answered: number;
  readonly milliseconds: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** A tally is of all inputs so far; the last is `isWhole`. */
export type Message = { readonly finding: Finding } | { readonly tally: Tally; readonly isWhole: boolean };

/** More than this, and an input takes too long. */
const SLOW = 1000;

/** Milliseconds of the processor, which others on the host do not lengthen. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function work({ target: name, seed, from, count, milliseconds, progress }: Job): Promise<void> {
  const send = (message: Message): void => void process.send!(message);
  const target = await targetOf(name);
  const file = openSync(progress, 'r+');
  const place = new BigUint64Array(1);
  const counts: Record<string, number> = {};
  const began = performance.now();
  let answered = 0;
  let index = from;
  let stray: unknown;
  process.on('unhandledRejection', (error) => (stray = error));

  const report = async (signature: string, error: unknown, input: Plain, smallest: boolean): Promise<void> => {
    counts[signature] = (counts[signature] ?? 0) + 1;
    if (counts[signature] > 1) return;
    const fails = async (smaller: Plain) => (await attempt(target, smaller))?.signature === signature;
    const { message = String(error), stack } = (error ?? {}) as Partial<Error>;
    send({ finding: { signature, index, input: smallest ? await shrink(input, fails, 700) : input, message, stack } });
  };

  let told = began;
  const tell = (isWhole: boolean): void => {
    told = performance.now();
    send({ tally: { inputs: index - from, answered, milliseconds: told - began, counts }, isWhole });
  };

  for (; index < from + count && performance.now() - began < milliseconds; index++) {
    place[0] = BigInt(index);
    writeSync(file, place, 0, 8, 0);
    const input = target.generate(new Random(name, seed, index));
    const start = performance.now();
    if (start - told > 1000) tell(false);
    const failure = await attempt(target, input);
    if (failure === undefined) answered++;
    else if (failure.signature !== '') await report(failure.signature, failure.error, input, true);
    else if (performance.now() - start > SLOW) {
      // Once more, since others may have had the processor.
      const before = processorTime();
      await attempt(target, input);
      const spent = processorTime() - before;
      if (spent > SLOW) await report('slow', new Error(`took ${Math.round(spent)} ms`), input, false);
    }
    if (stray !== undefined) {
      await report(signatureOf('a promise nobody awaits', stray), stray, input, false);
      stray = undefined;
    }
  }
  tell(true);
  process.disconnect();
}

process.once('message', (job) => void work(job as Job));
