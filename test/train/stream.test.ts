import { describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { hostHasRelaxedSimd } from '../../src/engine/load.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import { activation } from '../../src/layers/activation.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout, spatialDropout1d } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { masking } from '../../src/layers/masking.ts';
import { gru, lstm, simpleRnn } from '../../src/layers/recurrent.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { type Model, sequential } from '../../src/train/model.ts';

const INPUTS = 5;
const TIME = 6;
const sequences = { returnSequences: true } as const;

const stacks: Record<string, () => Layer[]> = {
  lstm: () => [lstm({ units: 7, ...sequences, inputShape: [null, INPUTS] })],
  'gru, reset after': () => [gru({ units: 6, ...sequences, inputShape: [null, INPUTS] })],
  'gru, reset before': () => [gru({ units: 6, ...sequences, resetAfter: false, inputShape: [null, INPUTS] })],
  'simpleRnn relu without bias': () => [
    simpleRnn({ units: 4, ...sequences, activation: 'relu', useBias: false, inputShape: [null, INPUTS] }),
  ],
  'gru without bias': () => [gru({ units: 4, ...sequences, useBias: false, inputShape: [null, INPUTS] })],
  'deep stack with dropout, activations and softmax': () => [
    dense({ units: 9, activation: 'relu', inputShape: [null, INPUTS] }),
    lstm({ units: 8, ...sequences }),
    dropout({ rate: 0.5 }),
    gru({ units: 5, ...sequences }),
    dense({ units: 4, activation: 'tanh' }),
    simpleRnn({ units: 33, ...sequences }),
    dense({ units: 3, activation: 'softmax' }),
  ],
  'layers that act on each step by itself': () => [
    masking({ maskValue: 9, inputShape: [null, INPUTS] }),
    timeDistributed(dense({ units: 6 })),
    activation({ activation: 'gelu' }),
    spatialDropout1d({ rate: 0.5 }),
    lstm({ units: 5, ...sequences }),
    activation({ activation: 'softmax' }),
  ],
};

const values = (count: number): Float32Array => {
  const random = new RandomStream(7);
  return Float32Array.from({ length: count }, () => 2 * random.nextUniform() - 1);
};

/** [B, T, F] as [T, B, F]. */
function timeMajor(x: ArrayLike<number>, batch: number, time: number): Float32Array {
  const width = x.length / (batch * time);
  return Float32Array.from({ length: x.length }, (_, i) => {
    const [t, b, f] = [Math.floor(i / (batch * width)), Math.floor(i / width) % batch, i % width];
    return x[(b * time + t) * width + f]!;
  });
}

const make = (name: string): Model => {
  setSeed(3);
  return sequential(stacks[name]!());
};

for (const mode of hostHasRelaxedSimd() ? (['fast', 'reproducible'] as const) : (['reproducible'] as const)) {
  describe(`stream in ${mode} mode`, async () => {
    await init({ mode });
    for (const name of Object.keys(stacks)) {
      for (const batch of [1, 3]) {
        const x = values(batch * TIME * INPUTS);

        test(`${name}, B=${batch}, step by step gives the bits of the whole sequence`, () => {
          const model = make(name);
          const whole = timeMajor(model.predict(ndarray(x, [batch, TIME, INPUTS])).data, batch, TIME);
          const stream = model.stream({ batch });
          const inputs = timeMajor(x, batch, TIME);
          const size = batch * INPUTS;
          const steps = Array.from({ length: TIME }, (_, t) => [
            ...stream.step(inputs.subarray(t * size, (t + 1) * size)),
          ]);
          expect(steps.flat()).toEqual([...whole]);
        });
      }
    }

    test('stream, several steps in one call, gives the bits of single steps', () => {
      const model = make('deep stack with dropout, activations and softmax');
      const inputs = values(TIME * INPUTS);
      const one = model.stream();
      const single = Array.from({ length: TIME }, (_, t) => [
        ...one.step(inputs.subarray(t * INPUTS, (t + 1) * INPUTS)),
      ]);
      const many = model.stream({ maxSteps: TIME });
      expect([...many.steps(inputs.subarray(0, 4 * INPUTS), 4), ...many.steps(inputs.subarray(4 * INPUTS), 2)]).toEqual(
        single.flat(),
      );
    });

    test('stream, state taken and set, goes on as if not interrupted; reset starts anew', () => {
      const model = make('lstm');
      const stream = model.stream();
      const x = values(INPUTS);
      const first = [...stream.step(x)];
      const state = stream.state;
      const second = [...stream.step(x)];
      expect(second).not.toEqual(first);
      stream.setState(state);
      expect([...stream.step(x)]).toEqual(second);
      stream.reset();
      expect([...stream.step(x)]).toEqual(first);
    });

    test('stream, weights changed after it was made, uses the new ones', () => {
      const model = make('lstm');
      const stream = model.stream();
      const x = values(INPUTS);
      const before = [...stream.step(x)];
      for (const weight of model.weights) weight.assign(weight.toArray().map((w) => w / 2));
      stream.reset();
      expect([...stream.step(x)]).not.toEqual(before);
      expect([...stream.step(x)].length).toBe(before.length);
      stream.reset();
      expect([...stream.step(x)]).toEqual([...model.predict(ndarray(x, [1, 1, INPUTS])).data]);
    });

    test('stream, an embedding in front, takes ids', () => {
      setSeed(4);
      const model = sequential([
        embedding({ inputDim: 10, outputDim: 4 }),
        lstm({ units: 6, ...sequences }) as Layer,
        dense({ units: 10 }),
      ]);
      const ids = [3, 9, 0, 3];
      const whole = model.predict(ndarray(Int32Array.from(ids), [1, 4])).data;
      const stream = model.stream();
      expect(ids.flatMap((id) => [...stream.step([id])])).toEqual([...whole]);
      expect(() => stream.step([10])).toThrow('expected ids in [0, 10), got 10 at 0');
    });

    test('stream, memory grown meanwhile, still writes to views that are alive', () => {
      const model = make('lstm');
      const stream = model.stream();
      const x = values(INPUTS);
      const before = [...stream.step(x)];
      const { memory, heap } = engine();
      const size = memory.buffer.byteLength;
      const block = heap.allocate(size);
      expect(memory.buffer.byteLength).toBeGreaterThan(size);
      stream.reset();
      expect([...stream.step(x)]).toEqual(before);
      heap.release(block);
    });

    test('stream, a thousand steps, allocate no memory', () => {
      const stream = make('lstm').stream();
      const x = values(INPUTS);
      stream.step(x);
      const { heap, memory, arena } = engine();
      const before = [heap.usedBytes, memory.buffer.byteLength, arena.heldBytes];
      for (let i = 0; i < 1000; i++) stream.step(x);
      expect([heap.usedBytes, memory.buffer.byteLength, arena.heldBytes]).toEqual(before);
    });

    test('stream, an input that is not finite, is refused and leaves the state', () => {
      const stream = make('lstm').stream();
      stream.step(values(INPUTS));
      const state = stream.state;
      expect(() => stream.step([1, 2, Number.NaN, 4, 5])).toThrow('expected finite numbers');
      expect(stream.state).toEqual(state);
    });

    test('stream, wrong lengths and options, say what was expected', () => {
      const model = make('lstm');
      const stream = model.stream({ batch: 2, maxSteps: 3 });
      expect(() => stream.step([1])).toThrow('expected 10 values for [1, 2, 5], got 1');
      expect(() => stream.steps(values(40), 4)).toThrow('n expected 1 to maxSteps = 3, got 4');
      expect(() => stream.setState([])).toThrow('states expected 2 arrays, got 0');
      expect(() => model.stream({ batch: 0 })).toThrow('batch expected an integer ≥ 1, got 0');
    });
  });
}
