// The longest time in milliseconds without letting the host handle events. One frame at 60 Hz takes 16 ms.
const YIELD_EVERY = 8;

/** Milliseconds since an arbitrary start. An AudioWorklet has no `performance`. @internal */
export const now = (): number => (globalThis.performance ?? Date).now();

/**
 * Makes a function that lets the host handle events, if the last time was 8 ms ago or more. Use it in your own loops
 * over `trainOnBatch` in a page or a server. `fit` does this by itself.
 *
 * @returns a function whose promise resolves when the host has handled its events.
 *
 * @example
 * const yieldToHost = yielder();
 * for (let step = 0; step < 10; step++) {
 *   model.trainOnBatch(x, y);
 *   await yieldToHost();
 * }
 */
export function yielder(): () => Promise<void> {
  let last = now();
  return async () => {
    if (now() - last < YIELD_EVERY) return;
    await nextTask();
    last = now();
  };
}

/** Yields the same values, and lets the host handle events between them, if the last time was 8 ms ago or more. */
export async function* yieldingBetween<T>(values: Iterable<T>): AsyncGenerator<T, void, void> {
  const yieldToHost = yielder();
  for (const value of values) {
    yield value;
    await yieldToHost();
  }
}

/** Resolves in a new task. It uses a message, because hosts delay a nested timer by 4 ms. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    try {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } catch {
      // Jest's jsdom has no MessageChannel. In an edge route of Next it throws.
      setTimeout(resolve);
    }
  });
}
