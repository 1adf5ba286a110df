import { describe, expect, test } from 'vitest';
import type { Parameter } from '../../src/autograd/parameter.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import { type CallOptions, Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { masking } from '../../src/layers/masking.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { type Model, sequential } from '../../src/models/model.ts';

const [INPUTS, TIME] = [5, 70];
const sequences = { returnSequences: true } as const;
const shape = { inputShape: [null, INPUTS] } as const;

const stacks: Record<string, () => Layer[]> = {
  lstm: () => [lstm({ units: 7, ...sequences, ...shape })],
  'lstm, last step': () => [lstm({ units: 7, ...shape })],
  'gru, reset after': () => [gru({ units: 21, ...sequences, ...shape })],
  'gru, reset before': () => [gru({ units: 6, ...sequences, resetAfter: false, ...shape })],
  'gru without bias, last step, dense': () => [gru({ units: 18, useBias: false, ...shape }), dense({ units: 3 })],
  'simpleRnn relu without bias': () => [
    simpleRnn({ units: 4, ...sequences, activation: 'relu', useBias: false, ...shape }),
  ],
  'deep stack': () => [
    dense({ units: 9, activation: 'relu', ...shape }),
    lstm({ units: 8, ...sequences }),
    dropout({ rate: 0.5 }),
    gru({ units: 5, ...sequences }),
    dense({ units: 4, activation: 'tanh' }),
    simpleRnn({ units: 33 }),
    dense({ units: 3, activation: 'softmax' }),
  ],
};

const random = (count: number, seed: number): Float32Array => {
  const stream = new RandomStream(seed);
  return Float32Array.from({ length: count }, () => 2 * stream.nextUniform() - 1);
};

const isKernel = ({ name }: Parameter): boolean => /kernel$/i.test(name);

/** Moves every kernel to values that int8 holds exactly: multiples of 1/127 of the column's largest. */
function toGrid(model: Model): void {
  for (const weight of model.weights) {
    const [rows, columns] = weight.shape as [number, number];
    const values = weight.toArray();
    if (isKernel(weight)) {
      for (let j = 0; j < columns; j++) {
        const column = Array.from({ length: rows }, (_, i) => values[i * columns + j]!);
        const largest = Math.max(...column.map(Math.abs));
        column.forEach((w, i) => {
          values[i * columns + j] = (Math.round((127 * w) / largest) / 127) * largest;
        });
      }
    } else {
      values.set(random(values.length, 5).map((b) => b / 4));
    }
    weight.assign(values);
  }
}

const make = (name: string): Model => {
  setSeed(3);
  return sequential(stacks[name]!());
};

const furthest = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
  Array.from(x).reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0);

class Unstreamable extends Layer {
  readonly className = 'Unstreamable';
  constructor() {
    super('unstreamable', {});
  }
  outputShape(input: readonly (number | null)[]) {
    return input;
  }
  config() {
    return {};
  }
  protected call(x: Parameters<Layer>[0], _: CallOptions) {
    return x;
  }
}

for (const mode of hostHasRelaxedSimd() ? (['fast', 'reproducible'] as const) : (['reproducible'] as const)) {
  describe(`int8 weights in ${mode} mode`, async () => {
    await init({ mode });

    describe.each(Object.keys(stacks))('%s', (name) => {
      test.each([1, 3])('predict, N=%i, of weights that int8 holds, matches float32', (count) => {
        const model = make(name);
        toGrid(model);
        const x = ndarray(random(count * TIME * INPUTS, 7), [count, TIME, INPUTS]);
        const float32 = model.predict(x);
        const int8 = model.predict(x, { weights: 'int8', batchSize: 2 });
        expect(int8.shape).toEqual(float32.shape);
        // Activations keep 14 bits, each 6e-5 of the row's largest.
        expect(furthest(int8.data, float32.data)).toBeLessThan(2e-3);
        expect(furthest(int8.data, float32.data)).toBeGreaterThan(0);
      });

      test('predict, of any weights, is near float32', () => {
        const model = make(name);
        const x = ndarray(random(TIME * INPUTS, 7), [1, TIME, INPUTS]);
        const float32 = model.predict(x).data;
        // Of the largest output: nothing bounds those of a relu, nor damps there what rounding U adds at each of 70
        // steps.
        const largest = Math.max(1, ...float32.map(Math.abs));
        expect(furthest(model.predict(x, { weights: 'int8' }).data, float32)).toBeLessThan(0.05 * largest);
      });
    });

    test('stream, step by step, gives the bits of predict', () => {
      const model = make('gru, reset after');
      const x = random(TIME * INPUTS, 7);
      const whole = model.predict(ndarray(x, [1, TIME, INPUTS]), { weights: 'int8' }).data;
      const stream = model.stream({ weights: 'int8' });
      const steps = Array.from({ length: TIME }, (_, t) => [...stream.step(x.subarray(t * INPUTS, (t + 1) * INPUTS))]);
      expect(steps.flat()).toEqual([...whole]);
    });

    test('stream and predict, weights changed after they were packed, use the new ones', () => {
      const model = make('lstm');
      const x = random(INPUTS, 7);
      const one = ndarray(x, [1, 1, INPUTS]);
      const stream = model.stream({ weights: 'int8' });
      const before = [...stream.step(x)];
      expect([...model.predict(one, { weights: 'int8' }).data]).toEqual(before);
      for (const weight of model.weights) weight.assign(weight.toArray().map((w) => w / 2));
      stream.reset();
      const after = [...stream.step(x)];
      expect(after).not.toEqual(before);
      expect([...model.predict(one, { weights: 'int8' }).data]).toEqual(after);
      expect(furthest(after, model.predict(one).data)).toBeLessThan(0.01);
    });

    test('predict, stateful, of a batch of another size than before, throws by name and keeps the states', () => {
      const layer = lstm({ units: 5, stateful: true, inputShape: [null, 3] });
      const model = sequential([layer as Layer]);
      const x = (batch: number) => ndarray(random(batch * 6, 7), [batch, 2, 3]);
      model.predict(x(2), { weights: 'int8' });
      const before = layer.states;
      expect(() => model.predict(x(3), { weights: 'int8' })).toThrow(
        'lstm(units=5): stateful, so every batch expected 2 samples as the first, got 3',
      );
      expect(layer.states).toEqual(before);
    });

    test('predict, an embedding and stateful layers, carries states from call to call as float32 does', () => {
      setSeed(4);
      const model = sequential([
        embedding({ inputDim: 10, outputDim: 4 }),
        lstm({ units: 6, ...sequences }) as Layer,
        gru({ units: 5, ...sequences, stateful: true }) as Layer,
        dense({ units: 10 }),
      ]);
      toGrid(model);
      const ids = (from: number) =>
        ndarray(
          Int32Array.from({ length: 8 }, (_, i) => (from + 3 * i) % 10),
          [2, 4],
        );
      const twice = (weights: 'float32' | 'int8') => {
        model.resetStates();
        return [...model.predict(ids(0), { weights }).data, ...model.predict(ids(1), { weights }).data];
      };
      const float32 = twice('float32');
      expect(furthest(twice('int8'), float32)).toBeLessThan(2e-3);
      model.resetStates();
      expect(furthest(model.predict(ids(1), { weights: 'int8' }).data, float32.slice(80))).toBeGreaterThan(2e-3);
    });

    test('predict, dense layers alone, takes [N, F]', () => {
      setSeed(5);
      const model = sequential([dense({ units: 19, inputShape: [INPUTS] }), dense({ units: 2 })]);
      const x = ndarray(random(4 * INPUTS, 7), [4, INPUTS]);
      const int8 = model.predict(x, { weights: 'int8', batchSize: 3 });
      expect(int8.shape).toEqual([4, 2]);
      expect(furthest(int8.data, model.predict(x).data)).toBeLessThan(0.05);
    });

    test('predict and stream, called again, allocate no memory; dispose gives it back', () => {
      const { heap, arena } = engine();
      const model = make('lstm');
      const x = ndarray(random(2 * TIME * INPUTS, 7), [2, TIME, INPUTS]);
      const start = heap.usedBytes;
      model.predict(x, { weights: 'int8' });
      const stream = model.stream({ weights: 'int8' });
      stream.step(random(INPUTS, 7));
      const held = [heap.usedBytes, arena.heldBytes];
      model.predict(x, { weights: 'int8' });
      stream.step(random(INPUTS, 7));
      expect([heap.usedBytes, arena.heldBytes]).toEqual(held);
      const weights = model.weights.reduce((bytes, { size }) => bytes + 4 * size, 0);
      stream.dispose();
      model.dispose();
      expect(heap.usedBytes).toBeLessThanOrEqual(start - weights);
    });

    test('weights of another name, and a layer that cannot run step by step, say so', () => {
      const model = make('lstm');
      const x = ndarray(random(INPUTS, 7), [1, 1, INPUTS]);
      const wrong = 'int4' as 'int8';
      expect(() => model.stream({ weights: wrong })).toThrow(
        `stream: weights expected 'float32' or 'int8', got 'int4'`,
      );
      expect(() => model.predict(x, { weights: wrong })).toThrow(`predict: weights expected 'float32' or 'int8'`);
      const other = sequential([lstm({ units: 3, ...sequences, ...shape }) as Layer, new Unstreamable()]);
      const { heap } = engine();
      const used = heap.usedBytes;
      expect(() => other.predict(x, { weights: 'int8' })).toThrow('Unstreamable layers cannot run step by step');
      expect(() => other.stream({ weights: 'int8' })).toThrow('Unstreamable layers cannot run step by step');
      expect(heap.usedBytes).toBe(used);
    });
  });
}

test.each<[string, Layer, number[][] | number[][][]]>([
  ['embedding', embedding({ inputDim: 9, outputDim: 4, maskZero: true }), [[3, 4, 5], [3, 4, 0]]], // biome-ignore format: one row
  ['masking', masking({ inputShape: [null, 1] }), [[[3], [4], [5]], [[3], [0], [5]]]], // biome-ignore format: one row
])('predict with int8 weights, of steps that %s masks, is refused, for every step would be made', (name, first, x) => {
  setSeed(1);
  const model = sequential([first, dropout({ rate: 0.5 }), lstm({ units: 5 }), dense({ units: 1 })]);
  const whole = (x as number[][]).slice(0, 1);
  expect(model.predict(whole, { weights: 'int8' }).data[0]).toBeCloseTo(model.predict(whole).data[0]!, 2);
  expect(() => model.predict(x as number[][], { weights: 'int8' })).toThrow(
    new ArgumentError(`predict: x expected no padding with int8 weights, got steps that '${name}' masks`),
  );
});

test('predict with int8 weights, of steps that a model in the model masks, is refused', () => {
  setSeed(1);
  const reader = sequential([embedding({ inputDim: 9, outputDim: 4, maskZero: true }), lstm({ units: 5 })]);
  const model = sequential([reader, dense({ units: 1 })]);
  expect(model.predict([[3, 4, 5]], { weights: 'int8' }).data[0]).toBeCloseTo(model.predict([[3, 4, 5]]).data[0]!, 2);
  expect(() => model.predict([[3, 4, 0]], { weights: 'int8' })).toThrow(
    new ArgumentError("predict: x expected no padding with int8 weights, got steps that 'embedding' masks"),
  );
});

test('predict with int8 weights, of a stateful layer in front of a mask, makes each step once', () => {
  setSeed(1);
  const model = sequential([
    lstm({ units: 5, ...sequences, stateful: true, ...shape }) as Layer,
    masking(),
    dense({ units: 1 }),
  ]);
  const x = ndarray(random(3 * INPUTS, 7), [1, 3, INPUTS]);
  const expected = model.predict(x).data;
  model.resetStates();
  expect(furthest(model.predict(x, { weights: 'int8' }).data, expected)).toBeLessThan(5e-3);
});
