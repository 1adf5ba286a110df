import { ArgumentError } from '../checks/argument-error.ts';
import { Transaction } from '../engine/transaction.ts';
import type { AnyLayer } from '../layers/base/layer.ts';

/** A call that lets the host breathe between batches. */
export class Run {
  readonly what: string;
  readonly network: AnyLayer;
  /** All that it may change or read. */
  readonly layers: ReadonlySet<AnyLayer>;
  /** What it has changed since it was last whole. */
  readonly changes = new Transaction();
  /** Whether it waits for a callback. */
  isWaiting = false;

  constructor(what: string, network: AnyLayer) {
    this.what = what;
    this.network = network;
    this.layers = new Set(network.tree());
  }
}

/** Those of all models, for models may share layers. */
const running = new Set<Run>();

/** The calls that are running on one model, or on another that shares a layer with it. */
export class Runs {
  readonly #network: AnyLayer;

  constructor(network: AnyLayer) {
    this.#network = network;
  }

  get areNone(): boolean {
    return this.#own().length === 0;
  }

  /**
   * Throws `ArgumentError`, which names it, if a call is running. One that waits for a callback is none, if
   * `inCallbacks`.
   */
  expectNone(what: string, inCallbacks = false): void {
    for (const run of this.#own()) {
      if (inCallbacks && run.isWaiting) continue;
      const where = run.network === this.#network ? '' : ` on '${run.network.name}', which shares layers`;
      throw new ArgumentError(
        `${what}: expected a model on which nothing runs, but ${run.what}() does${where}; wait for it first`,
      );
    }
  }

  /** Runs `body`. If it throws, what it has changed since it was last whole is as before. */
  async during<T>(what: string, body: (run: Run) => Promise<T>): Promise<T> {
    const run = new Run(what, this.#network);
    running.add(run);
    try {
      const result = await body(run);
      run.changes.commit();
      return result;
    } finally {
      // Nothing is left of a call that went well.
      run.changes.undo();
      running.delete(run);
    }
  }

  #own(): Run[] {
    return [...running].filter(({ layers }) => this.#network.tree().some((layer) => layers.has(layer)));
  }
}
