import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { adam, dense, gru, lstm, ndarray, rmsprop, sequential, sgd, type Tensor } from '../../../src/index.ts';
import { refuseForeign } from '../../../src/io/foreign-formats.ts';
import { exportKeras, exportKerasWeights, importKeras, loadKerasWeights } from '../../../src/keras.ts';

interface Values {
  readonly shape: number[];
  readonly data: number[];
}

interface Case {
  readonly name: string;
  readonly file: string;
  readonly config?: object;
  readonly x: Values;
  readonly y: Values;
  readonly steps?: number;
  readonly moment?: number[];
  readonly optimizer?: string;
}

const golden = JSON.parse(readFileSync(new URL('../../golden/keras-files.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};
const bytesOf = ({ file }: Case): Uint8Array => new Uint8Array(Buffer.from(file, 'base64'));
const input = ({ x }: Case) => ndarray(Float32Array.from(x.data), x.shape);

const [old, whole, cudnn] = golden.cases as [Case, Case, Case];

describe('importKeras', () => {
  test.each(golden.cases)('$name: the outputs of the file, and the state of its optimizer', (each) => {
    const model = importKeras(bytesOf(each), { config: each.config });
    const y = model.predict(input(each));
    expect(y.shape).toEqual(each.y.shape);
    y.data.forEach((value, i) => {
      expect(Math.abs(value - each.y.data[i]!)).toBeLessThan(1e-5 + 1e-4 * Math.abs(each.y.data[i]!));
    });
    expect(model.isCompiled).toBe(each.steps !== undefined);
    if (each.steps === undefined) return;
    expect([model.optimizer.name, model.optimizer.steps]).toEqual([each.optimizer, each.steps]);
    const state = [...model.optimizer.state(model.weights).values()].map((slot) => [...slot.toArray()]);
    expect(state.filter((slot) => slot.some((value, i) => Math.fround(each.moment![i] ?? 9) === value)).length).toBe(1);
  });

  test('a file with weights alone wants its configuration, other bytes are refused by name', () => {
    expect(() => importKeras(bytesOf(old), { file: 'a.h5' })).toThrow('a.h5: has weights alone: give `config`');
    expect(() => importKeras(new Uint8Array(9))).toThrow('not a file of Keras: expected an HDF5 file');
    expect(() => importKeras('model.keras' as never)).toThrow(
      'bytes expected a Uint8Array or an ArrayBuffer, got String',
    );
  });

  test('compile: false leaves the model as it is', () => {
    expect(importKeras(bytesOf(whole), { compile: false }).isCompiled).toBe(false);
  });
});

describe('loadKerasWeights', () => {
  const made = () => sequential([lstm({ units: 3, inputShape: [null, 2], recurrentActivation: 'sigmoid' })]);

  test('weights of CuDNN into a layer made in code', () => {
    const model = made();
    const { loaded } = loadKerasWeights(model, bytesOf(cudnn));
    expect(loaded).toEqual(['lstm']);
    const y = model.predict(input(cudnn));
    y.data.forEach((value, i) => expect(value).toBeCloseTo(cudnn.y.data[i]!, 5));
  });

  test('another number of layers, or another shape, changes nothing', () => {
    const model = made();
    const before = model.getWeights().map(({ data }) => [...data]);
    expect(() => loadKerasWeights(model, bytesOf(old))).toThrow(
      'the model has 1 layers with weights (lstm), the file 2',
    );
    const wide = sequential([lstm({ units: 4, inputShape: [null, 2] })]);
    expect(() => loadKerasWeights(wide, bytesOf(cudnn))).toThrow('[2, 16], got [2, 12]');
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(before);
  });

  test('byName and skipMismatch say what was left', () => {
    const model = sequential([
      lstm({ units: 4, inputShape: [null, 2], name: 'lstm_1' }),
      dense({ units: 2, name: 'other' }),
    ]);
    const report = loadKerasWeights(model, bytesOf(old), { byName: true, skipMismatch: true });
    expect(report.loaded).toEqual([]);
    expect(report.skipped.map(({ layer }) => layer)).toEqual(['lstm_1']);
    expect(report.unused).toEqual(['dense_1']);
  });
});

describe('exportKeras', () => {
  const model = () =>
    sequential([gru({ units: 3, inputShape: [4, 2], returnSequences: true }), gru({ units: 2 }), dense({ units: 1 })]);
  const x = ndarray(
    Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)),
    [2, 4, 2],
  );
  const y = ndarray(Float32Array.of(1, -1), [2, 1]);

  test.each([
    ['adam, amsgrad', () => adam({ amsgrad: true })],
    ['sgd, momentum', () => sgd({ momentum: 0.9 })],
    ['rmsprop, centered', () => rmsprop({ momentum: 0.5, centered: true })],
  ])('training goes on from the file with the same bits: %s', (_, optimizer) => {
    const first = model();
    first.compile({ optimizer: optimizer(), loss: 'mse', metrics: ['mae'] });
    for (let i = 0; i < 2; i++) first.trainOnBatch(x, y);
    const second = importKeras(exportKeras(first));
    expect(second.optimizer.steps).toBe(2);
    for (let i = 0; i < 3; i++) expect(second.trainOnBatch(x, y)).toEqual(first.trainOnBatch(x, y));
    expect(exportKeras(second)).toEqual(exportKeras(first));
  });

  test.each([
    [
      { activation: (input: Tensor) => input },
      "layer 'dense' (Dense): activation expected a function with a name, by which Keras can find one, got a function without a name: make it as const mine = (x) => …",
    ],
    [
      { kernelConstraint: (weight: Tensor) => weight },
      "layer 'dense' (Dense): kernel_constraint expected a function with a name, by which Keras can find one, got a function without a name: make it as const mine = (x) => …",
    ],
    [{ name: 'a/b' }, "layer 'a/b' (Dense): Keras 3 wants names with no '/', got 'a/b': give another name"],
  ])('%o: what Keras 3 does not load is refused', (options, message) => {
    const made = sequential([dense({ units: 1, inputShape: [2], ...(options as object) })]);
    expect(() => exportKeras(made)).toThrow(message);
  });

  test('weights go into the same model made in code', () => {
    const [first, second] = [model(), model()];
    const report = loadKerasWeights(second, exportKerasWeights(first));
    expect(report.loaded).toEqual(['gru', 'gru_1', 'dense']);
    expect(second.predict(x).data).toEqual(first.predict(x).data);
  });
});

test('models of other programs are refused with the way that works', () => {
  const bytes = (...parts: (string | number)[]): Uint8Array =>
    Uint8Array.from(
      parts.flatMap((part) => (typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : [part])),
    );
  const refused = (given: Uint8Array) => () => refuseForeign(given, 'm');
  expect(refused(bytes(0x28, 0, 0, 0, 'TFL3', 0, 0))).toThrow('m: a TensorFlow Lite model is not read: convert it');
  expect(refused(bytes(8, 2, 0x12, 9, 0x0a, 7, 0x0a, 5, 'input'))).toThrow('a Core ML model is not read');
  expect(refused(bytes(8, 1, 0x12, 9, 0x0a, 7, 0x12, 5))).toThrow('a SavedModel of TensorFlow is not read');
  expect(refused(bytes(0x0a, 0x31, 0x0a, 1, 'x', 0x12, 0x0b, 'Placeholder'))).toThrow('a frozen graph of TensorFlow 1');
  expect(refused(bytes(8, 6, 0x12, 7, 'pytorch'))).not.toThrow();
});
