// Convenience methods: reading and writing weights, and how objects are printed.
import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { type DataLike, type NdArray, ndarray } from '../../src/data/array.ts';
import { engine } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { type Model, sequential } from '../../src/models/model.ts';

beforeEach(() => setSeed(2));

const make = (): Model =>
  sequential([bidirectional(gru({ units: 3 }), { inputShape: [null, 2] }), dense({ units: 1, name: 'out' })]);
const numbers = (weights: readonly NdArray[]): number[][] => weights.map(({ data }) => Array.from(data));

describe('getWeights', () => {
  test('of a model and of a layer, has copies in the order and the shapes of weights', () => {
    const model = make();
    const weights = model.getWeights();
    expect(weights.map(({ shape }) => shape)).toEqual(model.weights.map(({ shape }) => shape));
    expect(numbers(weights)).toEqual(model.weights.map((weight) => Array.from(weight.toArray())));
    expect(numbers(model.getLayer('out').getWeights())).toEqual(numbers(weights.slice(-2)));
    weights[0]!.data.fill(7);
    expect(model.weights[0]!.toArray()).not.toContain(7);
  });

  test('of what is not built, is empty', () => {
    expect(dense({ units: 2 }).getWeights()).toEqual([]);
    expect(sequential([dense({ units: 2 })]).getWeights()).toEqual([]);
  });
});

describe('setWeights', () => {
  test('makes a model predict as the one whose weights it is given', () => {
    const [model, other] = [make(), make()];
    const x = [
      [
        [1, 2],
        [3, 4],
      ],
    ];
    expect(other.predict(x).data).not.toEqual(model.predict(x).data);
    other.setWeights(model.getWeights());
    expect(other.predict(x).data).toEqual(model.predict(x).data);
  });

  test.each<[string, DataLike[]]>([
    ['nested arrays', [[[1], [2]], [3]]],
    ['arrays with shapes', [ndarray([1, 2], [2, 1]), ndarray(Float64Array.of(3), [1])]],
    ['typed arrays', [[Float32Array.of(1), Float32Array.of(2)], Float32Array.of(3)]],
  ])('of a layer, takes %s', (_, given) => {
    const layer = dense({ units: 1 });
    layer.build([null, 2]);
    layer.setWeights(given);
    expect(numbers(layer.getWeights())).toEqual([[1, 2], [3]]);
  });

  test('takes tensors, also its own the other way round', () => {
    const layer = dense({ units: 2, biasInitializer: 'ones' });
    layer.build([null, 1]);
    layer.setWeights([tensor([[5, 6]]), [7, 8]]);
    const [kernel, bias] = layer.weights.map((weight) => weight.tensor) as [Tensor, Tensor];
    const rows = ndarray(bias.toArray(), [1, 2]);
    layer.setWeights([rows, ndarray(kernel.toArray(), [2])]);
    expect(numbers(layer.getWeights())).toEqual([
      [7, 8],
      [5, 6],
    ]);
  });

  test.each<[string, (weights: NdArray[]) => unknown, string]>([
    ['one too few', (w) => w.slice(1), 'setWeights: weights expected a list of 8, got 7'],
    ['no list', () => 3, 'setWeights: weights expected a list, got 3'],
    [
      'another shape at the end',
      (w) => w.with(-1, ndarray([1, 2], [2])),
      "setWeights: weights[7], 'out/bias' expected [1], got [2]",
    ],
    [
      'NaN at the end',
      (w) => w.with(-1, ndarray([NaN], [1])),
      "setWeights: weights[7], 'out/bias' expected finite numbers, got NaN at 0",
    ],
    [
      'what float32 has no number for',
      (w) => w.with(-1, ndarray([1e39], [1])),
      'expected finite numbers, got 1e+39 at 0',
    ],
    ['nothing at the end', (w) => w.with(-1, undefined as never), "'out/bias' expected data, got undefined"],
  ])('given %s, is refused and changes nothing', (_, spoil, message) => {
    const model = make();
    const before = numbers(model.getWeights());
    const given = model.getWeights().map(({ data, shape }) =>
      ndarray(
        data.map((v) => v + 1),
        shape,
      ),
    );
    const call = (): void => model.setWeights(spoil(given) as NdArray[]);
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
    expect(numbers(model.getWeights())).toEqual(before);
  });

  test('of a layer whose model is in fit, is refused', async () => {
    const model = make();
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const layer = model.getLayer('out');
    const run = model.fit([[[1, 2]]], [[1]]);
    expect(() => layer.setWeights(layer.getWeights())).toThrow(
      "out(units=1): setWeights: expected a model on which nothing runs, but fit() does on 'sequential'",
    );
    await run;
  });

  test('in a callback of fit, is taken', async () => {
    const model = make();
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const wanted = model.getWeights();
    await model.fit([[[1, 2]]], [[1]], { callbacks: [{ onTrainEnd: () => model.setWeights(wanted) }] });
    expect(numbers(model.getWeights())).toEqual(numbers(wanted));
  });

  test('makes what was packed from the weights before stale', () => {
    const model = make();
    const x = [[[1, 2]]];
    model.predict(x);
    model.setWeights(model.weights.map(({ shape, size }) => ndarray(new Float32Array(size), shape)));
    expect(Array.from(model.predict(x).data)).toEqual([0]);
  });
});

describe('what console.log shows', () => {
  const shown = (x: unknown): string => {
    const text = inspect(x);
    expect(String(x)).toBe(text);
    return text;
  };

  test('of a tensor, is its name, shape, type and values', () => {
    expect(
      shown(
        tensor(
          [
            [1, 2.5],
            [-0.123456, NaN],
          ],
          { name: 'x' },
        ),
      ),
    ).toBe("Tensor 'x' [2, 2] f32 [[1, 2.5], [-0.1235, NaN]]");
    expect(shown(tensor([1, 2], { dtype: 'i32' }))).toBe("Tensor 'tensor' [2] i32 [1, 2]");
    expect(shown(tensor(3))).toBe("Tensor 'tensor' [] f32 3");
    expect(shown(tensor([]))).toBe("Tensor 'tensor' [0] f32 []");
  });

  test('of many numbers, is the first and the last three of each axis', () => {
    const x = ndarray(
      Float32Array.from({ length: 100 }, (_, i) => i),
      [10, 10],
    );
    const row = (i: number): string =>
      `[${[0, 1, 2].map((j) => 10 * i + j).join(', ')}, …, ${[7, 8, 9].map((j) => 10 * i + j).join(', ')}]`;
    expect(shown(x)).toBe(`NdArray [10, 10] [${[0, 1, 2].map(row).join(', ')}, …, ${[7, 8, 9].map(row).join(', ')}]`);
    expect(shown(ndarray(new Float32Array(1e6), [10, 1, 1e5])).length).toBeLessThan(300);
  });

  test('of a tensor whose life is over, says so', () => {
    const gone = tensor([1], { name: 'gone' });
    gone.dispose();
    expect(shown(gone)).toBe("Tensor 'gone' [1] f32 (disposed of)");
    const left = engine().step(() => tensor([1], { name: 'left' }));
    expect(shown(left)).toBe("Tensor 'left' [1] f32 (its step has ended)");
  });

  test('of a parameter, a layer and a model, is one line without the engine', () => {
    expect(shown(new Parameter('w', [2], [1, 2]))).toBe("Parameter 'w' [2] f32 [1, 2]");
    const layer = dense({ units: 3 });
    expect(shown(layer)).toBe("Dense 'dense', not built");
    layer.build([null, 400]);
    expect(shown(layer)).toBe("Dense 'dense', weights [400, 3] [3], 1,203 parameters");
    expect(shown(make())).toBe("Model 'sequential', Bidirectional → Dense, 133 parameters");
    expect(shown(sequential([dense({ units: 1 })]))).toBe("Model 'sequential', Dense, not built");
  });

  test('as methods, are met by no loop over names', () => {
    const names: string[] = [];
    for (const name in tensor([1])) names.push(name);
    expect(names).not.toContain('toString');
  });
});
