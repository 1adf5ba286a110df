import { expectType } from '../checks/argument-error.ts';
import { TapeloopError } from '../checks/tapeloop-error.ts';

const STORE = 'values';

/** This browser's storage is full, denied or broken; the message is one sentence, `cause` the browser's own error. */
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
  // Chromium, told to block all cookies, has no name for it.
  if (name === 'SecurityError' || name === 'NotAllowedError' || /denied/.test(message)) {
    return ['denied', 'this browser denies the page its storage'];
  }
  if (!globalThis.indexedDB) return ['failed', 'this host has no IndexedDB'];
  return ['failed', `this browser's storage failed (${message || name})`];
}

/** One value that this browser keeps for the page's origin. None of its functions throws. */
export interface BrowserStore<T> {
  /** What was written last; undefined where there is nothing, or it cannot be read. */
  read(): Promise<T | undefined>;
  /** Whether it was kept. What was kept before stays if not. */
  write(value: T): Promise<boolean>;
  /** Whether nothing is kept any more. */
  remove(): Promise<boolean>;
}

/**
 * A place in this browser (IndexedDB) for one value: the bytes of a model, or whatever a structured clone can copy. A
 * page or a worker may use it. Storage may be full, or denied to the page; training must not end with that, so it is
 * told to `onProblem` and nothing is thrown.
 *
 * @param name of the value, and of the database that holds it.
 * @param onProblem told what is wrong, once until something succeeds again.
 * @returns a store as `backupAndRestore` takes it.
 * @throws ArgumentError if `name` is no string or `onProblem` no function.
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
  let isTold = false;
  async function attempt<R>(otherwise: R, body: () => Promise<R>): Promise<R> {
    try {
      const result = await body();
      isTold = false;
      return result;
    } catch (error) {
      if (!isTold) onProblem(new StorageError(name, error));
      isTold = true;
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
    // A quota is exceeded when the transaction ends, not when the request does.
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
