/** A change: `undo` reverts it, and `settle` frees the resources that `undo` needs. */
type Change = readonly [undo: () => void, settle: (() => void) | undefined];

let open: Transaction | undefined;

/**
 * The changes that a call has made so far, so that they can be undone. An asynchronous call makes its changes in
 * several parts.
 */
export class Transaction {
  readonly #changes: Change[] = [];

  /**
   * Runs `body` as a part of the transaction. If it throws, its changes and those of the parts before it are undone,
   * the last first.
   */
  part<T>(body: () => T): T {
    const outer = open;
    // If it runs inside another part, only its own changes are undone: the outer part may catch the error and continue.
    const from = outer === this ? this.#changes.length : 0;
    open = this;
    try {
      return body();
    } catch (error) {
      this.undo(from);
      throw error;
    } finally {
      open = outer;
    }
  }

  /** Adds a change; see `recordChange`. */
  add(...change: Change): void {
    this.#changes.push(change);
  }

  /** Undoes all changes except the first `from`, the last first. */
  undo(from = 0): void {
    while (this.#changes.length > from) this.#changes.pop()![0]();
  }

  /** Makes the changes so far permanent. */
  commit(): void {
    for (const [, settle] of this.#changes.splice(0)) settle?.();
  }
}

/** Runs `body`. If it throws, all its changes are undone. Inside another transaction it is a part of that one. */
export function transaction<T>(body: () => T): T {
  if (open) return open.part(body);
  const own = new Transaction();
  const result = own.part(body);
  own.commit();
  return result;
}

/** The transaction whose part is running. */
export const openTransaction = (): Transaction | undefined => open;

/**
 * Adds a change to the open transaction.
 *
 * @param undo restores the old state. It must not fail.
 * @param settle frees the resources that `undo` needs. It runs when the change becomes permanent; outside a transaction
 *   at once.
 */
export function recordChange(undo: () => void, settle?: () => void): void {
  if (open) open.add(undo, settle);
  else settle?.();
}

/** Returns a new object, which is disposed of if the open transaction fails. */
export function disposeOnUndo<T extends { dispose(): void }>(it: T): T {
  recordChange(() => it.dispose());
  return it;
}

/** Returns a stream of random numbers, whose present state is restored if the open transaction fails. */
export function restoreOnUndo<S extends { state: unknown }>(stream: S): S {
  const { state } = stream;
  recordChange(() => {
    stream.state = state;
  });
  return stream;
}
