import { beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { engine } from '../../../src/engine/engine.ts';
import { setSeed } from '../../../src/engine/random.ts';
import type { LayerConfig } from '../../../src/io/model-file.ts';
import type { BatchShape } from '../../../src/layers/base/batch-shape.ts';
import { type AnyLayer, type CallOptions, Layer } from '../../../src/layers/base/layer.ts';
import { dense } from '../../../src/layers/dense.ts';
import { dropout } from '../../../src/layers/dropout.ts';
import { embedding } from '../../../src/layers/embedding.ts';
import { flatten } from '../../../src/layers/reshape.ts';
import { RecurrentCell } from '../../../src/layers/rnn/cells/cell.ts';
import { lstm, lstmCell } from '../../../src/layers/rnn/lstm.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { type Model, model, sequential } from '../../../src/models/model.ts';
import { concatenate } from '../../../src/ops/shapes/joins.ts';

beforeEach(() => setSeed(11));

/** A layer that has another do its work, and says so only if `lists`. */
class Around extends Layer {
  readonly className = 'Around';
  readonly inner: Layer;
  readonly #lists: boolean;
  constructor(inner: Layer, lists: boolean) {
    super('around', {});
    this.inner = inner;
    this.#lists = lists;
  }
  override get sublayers(): readonly AnyLayer[] {
    return this.#lists ? [this.inner] : [];
  }
  override outputShape(shape: BatchShape): BatchShape {
    return this.inner.outputShape(shape);
  }
  override config(): LayerConfig {
    return {};
  }
  protected override call(x: Tensor, { training }: CallOptions): Tensor {
    return this.inner(x, { training });
  }
}

/** A cell that has another make its steps without saying so. */
class Disguise extends RecurrentCell {
  readonly className = 'Disguise';
  readonly inner = lstmCell({ units: 2 });
  constructor() {
    super('disguise', {});
  }
  override get stateSpecs() {
    return this.inner.stateSpecs;
  }
  override config(): LayerConfig {
    return {};
  }
  override begin(sizes: { batch: number; inputs: number; training: boolean }) {
    return this.inner.begin(sizes);
  }
  protected override makeWeights(shape: BatchShape): void {
    this.inner.build(shape);
  }
}

const x = [
  [1, 2],
  [3, 4],
];
const trained = (made: Model, y: number[][] = [[1], [2]]): unknown => {
  made.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return made.trainOnBatch(x, y);
};

describe('a layer that runs in a network which does not list it', () => {
  const built = dense({ units: 1, inputShape: [2], name: 'stray' });
  built(tensor([[1, 2]]));
  test.each<[string, string, () => Model]>([
    ['of a custom model', 'stray', () => model({ layers: {} }, (t: Tensor) => dense({ units: 1, name: 'stray' })(t))],
    ['built before', 'stray', () => model({ layers: {} }, (t: Tensor) => built(t))],
    ['in a custom layer', 'dense', () => sequential([new Around(dense({ units: 1 }), false)])],
    [
      'two layers down',
      'dense',
      () =>
        model({ layers: [new Around(new Around(dense({ units: 1 }), false), true)] }, (t: Tensor, [a]) =>
          (a as Layer)(t),
        ),
    ],
    [
      'in another model',
      'dense',
      () => {
        const inner = sequential([dense({ units: 1 })]);
        return model({ layers: {} }, (t: Tensor) => inner.call(t));
      },
    ],
  ])('%s, is refused at the first call by its name', (_, name, make) => {
    // The arena takes its first memory.
    engine().scratch(() => engine().allocateScratch(1));
    const heap = engine().heap.usedBytes;
    const made = make();
    const message = `${made.name}: layers expected '${name}', too, which it calls`;
    for (const call of [() => made.predict(x), () => trained(made), () => made.predict(x)]) {
      expect(call).toThrow(ArgumentError);
      expect(call).toThrow(message);
    }
    expect(engine().heap.usedBytes).toBe(heap);
  });

  test('with a declared input, is refused when the model is made', () => {
    const stray = dense({ units: 1, name: 'stray' });
    expect(() => model({ layers: {}, inputs: { shape: [2] } }, (t: Tensor) => stray(t))).toThrow(
      "layers expected 'stray'",
    );
    expect(stray.isBuilt).toBe(false);
  });

  test('inside a cell, is refused', () => {
    expect(() => sequential([rnn(new Disguise(), { inputShape: [null, 2] })])).toThrow(
      "sequential: layers expected 'lstm_cell', too, which it calls",
    );
  });

  test('without weights, is as good as an op, unless it draws random numbers', () => {
    const out = dense({ units: 1 });
    expect(trained(model({ layers: { out } }, (t: Tensor, l) => l.out(flatten()(t))))).toHaveProperty('loss');
    const withNoise = model({ layers: { out: dense({ units: 1 }) } }, (t: Tensor, l, options) =>
      l.out(dropout({ rate: 0.5 })(t, options)),
    );
    expect(() => trained(withNoise)).toThrow("layers expected 'dropout', too, which it calls");
  });

  test('but is listed by a layer that is, trains', () => {
    const inner = dense({ units: 1 });
    const made = sequential([new Around(inner, true)]);
    made.predict(x);
    const before = inner.weights[0]!.toArray();
    trained(made);
    expect(inner.weights[0]!.toArray()).not.toEqual(before);
  });

  test('in a loop of the caller’s own, is the caller’s to train', () => {
    const inner = dense({ units: 1 });
    expect(new Around(inner, false)(tensor(x)).shape).toEqual([2, 1]);
    expect(inner.isBuilt).toBe(true);
  });
});

describe('a declared input', () => {
  const one = () =>
    model({ layers: { out: dense({ units: 1 }) }, inputs: { shape: [null, 2] } }, (t: Tensor, { out }) => out(t));
  const listed = () =>
    model({ layers: {}, inputs: [{ shape: [2] }, { dtype: 'i32', shape: [3], limit: 4 }] }, ([a]: Tensor[]) => a!);
  const named = () =>
    model({ layers: {}, inputs: { a: { shape: [2] }, b: { shape: [null, 1] } } }, ({ a }: { a: Tensor }) => a);

  test.each<[string, () => Model, unknown, string, number?]>([
    ['of another rank', one, [[1, 2]], 'model: input expected [?, ?, 2], got ['],
    ['of another width', one, [[[1, 2, 3]]], 'model: input expected [?, ?, 2], got ['],
    [
      'of another width, of unequal length',
      one,
      [
        [[1, 2, 3]],
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      'model: input expected [?, ?, 2], got [',
      2,
    ],
    ['in a list, of another rank', listed, [[[[1, 2]]], [[1, 1, 1]]], 'model: input[0] expected [?, 2], got ['],
    ['in a list, of another length', listed, [[[1, 2]], [[1, 1]]], 'model: input[1] expected [?, 3], got ['],
    ['in a list, past its limit', listed, [[[1, 2]], [[1, 4, 1]]], 'x[1] expected ids in [0, 4), got 4'],
    [
      'in a list, of fractions for ids',
      listed,
      [[[1, 2]], [[1, 0.5, 1]]],
      'x[1] expected integers of 32 bits, got 0.5',
    ],
    ['by name, of another rank', named, { a: [[1, 2]], b: [[1]] }, "model: input 'b' expected [?, ?, 1], got ["],
    [
      'of a sequential model',
      () => sequential([lstm({ units: 1, inputShape: [3, 2] })]) as Model,
      [[[1, 2]]],
      'sequential: input expected [?, 3, 2], got [',
    ],
  ])('%s, is refused by every call that takes data', async (_, make, data, message, samples) => {
    const made = make();
    const y = samples === 2 ? [[1], [1]] : [[1]];
    made.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    expect(() => made.predict(data as number[])).toThrow(message);
    expect(() => made.evaluate(data as number[], y)).toThrow(message);
    expect(() => made.trainOnBatch(data as number[], y)).toThrow(message);
    await expect(made.fit(data as number[], y)).rejects.toThrow(message);
    await expect(made.predict([[data]].values() as never)).rejects.toThrow(message);
    await expect(made.fit(() => [[data, y]] as never)).rejects.toThrow(ArgumentError);
    expect(made.optimizer.steps).toBe(0);
  });

  test('called with tensors, is checked too: rank, size, data type, limit, number', () => {
    const made = listed();
    const ids = (of: number[][]): Tensor => tensor(of, { dtype: 'i32' });
    const call =
      (...inputs: Tensor[]) =>
      () =>
        made.call(inputs);
    expect(call(tensor([[1, 2]]), ids([[1, 2, 3]]))).not.toThrow();
    expect(call(tensor([1, 2]), ids([[1, 2, 3]]))).toThrow('model: input[0] expected [?, 2], got [2]');
    expect(call(tensor([[1, 2]]), ids([[1, 2]]))).toThrow('model: input[1] expected [?, 3], got [1, 2]');
    expect(call(tensor([[1, 2]]), tensor([[1, 2, 3]]))).toThrow('model: input[1] expected i32, got f32');
    expect(call(ids([[1, 2]]), ids([[1, 2, 3]]))).toThrow('model: input[0] expected f32, got i32');
    expect(call(tensor([[1, 2]]), ids([[1, 2, 4]]))).toThrow('model: input[1] expected ids in [0, 4), got 4');
    expect(call(tensor([[1, 2]]))).toThrow('model: input[1] expected [?, 3], got none');
    expect(() => made.call(tensor([[1, 2]]))).toThrow('model: input[0] expected [?, 2], got none');
    expect(() => one().call([tensor([[[1, 2]]])])).toThrow('model: input expected [?, ?, 2], got none');
  });

  test('of a known length, takes that alone; of an unknown one, any', () => {
    expect(
      one().predict([
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ]).shape,
    ).toEqual([2, 2, 1]);
    expect(
      one().predict([
        [[1, 2]],
        [
          [5, 6],
          [7, 8],
        ],
      ]).shape,
    ).toEqual([2, 2, 1]);
    const ids = model(
      { layers: [embedding({ inputDim: 4, outputDim: 1 })], inputs: { dtype: 'i32', shape: [2] } },
      (t: Tensor, [e]) => concatenate([(e as Layer)(t), (e as Layer)(t)]),
    );
    expect(ids.predict([[1, 2]]).shape).toEqual([1, 2, 2]);
    expect(() => ids.predict([[1, 2, 3]])).toThrow('model: input expected [?, 2], got [1, 3]');
  });
});
