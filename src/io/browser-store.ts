import { expectType } from '../checks/argument-error.ts';
import { TapeloopError } from '../checks/tapeloop-error.ts';

const STORE = 'values';

/** The browser's storage is full, denied or broken. The message is one sentence. `cause` is the browser's own error. */
export class StorageError extends TapeloopError {
  /** `full`, `denied`, or `failed` for anything else. */
  readonly reason: 'full' | 'denied' | 'failed';

  constructor(name: string, cause: unknown) {
    const [reason, words] = reasonOf(cause);
    super(`browserStore '${name}': ${words}`, { cause });
    this.name = 'StorageError';
    this.reason = reason;
  }
}

function reasonOf(cause: unknown): [StorageError['reason'], string] {
  const { name, message } = cause as Error;
  if (name === 'QuotaExceededError') return ['full', "this browser's storage is full"];
  // If Chromium blocks all cookies, its error has another name.
  if (name === 'SecurityError' || name === 'NotAllowedError' || /denied/.test(message)) {
    return ['denied', 'this browser denies the page its storage'];
  }
  if (!globalThis.indexedDB) return ['failed', 'this host has no IndexedDB'];
  return ['failed', `this browser's storage failed (${message || name})`];
}

/** A place for one value in the browser, for the page's origin. Its functions do not throw. */
export interface BrowserStore<T> {
  /** The value that was written last. Undefined if there is none or it cannot be read. */
  read(): Promise<T | undefined>;
  /** Writes the value. Resolves to false if that failed; the previous value is then still there. */
  write(value: T): Promise<boolean>;
  /** Removes the value. Resolves to false if that failed. */
  remove(): Promise<boolean>;
}

/**
 * A place in this browser (IndexedDB) for one value: the bytes of a model, or any other value that a structured clone
 * can copy. A page or a worker may use it. If storage is full or denied, training must not stop. So the store calls
 * `onProblem` and throws nothing.
 *
 * @param name of the value, and of the database that holds it.
 * @param onProblem called with the error. It is not called again until an operation has succeeded.
 * @returns a store, for example for `backupAndRestore`.
 * @throws ArgumentError if `name` is not a string or `onProblem` is not a function.
 *
 * @example
 * await model.fit(x, y, { epochs: 20, callbacks: [backupAndRestore(browserStore('my-model', console.warn))] });
 */
export function browserStore<T = Uint8Array<ArrayBuffer>>(
  name: string,
  onProblem: (problem: StorageError) => void,
): BrowserStore<T> {
  expectType('browserStore: name', name, 'a string');
  expectType('browserStore: onProblem', onProblem, 'a function');
  let isReported = false;
  async function attempt<R>(otherwise: R, body: () => Promise<R>): Promise<R> {
    try {
      const result = await body();
      isReported = false;
      return result;
    } catch (error) {
      if (!isReported) onProblem(new StorageError(name, error));
      isReported = true;
      return otherwise;
    }
  }
  return {
    read: () => attempt<T | undefined>(undefined, () => inStore(name, 'readonly', (store) => store.get(0))),
    write: (value) => attempt(false, () => inStore(name, 'readwrite', (store) => store.put(value, 0)).then(() => true)),
    remove: () => attempt(false, () => inStore(name, 'readwrite', (store) => store.delete(0)).then(() => true)),
  };
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function inStore<T>(
  name: string,
  mode: IDBTransactionMode,
  body: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(`tapeloop/${name}`, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    // An exceeded quota is reported at the end of the transaction, not of the request.
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const [result] = await Promise.all([settled(body(transaction.objectStore(STORE))), ended]);
    return result;
  } finally {
    database.close();
  }
}
