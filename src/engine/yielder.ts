// At most this long without letting the host handle events, in milliseconds: one frame at 60 a second is 16.
const YIELD_EVERY = 8;

/** A function that lets pending events run when the last time was long enough ago. */
export function yielder(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < YIELD_EVERY) return;
    await nextTask();
    last = performance.now();
  };
}

/** Resolves in a task of its own. A message is not slowed down to 4 ms as a nested timer is. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
