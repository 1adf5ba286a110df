// An update by several threads is complete or not made at all, even if a worker is lost or memory is full.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import { KEPT_FLOATS } from '../../src/engine/threads.ts';
import { optimizerOf } from '../../src/optimizers/by-name.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import { values } from '../kernels/reference/values.ts';
import { BEAT, COMMANDS, COUNT, DONE, JOB, restoreTurns, shareAlways, workersBegin } from './worker-turns.ts';

const SIZES = [5001, 40_001];
const OWN: Record<string, object> = { adam: { amsgrad: true }, sgd: { momentum: 0.5 }, rmsprop: { momentum: 0.5 } };
const RULES = Object.keys(OWN);

interface Trained {
  optimizer: Optimizer;
  parameters: Parameter[];
  apply: (seed: number) => void;
}

function start(name: string): Trained {
  const optimizer = optimizerOf({ name, ...OWN[name], weightDecay: 0.1, useEma: true });
  const parameters = SIZES.map((size, i) => new Parameter(`p${i}`, [size], values(size, i)));
  const apply = (seed: number): void => {
    engine().step(() => {
      const gradients = SIZES.map((size, i) => tensor(values(size, seed + i)));
      optimizer.apply(parameters, gradients);
    });
  };
  apply(10);
  return { optimizer, parameters, apply };
}

function stateOf({ optimizer, parameters }: Trained): Record<string, unknown> {
  const all = [...parameters.map(({ tensor }) => tensor), ...optimizer.state(parameters).values()];
  return {
    steps: optimizer.steps,
    versions: parameters.map(({ version }) => version),
    ...Object.fromEntries(all.map((each) => [each.name, Buffer.from(each.toArray().buffer).toString('base64')])),
  };
}

const expected: Record<string, Record<string, unknown>> = {};

beforeAll(async () => {
  shareAlways();
  await init({ threads: 1 });
  for (const name of RULES) {
    const alone = start(name);
    alone.apply(20);
    expected[name] = stateOf(alone);
  }
});
afterAll(() => engine().stopThreads());

/**
 * Has the next job of the first worker end at its command number `at`, or in the midst of it; returns what puts things
 * right.
 */
function loseWorker(at: number, isHalfDone: boolean): () => void {
  workersBegin();
  const { store, load } = Atomics;
  const { memory } = engine();
  let control: Int32Array | undefined;
  let commands = 0;
  Atomics.store = ((array: Int32Array, index: number, value: number) => {
    if (index === JOB && !control) {
      control = array;
      const words = new Float64Array(memory.buffer, array[COMMANDS]! >>> 0, array[COUNT]);
      const starts: number[] = [];
      for (let i = 0; i < words.length; i += 2 + words[i + 1]!) starts.push(i);
      commands = starts.length;
      const lost = Math.min(at, commands - 1);
      if (isHalfDone) words[starts[lost]! + 2]! >>= 1;
      const end = isHalfDone ? starts[lost + 1] : starts[lost];
      if (end !== undefined) words[end] = 9999;
    }
    return store(array, index, value);
  }) as typeof store;
  Atomics.load = ((array: Int32Array, index: number) => {
    const value = load(array, index);
    if (array === control && index === DONE && value === array[JOB] && isHalfDone)
      array[BEAT] = Math.min(at, commands - 1);
    return value;
  }) as typeof load;
  return () => {
    Object.assign(Atomics, { store, load });
    restoreTurns();
  };
}

describe.each(RULES)('%s on two threads', (name) => {
  test('with memory refused at any allocation of the update, throws, changes nothing, and is made when asked again', async () => {
    await init({ threads: 2 });
    const { arena } = engine();
    const { allocate } = arena;
    let isDone = false;
    for (let refused = 0; !isDone; refused++) {
      const trained = start(name);
      const before = stateOf(trained);
      engine().step(() => {
        const gradients = SIZES.map((size, i) => tensor(values(size, 20 + i)));
        let calls = 0;
        arena.allocate = (bytes) => {
          if (calls++ === refused) throw new OutOfMemoryError('refused by the test');
          return allocate.call(arena, bytes);
        };
        try {
          trained.optimizer.apply(trained.parameters, gradients);
          isDone = true;
        } catch (error) {
          expect(error).toBeInstanceOf(OutOfMemoryError);
        } finally {
          arena.allocate = allocate;
        }
      });
      if (isDone) {
        expect(refused).toBeGreaterThan(0);
        continue;
      }
      expect(stateOf(trained)).toEqual(before);
      trained.apply(20);
      expect(stateOf(trained)).toEqual(expected[name]);
    }
  });

  test.each([
    [0, false],
    [1, false],
    [7, false],
    [1000, false],
    [4, true],
    [9, true],
  ])(
    'whose worker ends at command %i of its update (half done: %s), makes the whole update on the thread that is left',
    async (at, isHalfDone) => {
      await init({ threads: 2 });
      const trained = start(name);
      const before = stateOf(trained);
      const restore = loseWorker(at, isHalfDone);
      try {
        trained.apply(20);
      } finally {
        restore();
      }
      expect(engine().threads).toBe(1);
      expect(stateOf(trained)).not.toEqual(before);
      expect(stateOf(trained)).toEqual(expected[name]);
    },
  );
});

test('what a part keeps, fits in the scratch of a thread', () => {
  expect(KEPT_FLOATS).toBeLessThanOrEqual(engine().kernels.gemm_scratch_size());
});
