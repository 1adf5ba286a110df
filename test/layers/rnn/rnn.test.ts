import { beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { setSeed } from '../../../src/engine/random.ts';
import type { LayerConfig } from '../../../src/io/model-file.ts';
import type { BatchShape } from '../../../src/layers/base/batch-shape.ts';
import type { StateSpec } from '../../../src/layers/base/carried-states.ts';
import { dense } from '../../../src/layers/dense.ts';
import { RecurrentCell } from '../../../src/layers/rnn/cells/cell.ts';
import type { CellDefinition } from '../../../src/layers/rnn/cells/defined-cell.ts';
import type { Step } from '../../../src/layers/rnn/composed-scan.ts';
import { gruCell } from '../../../src/layers/rnn/gru.ts';
import { lstmCell } from '../../../src/layers/rnn/lstm.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { sequential } from '../../../src/models/model.ts';
import * as ops from '../../../src/ops/index.ts';
import { adam } from '../../../src/optimizers/index.ts';
import { decodeModel, encodeModel, restoreModel } from '../../../src/saving/saved-model.ts';
import { values } from '../../kernels/reference/values.ts';

const input = (): Tensor => tensor(values(2 * 4 * 3, 1), { shape: [2, 4, 3] });
const all = (t: Tensor): number[] => Array.from(t.toArray());

/** h′ = h + σ(f)∘(tanh(g) − h) */
const minimalGated = (units: number): CellDefinition => ({
  name: 'minimal',
  units,
  weights: (inputs) => ({
    W: [inputs, 2 * units],
    U: { shape: [units, 2 * units], initializer: 'orthogonal', regularizer: 'l2' },
    b: [2 * units],
  }),
  call(x, [h], { W, U, b }) {
    const [f, g] = ops.split(ops.add(ops.linear(x, W!, b), ops.linear(h!, U!)), 2);
    return ops.add(h!, ops.mul(ops.sigmoid(f!), ops.sub(ops.tanh(g!), h!)));
  },
});

class Leaky extends RecurrentCell {
  readonly className = 'Leaky';
  readonly #rate: number;

  constructor({ rate }: { rate: number } | LayerConfig) {
    super('leaky', {});
    this.#rate = rate as number;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return [{ name: 'h', width: 3 }];
  }

  override config(): LayerConfig {
    return { rate: this.#rate };
  }

  override begin(): Step {
    return (x, [h]) => {
      const y = ops.add(ops.scale(h!, 1 - this.#rate), ops.scale(x, this.#rate));
      return { output: y, states: [y] };
    };
  }

  protected override checkInput(shape: BatchShape): void {
    super.checkInput(shape);
    if (shape.at(-1) !== 3) throw new ArgumentError('leaky: input expected 3 features');
  }
}

beforeEach(() => setSeed(4));

describe('a cell given as a plain object', () => {
  test('has named weights, matrices glorotUniform and vectors zeros unless it says so', () => {
    const model = sequential([rnn(minimalGated(5), { inputShape: [null, 3] }), dense({ units: 1 })]);
    expect(model.weights.map(({ name, shape }) => [name, shape])).toEqual([
      ['rnn/minimal/W', [3, 10]],
      ['rnn/minimal/U', [5, 10]],
      ['rnn/minimal/b', [10]],
      ['dense/kernel', [5, 1]],
      ['dense/bias', [1]],
    ]);
    const [W, U, b] = model.weights.map((weight) => weight.toArray());
    expect(Math.max(...W!.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(6 / 13));
    expect(U!.slice(0, 10).reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 5);
    expect(new Set(b)).toEqual(new Set([0]));
    expect(model.summary()).toContain('│ rnn (RNN)                       │ (None, 5)              │            90 │');
  });

  test('in a model, learns, and its regularizer is part of the loss', async () => {
    const model = sequential([rnn(minimalGated(6), { inputShape: [4, 3] }), dense({ units: 1 })]);
    model.compile({ optimizer: adam({ learningRate: 0.03 }), loss: 'meanSquaredError' });
    const x = Array.from(input().toArray());
    const samples = [0, 1].map((b) => [0, 1, 2, 3].map((t) => x.slice((b * 4 + t) * 3, (b * 4 + t + 1) * 3)));
    const { history } = await model.fit(samples, [[1], [-1]], { epochs: 60 });
    expect(history.loss!.at(-1)!).toBeLessThan(history.loss![0]! / 2);
    // U starts with 6 rows of length 1.
    const fresh = sequential([
      rnn(minimalGated(6), { inputShape: [4, 3] }),
      dense({ units: 1, kernelInitializer: 'zeros' }),
    ]);
    fresh.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    expect(fresh.evaluate(samples, [[0], [0]]).loss).toBeCloseTo(0.06, 6);
  });

  test('is saved by its weights, and made again in code', () => {
    const make = () => sequential([rnn(minimalGated(3), { inputShape: [4, 3] }), dense({ units: 1 })]);
    const bytes = encodeModel(make());
    setSeed(9);
    const again = make();
    restoreModel(again, bytes);
    expect(encodeModel(again)).toEqual(bytes);
    expect(() => decodeModel(bytes)).toThrow("it names cell 'minimal', which tapeloop does not have");
  });

  test('given twice, makes two cells', () => {
    const layer = rnn(
      [minimalGated(3), minimalGated(3), { ...minimalGated(2), name: undefined }].map((cell, i) => ({
        ...cell,
        name: `cell${i}`,
      })),
    );
    expect(layer(input()).shape).toEqual([2, 2]);
    expect(layer.weights.length).toBe(9);
  });

  test.each<[string, Partial<CellDefinition>, string]>([
    ['states', { call: (x) => [x, []] }, 'bad: call expected to return 1 states, got 0'],
    ['an output of another width', { call: (x) => x }, 'bad: output of call expected [2, 5], got [2, 3]'],
    [
      'a state of another width',
      { outputUnits: 3, call: (x) => [x, [x]] },
      'bad: state 0 of call expected [2, 5], got [2, 3]',
    ],
  ])('that returns %s than it declares, throws', (_, bad, message) => {
    const cell = { name: 'bad', units: 5, call: (x: Tensor) => x, ...bad } as CellDefinition;
    expect(() => rnn(cell)(input())).toThrow(new ArgumentError(message));
  });

  test.each([0, -1, 1.5])('of %s units, cannot be made', (units) => {
    expect(() => rnn({ units, call: (x) => x })).toThrow(`cell: units expected an integer ≥ 1, got ${units}`);
  });
});

describe('rnn', () => {
  test('of a cell class of the caller’s own, walks it, and copies it by its config', () => {
    const layer = rnn(new Leaky({ rate: 0.5 }), { returnSequences: true });
    const y = all(layer(tensor([[[8, 8, 8], [4, 4, 4], [0, 0, 2]]]))); // biome-ignore format: one sequence
    expect(y).toEqual([4, 4, 4, 4, 4, 4, 2, 2, 3]);
    expect(all(layer.copy({ goBackwards: true })(tensor([[[8, 8, 8]]])))).toEqual([4, 4, 4]);
    expect(() => layer(tensor([[[1]]]))).toThrow('leaky: input expected 3 features');
  });

  test('called with other features than it was built for, throws and names the cell', () => {
    for (const cell of [gruCell({ units: 2 }), [gruCell({ units: 2 }), lstmCell({ units: 3 })]]) {
      const layer = rnn(cell as RecurrentCell);
      layer(input());
      expect(() => layer(tensor([[[1, 2]]]))).toThrow(
        new ArgumentError('gru_cell(units=2): input expected 3 features, as it was built for, got [1, 2]'),
      );
    }
  });

  test('of stacked cells that is stateful, carries the states of every cell', () => {
    const layer = rnn([lstmCell({ units: 2 }), gruCell({ units: 3 })], { stateful: true });
    const first = all(layer(input()));
    expect(layer.states!.map((state) => state.length)).toEqual([4, 4, 6]);
    expect(all(layer(input()))).not.toEqual(first);
    layer.resetStates();
    expect(all(layer(input()))).toEqual(first);
  });

  test('of stacked cells, takes their initial states and names those that are missing', () => {
    const layer = rnn([lstmCell({ units: 2 }), gruCell({ units: 3 })]);
    const states = [2, 2, 3].map((width) => tensor(values(2 * width, width), { shape: [2, width] }));
    expect(all(layer(input(), { initialState: states }))).not.toEqual(all(layer(input())));
    expect(() => layer(input(), { initialState: states.slice(1) })).toThrow(
      new ArgumentError('rnn: initialState expected 3 tensors (lstm_cell h, lstm_cell c, gru_cell h), got 2'),
    );
    expect(() => layer(input(), { initialState: states.reverse() })).toThrow(
      'rnn: initialState[0] expected [2, 2], got [2, 3]',
    );
  });

  test('of no cell, cannot be made', () => {
    expect(() => rnn([])).toThrow('rnn: cell expected one cell or more, got none');
  });

  test('of a cell, cannot stream and says so', () => {
    const model = sequential([rnn(gruCell({ units: 2 }), { inputShape: [null, 3] })]);
    expect(() => model.stream()).toThrow('rnn: an RNN layer cannot run step by step');
  });
});
