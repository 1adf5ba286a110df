// Ways for a test to determine which thread runs a part. Only the calling thread uses the functions that are replaced
// here: each worker has its own `Atomics`.

import { vi } from 'vitest';
import { ThreadChoice } from '../../src/engine/thread-choice.ts';

/** Words of a worker's control block, as in `thread-worker.ts`. */
export const [JOB, DONE, COMMANDS, COUNT, BEAT, STOP] = [0, 1, 2, 3, 5, 8];

const { compareExchange, store } = Atomics;

/** Restores `Atomics`. */
export const restoreTurns = (): void => void Object.assign(Atomics, { compareExchange, store });

/** All threads share each job, whatever it costs. */
export const shareAlways = (): void =>
  void vi.spyOn(ThreadChoice.prototype, 'threadsFor').mockImplementation((_, most) => most);

/** The calling thread takes no part back before its worker has begun it, and stops no worker. */
export function workersBegin(): void {
  Atomics.compareExchange = ((array: Int32Array, index: number, expected: number, value: number) => {
    while (Atomics.load(array, index) === expected);
    return compareExchange(array, index, expected, value);
  }) as typeof compareExchange;
  Atomics.store = ((array: Int32Array, index: number, value: number) =>
    index === STOP ? value : store(array, index, value)) as typeof store;
}

/** The calling thread takes workers for busy with a part that they have not begun. */
export function workersSeemBusy(): void {
  Atomics.compareExchange = (() => 0) as unknown as typeof compareExchange;
}

/** No worker begins a part: it does not see that there is one. */
export function workersStayAway(): void {
  Atomics.store = ((array: Int32Array, index: number, value: number) =>
    index === JOB ? value : store(array, index, value)) as typeof store;
}

/** Workers end after a part of their commands. `count` gets the number of all commands of a worker. */
export function workersEndEarly(memory: WebAssembly.Memory, count: (all: number) => number): void {
  workersBegin();
  const { store: storeUnlessStop } = Atomics;
  Atomics.store = ((array: Int32Array, index: number, value: number) => {
    if (index === JOB) {
      const words = new Float64Array(memory.buffer, array[COMMANDS]! >>> 0, array[COUNT]);
      const starts: number[] = [];
      for (let i = 0; i < words.length; i += 2 + words[i + 1]!) starts.push(i);
      array[COUNT] = starts[count(starts.length)] ?? words.length;
    }
    return storeUnlessStop(array, index, value);
  }) as typeof store;
}
