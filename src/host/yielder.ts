// At most this long without letting the host handle events, in milliseconds: one frame at 60 a second is 16.
const YIELD_EVERY = 8;

/** Milliseconds from any start. An AudioWorklet has no `performance`. @internal */
export const now = (): number => (globalThis.performance ?? Date).now();

/**
 * A function that lets the host handle events, if the last time was 8 ms ago or more. It is for your own loops over
 * `trainOnBatch` in a page or a server; `fit` does this by itself.
 *
 * @returns a function whose promise resolves when the host has handled its events.
 *
 * @example
 * const breathe = yielder();
 * for (let step = 0; step < 10; step++) {
 *   model.trainOnBatch(x, y);
 *   await breathe();
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

/** The same values, with the host handling what has come meanwhile between them. */
export async function* breathing<T>(values: Iterable<T>): AsyncGenerator<T, void, void> {
  const breathe = yielder();
  for (const value of values) {
    yield value;
    await breathe();
  }
}

/** Resolves in a task of its own. A message is not slowed down to 4 ms as a nested timer is. */
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
      // Jest's jsdom has no MessageChannel, an edge route of Next one that throws.
      setTimeout(resolve);
    }
  });
}
