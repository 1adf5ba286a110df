/** What takes a change back, and what frees what that would have needed. */
type Change = readonly [undo: () => void, settle: (() => void) | undefined];

let open: Transaction | undefined;

/**
 * What a call has changed so far, so that it can be taken back. A call that waits in between makes its changes in
 * several parts.
 */
export class Transaction {
  readonly #changes: Change[] = [];

  /**
   * Runs `body`, whose changes belong to the transaction. If it throws they are undone, the last first, and so are
   * those of the parts before it.
   */
  part<T>(body: () => T): T {
    const outer = open;
    // Where it joins a part that is running, the caller may catch the error and go on: what came before then stays.
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

  /** Makes a change part of it; see `changed`. */
  add(...change: Change): void {
    this.#changes.push(change);
  }

  /** Takes back all changes since the first `from`. */
  undo(from = 0): void {
    while (this.#changes.length > from) this.#changes.pop()![0]();
  }

  /** Makes the changes so far last. */
  commit(): void {
    for (const [, settle] of this.#changes.splice(0)) settle?.();
  }
}

/** Runs `body`. If it throws, all that it changed is as before. Within another transaction it is a part of that one. */
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
 * Tells the open transaction of a change.
 *
 * @param undo puts back what was before. It must not fail.
 * @param settle frees what `undo` needed, once the change lasts; at once outside a transaction.
 */
export function changed(undo: () => void, settle?: () => void): void {
  if (open) open.add(undo, settle);
  else settle?.();
}

/** What has just been made, which goes again if the open transaction fails. */
export function made<T extends { dispose(): void }>(it: T): T {
  changed(() => it.dispose());
  return it;
}

/** A stream of random numbers. The open transaction takes it back to its present state if it fails. */
export function noted<S extends { state: unknown }>(stream: S): S {
  const { state } = stream;
  changed(() => {
    stream.state = state;
  });
  return stream;
}
