import { ArgumentError } from '../autograd/tensor.ts';
import { Transaction } from '../engine/transaction.ts';

/** A call that lets the host breathe between batches. */
export class Run {
  readonly what: string;
  /** What it has changed since it was last whole. */
  readonly changes = new Transaction();
  /** Whether it waits for a callback. */
  isWaiting = false;

  constructor(what: string) {
    this.what = what;
  }
}

/** The calls that are running on one model. */
export class Runs {
  readonly #runs = new Set<Run>();

  get areNone(): boolean {
    return this.#runs.size === 0;
  }

  /** Throws `ArgumentError`, which names it, if a call is running. One that waits for a callback is none, if `inCallbacks`. */
  expectNone(what: string, inCallbacks = false): void {
    for (const run of this.#runs) {
      if (inCallbacks && run.isWaiting) continue;
      throw new ArgumentError(
        `${what}: expected a model on which nothing runs, but ${run.what}() does; wait for it first`,
      );
    }
  }

  /** Runs `body`. If it throws, what it has changed since it was last whole is as before. */
  async during<T>(what: string, body: (run: Run) => Promise<T>): Promise<T> {
    const run = new Run(what);
    this.#runs.add(run);
    try {
      const result = await body(run);
      run.changes.commit();
      return result;
    } finally {
      // Nothing is left of a call that went well.
      run.changes.undo();
      this.#runs.delete(run);
    }
  }
}
