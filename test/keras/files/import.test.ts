import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { learnedState } from '../../../src/audio-models.ts';
import { textOfUtf8 } from '../../../src/host/utf8.ts';
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  bidirectional,
  dense,
  gru,
  lstm,
  nadam,
  ndarray,
  type Optimizer,
  onWarning,
  RandomStream,
  rmsprop,
  sequential,
  sgd,
  type Tensor,
} from '../../../src/index.ts';
import { refuseForeign } from '../../../src/io/foreign-formats.ts';
import { readZip } from '../../../src/io/zip.ts';
import { type HdfGroupInput, writeHdf5 } from '../../../src/keras/hdf5/write.ts';
import { exportKeras, exportKerasWeights, importKeras, loadKerasWeights } from '../../../src/keras.ts';
import type { AnyLayer } from '../../../src/layers/base/layer.ts';
import { layerNormGru, layerNormLstm } from '../../../src/sequences.ts';

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

  test.each([
    [
      'Nadam',
      { lr: 0.01, schedule_decay: 0.004 },
      'optimizer Nadam of Keras 1 and 2 has another momentum in each step',
    ],
    ['Ftrl', { lr: 0.01 }, "'ftrl'"],
    ['SGD', { lr: -1 }, 'got -1'],
  ])('of a file with the optimizer %s, %o: warns that the model is not compiled, and why', (className, config, why) => {
    const told: string[] = [];
    onWarning((message) => told.push(message));
    const training = { optimizer_config: { class_name: className, config }, loss: 'mse' };
    const model = importKeras(bytesOf(old), { config: { ...old.config, training_config: training } });
    onWarning();
    expect(model.isCompiled).toBe(false);
    expect(told).toEqual([expect.stringContaining(why)]);
    expect(told[0]).toMatch(
      /^importKeras: the model is not compiled as its file says: .*; call compile\(\) to train it$/,
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

  test('a model that is not built, is refused', () => {
    const file = exportKerasWeights(made());
    expect(() => loadKerasWeights(sequential([lstm({ units: 3 })]), file)).toThrow(
      'expected a built model: give its first layer',
    );
  });

  test('layers of a Keras 3 file that the model has not, are an error, or in the report', () => {
    const layers = (count: number) =>
      sequential(
        Array.from({ length: count }, (_, i) => dense({ units: 2, ...(i === 0 && { inputShape: [2] }) })) as never,
      );
    const [file, small, other] = [
      exportKerasWeights(layers(3)),
      layers(2),
      sequential([gru({ units: 2, inputShape: [null, 2] })]),
    ];
    const before = small.getWeights();
    expect(() => loadKerasWeights(small, file)).toThrow(
      'the file has weights at layers/dense_2, which no layer takes; skipMismatch: true leaves them out',
    );
    expect(() => loadKerasWeights(other, file)).toThrow(
      'layers/dense, layers/dense_1, layers/dense_2, which no layer takes, while it has none for gru;',
    );
    expect(small.getWeights()).toEqual(before);
    const report = loadKerasWeights(small, file, { skipMismatch: true });
    expect([report.loaded, report.unused]).toEqual([['dense', 'dense_1'], ['layers/dense_2']]);
  });

  // Loops over the other length would take hours.
  test('a weight without values is refused, whatever its other lengths', () => {
    const cell: HdfGroupInput = {
      members: new Map(
        [[2 ** 40, 0], [0, 0], [0]].map((shape, i) => [String(i), { shape, data: new Float32Array(0) }] as const),
      ),
    };
    const inside = (name: string, group: HdfGroupInput): HdfGroupInput => ({ members: new Map([[name, group]]) });
    const file = writeHdf5(inside('layers', inside('lstm', inside('cell', inside('vars', cell)))));
    expect(() => loadKerasWeights(made(), file)).toThrow(/expected values, got none: shape \[1099511627776, 0\]/);
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

  // https://github.com/keras-team/keras/blob/master/keras/src/optimizers: what __init__ of each takes, beside the first.
  const ofAll =
    'name learning_rate weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum ema_overwrite_frequency gradient_accumulation_steps';
  test.each<[string, () => Optimizer, string]>([
    ['sgd', () => sgd({ learningRate: 1 }), 'momentum nesterov'],
    ['rmsprop', () => rmsprop({ learningRate: 2 }), 'rho momentum epsilon centered'],
    ['adam', () => adam({ clipNorm: 1, useEma: true }), 'beta_1 beta_2 epsilon amsgrad'],
    ['adamw', () => adamw({ clipValue: 1, weightDecay: 0.1 }), 'beta_1 beta_2 epsilon amsgrad'],
    ['adagrad', () => adagrad({ globalClipNorm: 1 }), 'initial_accumulator_value epsilon'],
    ['adadelta', () => adadelta({ learningRate: 1, gradientAccumulationSteps: 2 }), 'rho epsilon'],
    ['adamax', () => adamax(), 'beta_1 beta_2 epsilon'],
    ['nadam', () => nadam(), 'beta_1 beta_2 epsilon'],
  ])('%s, has the options of its class alone, and a float as learning rate', (_, optimizer, own) => {
    const made = model();
    made.compile({ optimizer: optimizer(), loss: 'mse' });
    const text = textOfUtf8(readZip(exportKeras(made)).get('config.json')!);
    const { config } = JSON.parse(text).compile_config.optimizer;
    expect(`${ofAll} ${own}`.split(' ')).toEqual(expect.arrayContaining(Object.keys(config)));
    expect(text).toMatch(/"learning_rate":\d*\.\d+[,}]/);
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
    expect(report.optimizer).toBe('none');
  });

  test.each<[string, () => AnyLayer]>([
    ['a layer-normalized LSTM', () => layerNormLstm({ units: 3, returnSequences: true, inputShape: [null, 1] })],
    [
      'a bidirectional one',
      () => bidirectional(layerNormGru({ units: 3, returnSequences: true }), { inputShape: [null, 1] }),
    ],
    ['learned states', () => learnedState(lstm({ units: 3, returnSequences: true, inputShape: [null, 1] }))],
  ])('weights of %s, which has layers inside, go into the same model', (_, layer) => {
    const [first, second] = [1, 2].map(() => sequential([layer() as never, dense({ units: 1 })]));
    const random = new RandomStream(3);
    for (const weight of first!.weights) weight.assign(weight.toArray().map(() => random.nextUniform()));
    const report = loadKerasWeights(second!, exportKerasWeights(first!));
    expect(report).toMatchObject({ skipped: [], unused: [] });
    expect(second!.weights.map((weight) => weight.toArray())).toEqual(first!.weights.map((weight) => weight.toArray()));
  });

  test('with weights, the state of the optimizer goes into a compiled model, if it fits', () => {
    const [first, second, other] = [model(), model(), model()];
    for (const each of [first, second]) each.compile({ optimizer: 'adam', loss: 'mse' });
    other.compile({ optimizer: sgd({ momentum: 0.9 }), loss: 'mse' });
    for (let i = 0; i < 2; i++) first.trainOnBatch(x, y);
    const file = exportKerasWeights(first);
    expect(loadKerasWeights(second, file).optimizer).toBe('loaded');
    expect(second.trainOnBatch(x, y)).toEqual(first.trainOnBatch(x, y));
    const { optimizer } = loadKerasWeights(other, file);
    expect(optimizer).toEqual({ reason: expect.stringContaining('state expected') });
    expect(other.optimizer.steps).toBe(0);
    expect(loadKerasWeights(second, exportKerasWeights(first, { includeOptimizer: false })).optimizer).toBe('none');
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
