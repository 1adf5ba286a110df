import { describe, expect, test } from 'vitest';
import * as t from '../../src/index.ts';
import * as s from '../../src/sequences.ts';

const X = [
  [
    [1, -1],
    [0.5, 2],
    [0, 1],
  ],
  [
    [0, 1],
    [2, -1],
    [1, 1],
  ],
];
const all = (y: unknown): number[] => Array.from((y as t.NdArray).data);

test('layerNormLstmCell gives what TensorFlow Addons expects of its cell', () => {
  // tensorflow_addons/rnn/tests/layer_norm_lstm_cell_test.py, test_cell_output.
  const half = { name: 'constant', value: 0.5 } as const;
  const cell = s.layerNormLstmCell({
    units: 2,
    kernelInitializer: half,
    recurrentInitializer: half,
    biasInitializer: half,
    unitForgetBias: false,
    normEpsilon: 1e-12,
  });
  const initialState = [t.tensor([[0.2, 0.3]]), t.tensor([[0, 0.1]])];
  const [, h, c] = cell(t.tensor([[1, 1, 1]]), { initialState });
  [-0.47406167, 0.47406143].forEach((value, i) => expect(h!.toArray()[i]).toBeCloseTo(value, 5));
  [-1, 1].forEach((value, i) => expect(c!.toArray()[i]).toBeCloseTo(value, 5));
  expect(cell.weights.map(({ name }) => name.replace(/^.*?\//, ''))).toEqual([
    ...['kernel', 'recurrentKernel', 'bias', 'kernel_norm/gamma', 'kernel_norm/beta'],
    ...['recurrent_norm/gamma', 'recurrent_norm/beta', 'state_norm/gamma', 'state_norm/beta'],
  ]);
});

describe('zoneoutCell', () => {
  test('while training keeps elements of the states of the step before, anew at each step', () => {
    const units = 200;
    const cell = s.zoneoutCell(t.lstmCell({ units }), { zoneout: [0.25, 0.5] });
    const h = t.ops.scale(t.ops.ones([1, units]), 5);
    const c = t.ops.scale(t.ops.ones([1, units]), 7);
    const step = (): t.Tensor[] => cell(t.tensor([[1, 2]]), { initialState: [h, c], training: true });
    const [y, h1, c1] = step();
    expect(y).toBe(h1);
    const kept = (x: t.Tensor, value: number): number => x.toArray().filter((each) => each === value).length / units;
    expect(Math.abs(kept(h1!, 5) - 0.25)).toBeLessThan(0.12);
    expect(Math.abs(kept(c1!, 7) - 0.5)).toBeLessThan(0.12);
    expect(Array.from(step()[1]!.toArray())).not.toEqual(Array.from(h1!.toArray()));
  });

  test('of rate 0 is the cell', () => {
    t.setSeed(1);
    const plain = t.sequential([t.rnn(t.gruCell({ units: 3 }), { inputShape: [null, 2] })]);
    t.setSeed(1);
    const zoned = t.sequential([
      t.rnn(s.zoneoutCell(t.gruCell({ units: 3 }), { zoneout: 0 }), { inputShape: [null, 2] }),
    ]);
    zoned.setWeights(plain.getWeights());
    expect(all(zoned.predict(X, { training: true }))).toEqual(all(plain.predict(X)));
  });
});

test('layers of the cells train, save, load, and run in both directions, stateful and masked', async () => {
  const model = t.sequential([
    t.masking({ inputShape: [null, 2] }),
    t.bidirectional(s.layerNormGru({ units: 3, returnSequences: true, dropout: 0.1, recurrentDropout: 0.1 })),
    s.layerNormLstm({ units: 4, zoneout: [0.1, 0.2], recurrentConstraint: 'maxNorm', weightDrop: 0.1 }),
    t.dense({ units: 1 }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  const { history } = await model.fit(X, [[1], [-1]], { epochs: 30 });
  expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!);
  const loaded = t.decodeModel(t.encodeModel(model)).model as t.Model;
  expect(all(loaded.predict(X))).toEqual(all(model.predict(X)));
  const stateful = t.sequential([s.layerNormLstm({ units: 2, stateful: true, inputShape: [null, 2] })]);
  expect(all(stateful.predict(X))).not.toEqual(all(stateful.predict(X)));
});

test.each<[() => unknown, string]>([
  [() => s.layerNormLstm({ units: 0 }), 'layer_norm_lstm_cell: units expected an integer ≥ 1, got 0'],
  [() => s.layerNormLstm({ units: 1, resetAfter: true } as never), "layerNormLstm: unknown option 'resetAfter'"],
  [() => s.layerNormGru({ units: 1, normEpsilon: 0 }), 'normEpsilon expected a positive number, got 0'],
  [() => s.layerNormGru(undefined as never), 'layerNormGru: options expected an object'],
  [
    () => s.layerNormLstm({ units: 1, zoneout: [0.1] }),
    'zoneoutCell: zoneout expected a number or 2, one for each state, got a list of 1',
  ],
  [
    () => s.zoneoutCell(t.gruCell({ units: 1 }), { zoneout: 1 }),
    'zoneoutCell: zoneout expected a number in [0, 1), got 1',
  ],
  [
    () => s.zoneoutCell(t.gru({ units: 1 }) as never, { zoneout: 0 }),
    'zoneoutCell: cell expected a cell, such as gruCell(options), got the layer GRU',
  ],
  [
    () => t.sequential([s.layerNormGru({ units: 1, inputShape: [null, 2] })]).stream(),
    'an RNN layer cannot run step by step',
  ],
])('is refused: %#', (call, message) => {
  expect(call).toThrow(message);
});
