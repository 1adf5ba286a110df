// A page with a policy that forbids something: the message of tapeloop, or its number of threads.
import { engine, init, ops, tensor } from 'tapeloop';

const sentenceOf = (error) => `${error.name}: ${error.message}`;
const started = performance.now();
const result = { isolated: globalThis.crossOriginIsolated };
try {
  result.threads = (await init({ threads: 4 })).threads;
  result.sum = ops.sum(tensor([1, 2, 3])).item();
} catch (error) {
  result.said = sentenceOf(error);
  try {
    engine();
  } catch (first) {
    result.saidAtFirstUse = sentenceOf(first);
  }
}
result.milliseconds = performance.now() - started;
await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
