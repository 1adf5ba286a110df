// Failures on demand: at the n-th allocation, or at the n-th call of the caller's code.
import { engine } from '../../src/engine/engine.ts';
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import { seedStream } from '../../src/engine/random.ts';
import type { Model } from '../../src/models/model.ts';

/** What failed on demand. */
export class Struck extends Error {
  override readonly name = 'Struck';
}

let countdown = Number.POSITIVE_INFINITY;

/** To be called where code of the caller's own may throw. */
export function mayThrow(): void {
  if (countdown-- === 0) throw new Struck('struck');
}

/** Runs `body`, in which the call of `mayThrow` number n, from 0, throws; tells whether there was one. */
export async function withThrow(n: number, body: () => unknown): Promise<unknown> {
  countdown = n;
  try {
    await body();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    countdown = Number.POSITIVE_INFINITY;
  }
}

/** Runs `body`, in which allocation number n, from 0, of heap and arena together is refused; gives what it throws. */
export async function withRefusal(n: number, body: () => unknown): Promise<unknown> {
  const { heap, arena } = engine();
  let left = n;
  const refuse = (): boolean => left-- === 0;
  const [ofHeap, ofArena] = [heap.allocate, arena.allocate];
  heap.allocate = (bytes) => {
    if (refuse()) throw new OutOfMemoryError('refused');
    return ofHeap.call(heap, bytes);
  };
  arena.allocate = (bytes) => {
    if (refuse()) throw new OutOfMemoryError('refused');
    return ofArena.call(arena, bytes);
  };
  try {
    await body();
    return left >= 0 ? undefined : new Error('an allocation was refused and the call did not throw');
  } catch (error) {
    return error;
  } finally {
    Object.assign(heap, { allocate: ofHeap });
    Object.assign(arena, { allocate: ofArena });
  }
}

/** All that a call could change, as text; looking at it changes nothing. */
// biome-ignore lint/suspicious/noExplicitAny: whatever it predicts.
export function traceOf(model: Model<any>): string {
  const bits = (values: ArrayLike<number>): string => Buffer.from(Float32Array.from(values).buffer).toString('base64');
  const layers = model.network.tree().map((layer) => ({
    path: layer.path,
    isBuilt: layer.isBuilt,
    trainable: layer.trainable,
    last: layer.lastOutput,
    states: layer.carried?.values?.map(bits),
    batch: layer.carried?.batch,
  }));
  const training = model.isCompiled && {
    steps: model.optimizer.steps,
    rate: model.optimizer.learningRate,
    isSwapped: model.optimizer.isSwapped,
    slots:
      model.optimizer.steps > 0 &&
      [...model.optimizer.state(model.weights)].map(([n, slot]) => [n, bits(slot.toArray())]),
  };
  return JSON.stringify(
    {
      layers,
      training,
      shuffle: model.trainer.random.state,
      seeds: seedStream().state,
      runs: model.trainer.runs.isIdle,
      weights: model.weights.map(({ name, version, tensor }) => [name, version, bits(tensor.toArray())]),
    },
    null,
    1,
  );
}
