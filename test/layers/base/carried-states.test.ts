import { beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { setSeed } from '../../../src/engine/random.ts';
import { dense } from '../../../src/layers/dense.ts';
import { bidirectional } from '../../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../../src/layers/rnn/lstm.ts';
import type { Recurrent, SequenceOptions } from '../../../src/layers/rnn/recurrent.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { simpleRnn, simpleRnnCell } from '../../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../../src/layers/time-distributed.ts';
import { model } from '../../../src/models/model.ts';
import { expectSameBits } from '../../kernels/compare.ts';
import { values } from '../../kernels/reference/values.ts';

const input = (batch = 2, time = 3, features = 4, seed = 1): Tensor =>
  tensor(values(batch * time * features, seed), { shape: [batch, time, features] });
const all = (t: Tensor): number[] => Array.from(t.toArray());
type Options = SequenceOptions & { returnState: true };
type Make = (options: Options) => Recurrent<Tensor[]>;

const kinds: Record<string, Make> = {
  lstm: (options) => lstm({ units: 3, ...options }),
  'lstm with projection': (options) => lstm({ units: 3, projSize: 2, ...options }),
  gru: (options) => gru({ units: 3, ...options }),
  simpleRnn: (options) => simpleRnn({ units: 3, ...options }),
  'lstm of ops': (options) => lstm({ units: 3, activation: 'softsign', ...options }),
  'rnn of a cell': (options) => rnn(lstmCell({ units: 3 }), options),
  'rnn of stacked cells': (options) =>
    rnn([lstmCell({ units: 3, name: 'a' }), gruCell({ units: 2, name: 'b' }), simpleRnnCell({ units: 5 })], options),
};

const statesFor = (layer: Recurrent<Tensor[]>, batch: number, seed = 5): Tensor[] =>
  layer.stateSpecs.map(({ width }, i) => tensor(values(batch * width, seed + i), { shape: [batch, width] }));
const carriedBits = (layer: Recurrent<Tensor[]>): number[][] | undefined => layer.states?.map((s) => Array.from(s));

beforeEach(() => setSeed(7));

describe.each(Object.entries(kinds))('a stateful %s', (_, make) => {
  const pair = (): [Recurrent<Tensor[]>, Recurrent<Tensor[]>] => {
    setSeed(7);
    const plain = make({ returnState: true });
    plain(input());
    setSeed(7);
    return [plain, make({ returnState: true, stateful: true })];
  };

  test('given an initialState at its first call and after resetStates, starts from it and carries on from there', () => {
    const [plain, layer] = pair();
    for (let round = 0; round < 2; round++) {
      const start = statesFor(layer, 2);
      const [y, ...states] = plain(input(), { initialState: start });
      expectSameBits(all(layer(input(), { initialState: start })[0]!), all(y!), 'first call');
      expect(carriedBits(layer)).toEqual(states.map(all));
      const [next] = plain(input(2, 3, 4, 2), { initialState: states });
      expectSameBits(all(layer(input(2, 3, 4, 2))[0]!), all(next!), 'next call');
      layer.resetStates();
      expect(layer.states).toBeUndefined();
    }
  });

  test.each([1, 3])('given an initialState for a batch of %i after one of 2, throws and changes nothing', (batch) => {
    const [, layer] = pair();
    const neighbours = [tensor(values(512, 3))];
    layer(input());
    neighbours.push(tensor(values(512, 4)));
    const [before, next] = [carriedBits(layer), neighbours.map(all)];
    const expected = new ArgumentError(
      `${layer.describe()}: stateful, so every batch expected 2 samples as the first, got ${batch}; call resetStates() to start anew`,
    );
    expect(() => layer(input(batch), { initialState: statesFor(layer, batch) })).toThrow(expected);
    expect(() => layer(input(batch))).toThrow(expected);
    expect(() => layer.setStates(statesFor(layer, batch).map(all), batch)).toThrow(expected);
    expect([carriedBits(layer), neighbours.map(all)]).toEqual([before, next]);
    layer.resetStates();
    layer(input(batch), { initialState: statesFor(layer, batch) });
    expect(layer.states!.map(({ length }) => length / batch)).toEqual(layer.stateSpecs.map(({ width }) => width));
  });

  test('refused at its first call, has no batch size yet', () => {
    const [, layer] = pair();
    expect(() => layer(input(), { mask: tensor([[1, 1]]) })).toThrow('mask expected [2, 3], got [1, 2]');
    expect(() => layer(input(), { initialState: [] })).toThrow(/initialState expected \d tensors? .*, got 0$/);
    expect(layer.states).toBeUndefined();
    expect(() => layer(input(5))).not.toThrow();
  });

  test.each([0, 1.5, Number.NaN])('given states for a batch of %d, throws', (batch) => {
    const [, layer] = pair();
    expect(() => layer.setStates([], batch)).toThrow(
      new ArgumentError(`${layer.describe()}: batch expected an integer ≥ 1, got ${batch}`),
    );
  });
});

describe('a stateful bidirectional layer', () => {
  const make = () => bidirectional(gru({ units: 3, stateful: true, returnState: true }));
  const states = (layer: ReturnType<typeof make>): unknown =>
    layer.sublayers.map((each) => (each as Recurrent).states?.map((s) => Array.from(s)));
  const zeros = (batch: number): Tensor => tensor(new Float32Array(3 * batch), { shape: [batch, 3] });

  test('at its first call with an initialState, starts both directions from it', () => {
    const plain = make();
    const expected = all(plain(input())[0]!);
    setSeed(7);
    const layer = make();
    expectSameBits(all(layer(input(), { initialState: [zeros(2), zeros(2)] })[0]!), expected, 'zeros');
    expect(states(layer)).toEqual(states(plain));
  });

  test('given too few states, another width or another batch, throws before either direction has moved', () => {
    const layer = make();
    layer(input());
    const before = states(layer);
    const names = 'forward_gru h, backward_gru h';
    expect(() => layer(input(), { initialState: [zeros(2)] })).toThrow(
      new ArgumentError(`bidirectional: initialState expected 2 tensors (${names}), got 1`),
    );
    expect(() => layer(input(), { initialState: [zeros(2), zeros(3)] })).toThrow(
      new ArgumentError('bidirectional: initialState[1] expected [2, 3], got [3, 3]'),
    );
    expect(() => layer(input(4), { initialState: [zeros(4), zeros(4)] })).toThrow(
      'expected 2 samples as the first, got 4',
    );
    (layer.sublayers[1] as Recurrent).resetStates();
    (layer.sublayers[1] as Recurrent).setStates([values(12, 2)], 4);
    const mixed = states(layer);
    expect(() => layer(input(2))).toThrow('expected 4 samples as the first, got 2');
    expect(states(layer)).toEqual(mixed);
    expect((mixed as unknown[])[0]).toEqual((before as unknown[])[0]);
  });
});

test('a stateful layer within timeDistributed, of which another number of steps makes another batch, throws by name', () => {
  const inner = gru({ units: 3, stateful: true });
  const layer = timeDistributed(inner as Recurrent<Tensor>);
  const x = (time: number): Tensor => tensor(values(2 * time * 12, 1), { shape: [2, time, 3, 4] });
  layer(x(3));
  const before = inner.states!;
  expect(() => layer(x(2))).toThrow('gru(units=3): stateful, so every batch expected 6 samples as the first, got 4');
  expect(inner.states).toEqual(before);
});

describe('a cell called by itself', () => {
  const x = (): Tensor => tensor(values(8, 1), { shape: [2, 4] });

  test.each([
    ['too few states', [[2, 3]], 'initialState expected 2 tensors (h, c), got 1'],
    [
      'another batch',
      [
        [2, 3],
        [1, 3],
      ],
      'initialState[1] expected [2, 3], got [1, 3]',
    ],
    [
      'another width',
      [
        [2, 4],
        [2, 3],
      ],
      'initialState[0] expected [2, 3], got [2, 4]',
    ],
  ])('given %s, throws by name', (_, shapes, message) => {
    const cell = lstmCell({ units: 3 });
    const initialState = shapes.map((shape) => tensor(new Float32Array(shape[0]! * shape[1]!), { shape }));
    expect(() => cell(x(), { initialState })).toThrow(new ArgumentError(`lstm_cell(units=3): ${message}`));
  });

  test('given ids or one tensor for a list of states, throws by name', () => {
    const cell = gruCell({ units: 3 });
    const ids = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3], dtype: 'i32' });
    expect(() => cell(x(), { initialState: [ids] })).toThrow(
      /^gru_cell\(units=3\): initialState\[0\] expected f32, got i32/,
    );
    const one = tensor(new Float32Array(6), { shape: [2, 3] });
    expect(() => lstmCell({ units: 3 })(x(), { initialState: one })).toThrow(
      new ArgumentError('lstm_cell(units=3): initialState expected 2 tensors (h, c), got 1'),
    );
    expect(() => cell(x(), { initialState: 5 as never })).toThrow(
      new ArgumentError('gru_cell(units=3): initialState expected 1 tensors (h), got 5'),
    );
  });
});

describe('a model of an encoder and a stateful decoder that starts from its states', () => {
  const build = () => {
    const layers = {
      encoder: lstm({ units: 5, returnState: true }),
      decoder: lstm({ units: 5, returnSequences: true, stateful: true }),
      out: dense({ units: 1 }),
    };
    return model({ layers, inputs: [{ shape: [null, 4] }, { shape: [null, 2] }] }, ([x, z]: Tensor[], each) => {
      const [, h, c] = each.encoder(x!);
      return each.out(each.decoder(z!, { initialState: [h!, c!] }));
    });
  };
  test('predicts, trains and goes on, batch after batch', async () => {
    const made = build();
    const nested = (batch: number, time: number, width: number, seed: number): number[][][] =>
      Array.from({ length: batch }, (_, b) =>
        Array.from({ length: time }, (_, t) => Array.from(values(width, seed + 7 * b + t))),
      );
    const x = [nested(4, 3, 4, 1), nested(4, 2, 2, 50)];
    const y = nested(4, 2, 1, 90);
    const first = made.predict(x, { batchSize: 2 });
    expect(made.predict(x, { batchSize: 2 })).toEqual(first);
    made.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const { history } = await made.fit(x, y, { epochs: 30, batchSize: 2, shuffle: false });
    expect(history.loss!.at(-1)!).toBeLessThan(history.loss![0]!);
    expect(() => made.predict(x, { batchSize: 4 })).toThrow(
      'decoder(units=5): stateful, so every batch expected 2 samples',
    );
  });
});

test('resetStates of a layer or a model given states, throws, names what sets them and resets nothing', () => {
  const layer = gru({ units: 3, stateful: true });
  const made = model({ layers: [layer] }, (x: Tensor, [each]) => each!(x));
  made.predict([[[1, 2]]]);
  const before = layer.states;
  const given = [[1, 2, 3]] as unknown as never;
  expect(() => layer.resetStates(given)).toThrow(
    new ArgumentError('gru(units=3): resetStates() takes no states; setStates(states, batch) does'),
  );
  expect(() => made.resetStates(given)).toThrow('resetStates() takes no states');
  expect(layer.states).toEqual(before);
  made.resetStates();
  expect(layer.states).toBeUndefined();
});

test('setStates of no states, or of a layer that carries none, throws and leaves what there is', () => {
  const layer = gru({ units: 2, stateful: true });
  layer.setStates([[1, 2]], 1);
  for (const none of [undefined, null, [], [undefined], [null]]) {
    expect(() => layer.setStates(none as never, 1)).toThrow(ArgumentError);
  }
  expect(layer.states!.map((state) => [...state])).toEqual([[1, 2]]);
  expect(() => gru({ units: 2 }).setStates([[1, 2]], 1)).toThrow(
    new ArgumentError('gru(units=2): setStates expected a layer with stateful: true'),
  );
});
