import { ArgumentError } from '../checks/argument-error.ts';
import { Transaction } from '../engine/transaction.ts';
import type { AnyLayer } from '../layers/base/layer.ts';

/** A running call that lets the host handle events between batches. */
export class Run {
  readonly what: string;
  readonly network: AnyLayer;
  /** All layers that the call may change or read. */
  readonly layers: ReadonlySet<AnyLayer>;
  /** The changes since the last commit; an error undoes them. */
  readonly changes = new Transaction();
  /** Whether the call waits for a callback. */
  isWaiting = false;

  constructor(what: string, network: AnyLayer) {
    this.what = what;
    this.network = network;
    this.layers = new Set(network.tree());
  }
}

/** The running calls of all models, because models may share layers. */
const running = new Set<Run>();

/** The calls that are running on one model, or on another that shares a layer with it. */
export class Runs {
  readonly #network: AnyLayer;

  constructor(network: AnyLayer) {
    this.#network = network;
  }

  get isIdle(): boolean {
    return this.#own().length === 0;
  }

  /**
   * Throws `ArgumentError`, which names the call, if a call is running. With `inCallbacks`, a call that waits for a
   * callback does not count.
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

  /** Runs `body`. If it throws, its changes since the last commit are undone. */
  async during<T>(what: string, body: (run: Run) => Promise<T>): Promise<T> {
    const run = new Run(what, this.#network);
    running.add(run);
    try {
      const result = await body(run);
      run.changes.commit();
      return result;
    } finally {
      // After success there is nothing to undo.
      run.changes.undo();
      running.delete(run);
    }
  }

  #own(): Run[] {
    return [...running].filter(({ layers }) => this.#network.tree().some((layer) => layers.has(layer)));
  }
}
