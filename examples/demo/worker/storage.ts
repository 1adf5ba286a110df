// What the browser keeps of the last visit: the text and the model. Every call may fail, for storage can be full or denied.
import type { TextSource } from '../protocol.ts';

export interface KeptModel {
  bytes: Uint8Array<ArrayBuffer>;
  label: string;
  savedAt: number;
}

interface Kept {
  model: KeptModel;
  source: TextSource;
}

const STORE = 'last';

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function inStore<T>(mode: IDBTransactionMode, body: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open('tapeloop-demo', 1);
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

export const keep = <K extends keyof Kept>(key: K, value: Kept[K]): Promise<unknown> =>
  inStore('readwrite', (store) => store.put(value, key));

export const recall = <K extends keyof Kept>(key: K): Promise<Kept[K] | undefined> =>
  inStore('readonly', (store) => store.get(key));

export const forget = (key: keyof Kept): Promise<unknown> => inStore('readwrite', (store) => store.delete(key));

/** Why storage failed, in words. */
export function storageProblem(error: unknown): string {
  const { name, message } = error as Error;
  if (name === 'QuotaExceededError') return 'this browser’s storage is full';
  // Chromium, told to block all cookies, has no name for it.
  if (name === 'SecurityError' || name === 'NotAllowedError' || /denied/.test(message)) {
    return 'this browser denies the page its storage';
  }
  return `this browser’s storage failed (${message || name})`;
}
