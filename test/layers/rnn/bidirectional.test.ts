import { beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { setSeed } from '../../../src/engine/random.ts';
import { dense } from '../../../src/layers/dense.ts';
import { bidirectional } from '../../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../../src/layers/rnn/lstm.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../../src/layers/rnn/simple-rnn.ts';
import { sequential } from '../../../src/models/model.ts';
import { values } from '../../kernels/reference/values.ts';

const input = (seed = 1, batch = 2): Tensor => tensor(values(batch * 4 * 3, seed), { shape: [batch, 4, 3] });
const all = (t: Tensor): number[] => Array.from(t.toArray());

beforeEach(() => setSeed(2));

describe('a bidirectional layer', () => {
  test('in a model, names its weights as Keras does', () => {
    const model = sequential([
      bidirectional(lstm({ units: 2, returnSequences: true, inputShape: [null, 3] })),
      bidirectional(rnn(lstmCell({ units: 2 }))),
      dense({ units: 1 }),
    ]);
    expect(model.weights.map(({ name }) => name)).toEqual([
      ...['kernel', 'recurrentKernel', 'bias'].map((name) => `bidirectional/forward_lstm/${name}`),
      ...['kernel', 'recurrentKernel', 'bias'].map((name) => `bidirectional/backward_lstm/${name}`),
      ...['kernel', 'recurrentKernel', 'bias'].map((name) => `bidirectional_1/forward_rnn/lstm_cell/${name}`),
      ...['kernel', 'recurrentKernel', 'bias'].map((name) => `bidirectional_1/backward_rnn/lstm_cell/${name}`),
      ...['dense/kernel', 'dense/bias'],
    ]);
  });

  test('has two copies of its layer, with weights of their own, and leaves the layer alone', () => {
    const layer = gru({ units: 2 });
    const both = bidirectional(layer);
    both(input());
    expect(layer.isBuilt).toBe(false);
    const [forward, , , backward] = both.weights;
    expect(all(forward!.tensor)).not.toEqual(all(backward!.tensor));
  });

  test('of a frozen layer, or frozen itself, trains none of its weights', () => {
    const frozen = [
      bidirectional(lstm({ units: 2, trainable: false })),
      bidirectional(lstm({ units: 2 }), { trainable: false }),
    ];
    for (const layer of frozen) {
      layer(input());
      expect(new Set(layer.weights.map(({ trainable }) => trainable))).toEqual(new Set([false]));
      expect(layer.weights.length).toBe(6);
    }
  });

  test('that is stateful, carries the states of both directions, and resets both', () => {
    const layer = bidirectional(lstm({ units: 2, stateful: true }));
    const first = all(layer(input()));
    const second = all(layer(input()));
    expect(second.slice(0, 2)).not.toEqual(first.slice(0, 2));
    expect(second.slice(2, 4)).not.toEqual(first.slice(2, 4));
    layer.resetStates();
    expect(all(layer(input()))).toEqual(first);
    expect(() => layer(input(1, 3))).toThrow(/^forward_lstm\(units=2\): stateful, so every batch expected 2 samples/);
  });

  test('with a list of initial states, gives the first half to the forward layer', () => {
    const layer = bidirectional(simpleRnn({ units: 2 }));
    const zeros = (): Tensor => tensor(new Float32Array(4), { shape: [2, 2] });
    const ones = tensor([1, 1, 1, 1], { shape: [2, 2] });
    const [none, forward, backward] = [
      layer(input()),
      layer(input(), { initialState: [ones, zeros()] }),
      layer(input(), { initialState: [zeros(), ones] }),
    ].map((y) => [all(y).slice(0, 2), all(y).slice(2, 4)]);
    expect(forward![0]).not.toEqual(none![0]);
    expect(forward![1]).toEqual(none![1]);
    expect(backward![0]).toEqual(none![0]);
    expect(backward![1]).not.toEqual(none![1]);
  });

  test.each<[string, () => unknown, string]>([
    [
      'of a dense layer',
      () => bidirectional(dense({ units: 2 }) as never),
      'bidirectional: layer expected a recurrent layer, got Dense',
    ],
    [
      'of a layer that goes backwards',
      () => bidirectional(lstm({ units: 2, goBackwards: true })),
      "bidirectional: layer 'lstm' expected to go forward, got goBackwards",
    ],
    [
      'with a backward layer that goes forward',
      () => bidirectional(lstm({ units: 2 }), { backwardLayer: gru({ units: 2 }) }),
      "bidirectional: backwardLayer 'gru' expected goBackwards: true",
    ],
    [
      'with a backward layer of other outputs',
      () =>
        bidirectional(lstm({ units: 2, returnSequences: true }), {
          backwardLayer: gru({ units: 2, goBackwards: true }),
        }),
      "bidirectional: backwardLayer 'gru' expected returnSequences true as 'lstm', got false",
    ],
    [
      'with an unknown mode',
      () => bidirectional(lstm({ units: 2 }), { mergeMode: 'mean' as 'ave' }),
      "bidirectional: mergeMode expected one of concat, sum, mul, ave, none, got 'mean'",
    ],
  ])('%s, cannot be made', (_, make, message) => {
    expect(make).toThrow(new ArgumentError(message));
  });
});
