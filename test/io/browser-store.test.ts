// Uses a stub of IndexedDB, to test the messages and that training goes on. Real browsers with full or denied storage
// are in test/demo.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { backupAndRestore } from '../../src/callbacks/backup-and-restore.ts';
import { setSeed } from '../../src/engine/random.ts';
import { browserStore, type StorageError } from '../../src/io/browser-store.ts';
import { adam } from '../../src/optimizers/index.ts';
import { regression, sequences, targets, weightsOf } from '../train/regression.ts';

const guide = readFileSync(new URL('../../docs/guides/running-at-the-edge.md', import.meta.url), 'utf8');

/** What a browser would keep, and what is wrong with it. */
const kept = new Map<string, unknown>();
let trouble: { opening?: Error; ending?: Error } = {};

function request<T>(result: T, error?: Error): IDBRequest<T> {
  const made = { result, error } as unknown as IDBOpenDBRequest;
  queueMicrotask(() => {
    made.onupgradeneeded?.({} as IDBVersionChangeEvent);
    (error ? made.onerror : made.onsuccess)?.call(made, {} as Event);
  });
  return made as unknown as IDBRequest<T>;
}

function transactionOf(name: string) {
  const transaction = { error: trouble.ending, oncomplete: () => {}, onabort: () => {}, objectStore: () => store };
  const changes: (() => void)[] = [];
  const change = (body: () => void): IDBRequest<undefined> => {
    changes.push(body);
    return request(undefined);
  };
  const store = {
    get: () => request(kept.get(name)),
    put: (value: unknown) => change(() => kept.set(name, structuredClone(value))),
    delete: () => change(() => kept.delete(name)),
  };
  setTimeout(() => {
    if (changes.length > 0 && transaction.error) return transaction.onabort();
    for (const each of changes) each();
    transaction.oncomplete();
  });
  return transaction;
}

const database = (name: string) => ({ createObjectStore() {}, close() {}, transaction: () => transactionOf(name) });

beforeEach(() => {
  kept.clear();
  trouble = {};
  vi.stubGlobal('indexedDB', { open: (name: string) => request(database(name), trouble.opening) });
});
afterEach(() => vi.unstubAllGlobals());

const problems: Record<string, [trouble: typeof trouble, sentence: string]> = {
  full: [
    { ending: new DOMException('', 'QuotaExceededError') },
    "StorageError: browserStore 'my-model': this browser's storage is full",
  ],
  denied: [
    { opening: new DOMException('', 'SecurityError') },
    "StorageError: browserStore 'my-model': this browser denies the page its storage",
  ],
};

const unexpected = (problem: StorageError): never => {
  throw problem;
};

/** Two epochs of a model; returns its weights. */
async function train(onProblem: (problem: StorageError) => unknown = unexpected): Promise<unknown> {
  setSeed(3);
  const model = regression(adam({ learningRate: 0.01 }));
  await model.fit(sequences(6), targets(6), {
    epochs: 2,
    batchSize: 3,
    callbacks: [backupAndRestore(browserStore('my-model', onProblem))],
  });
  return weightsOf(model);
}

test('browserStore, a value written, is read from another store of that name until it is removed', async () => {
  expect(await browserStore('a', unexpected).read()).toBeUndefined();
  expect(await browserStore('a', unexpected).write(Uint8Array.of(1, 2))).toBe(true);
  expect(await browserStore('a', unexpected).read()).toEqual(Uint8Array.of(1, 2));
  expect(await browserStore('b', unexpected).read()).toBeUndefined();
  expect(await browserStore('a', unexpected).remove()).toBe(true);
  expect(await browserStore('a', unexpected).read()).toBeUndefined();
});

for (const [name, [wrong, sentence]] of Object.entries(problems)) {
  test(`browserStore, ${name}, training goes on to the same weights and it is said once, as the guide has it`, async () => {
    const expected = await train();
    trouble = wrong;
    const told: string[] = [];
    expect(await train(({ name, message }) => told.push(`${name}: ${message}`))).toEqual(expected);
    expect(told).toEqual([sentence]);
    expect(guide).toContain(sentence);
  });
}

test('browserStore, full and then with room, says so again when it is full again', async () => {
  const told: StorageError[] = [];
  const store = browserStore('my-model', (problem) => told.push(problem));
  trouble = problems.full![0];
  expect([await store.write(Uint8Array.of(1)), await store.write(Uint8Array.of(1))]).toEqual([false, false]);
  trouble = {};
  expect(await store.write(Uint8Array.of(2))).toBe(true);
  trouble = problems.full![0];
  expect(await store.write(Uint8Array.of(3))).toBe(false);
  expect(told.map(({ reason }) => reason)).toEqual(['full', 'full']);
  expect(await store.read()).toEqual(Uint8Array.of(2));
});

test('browserStore, on a host without IndexedDB, says so and keeps nothing', async () => {
  vi.stubGlobal('indexedDB', undefined);
  const told: string[] = [];
  expect(await browserStore('x', ({ message }) => told.push(message)).write(Uint8Array.of(1))).toBe(false);
  expect(told).toEqual(["browserStore 'x': this host has no IndexedDB"]);
});
