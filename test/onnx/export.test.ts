import { describe, expect, test } from 'vitest';
import { dense, flatten, init, lstm, model, ops, sequential, tensor } from '../../src/index.ts';
import type { AnyModel } from '../../src/models/model.ts';
import { differenceOf } from '../../src/onnx/export/infer.ts';
import { readModelProto } from '../../src/onnx/format/messages.ts';
import { exportOnnx, importOnnx, onnxSession } from '../../src/onnx.ts';
import { crf } from '../../src/sequences.ts';
import { exportedModels } from './exported-models.ts';
import { builtModel, inputsOf } from './exported-runs.ts';

await init();

describe('an exported model', () => {
  // acceptance/onnx/exported.ts runs the same files in ONNX Runtime.
  test.each(exportedModels.map((each) => [each.name, each] as const))('%s', (_, each) => {
    const { model: made, outputs } = builtModel(each);
    const session = onnxSession(importOnnx(exportOnnx(made, each.options)));
    const feeds = Object.fromEntries(
      inputsOf(each).map(({ data, shape }, i) => [session.inputs[i]!.name, { data, shape }]),
    );
    const results = session.run(feeds);
    for (const [i, y] of outputs.entries()) {
      expect(differenceOf(y, results[session.outputs[i]!.name]!)).toBeLessThan(1e-5);
    }
  });

  test('carries its states from run to run as a stateful layer does', () => {
    const layer = lstm({ units: 3, batchInputShape: [1, null, 2], stateful: true });
    const made = sequential([layer]);
    const x = [[[0.5, -1]], [[1, 0.25]], [[-0.5, 0.75]]];
    const expected = x.map((step) => [...made.predict([step]).data]);
    made.resetStates();
    const session = onnxSession(importOnnx(exportOnnx(made)));
    expect(session.states).toEqual({ lstm_h_in: 'lstm_h_out', lstm_c_in: 'lstm_c_out' });
    x.forEach((step, i) => {
      const got = session.run({ input: [step] }).output!.data as Float32Array;
      expect(differenceOf({ shape: [1, 3], data: expected[i]! }, { shape: [1, 3], data: got })).toBeLessThan(1e-6);
    });
    expect(layer.states).toBeUndefined();
  });

  test('has the names, lengths and operator set that its reader expects', () => {
    const made = sequential([lstm({ units: 3, inputShape: [null, 2], name: 'memory' }), dense({ units: 1 })]);
    const bytes = exportOnnx(made, { name: 'forecast', inputNames: ['x'], outputNames: ['y'] });
    const { graph, opsetImport, irVersion } = readModelProto(bytes);
    expect([graph!.name, opsetImport, irVersion]).toEqual(['forecast', [{ domain: '', version: 17 }], 8]);
    const dims = (list: NonNullable<typeof graph>['input']) =>
      list!.map(({ name, type }) => [name, type!.tensorType!.shape!.dim!.map((n) => n.dimParam ?? n.dimValue)]);
    expect(dims(graph!.input)).toEqual([['x', ['batch', 'time', 2]]]);
    expect(dims(graph!.output)).toEqual([['y', ['batch', 1]]]);
    expect(graph!.initializer!.map(({ name }) => name)).toContain('memory/W');
  });

  test('that its data has built, has lengths that vary where it works with others', () => {
    const dims = (made: AnyModel, x: number[][][]) => {
      made.predict(x);
      return onnxSession(importOnnx(exportOnnx(made))).inputs[0]!.dims;
    };
    const x = [[[1], [2], [3]]];
    expect(dims(sequential([lstm({ units: 2 })]) as AnyModel, x)).toEqual(['batch', 'time', 1]);
    expect(dims(sequential([flatten(), dense({ units: 2 })]) as AnyModel, x)).toEqual(['batch', 3, 1]);
  });

  test('takes no memory that outlives the call', async () => {
    const { heap, arena } = await init();
    const made = sequential([lstm({ units: 3, inputShape: [null, 2], activation: 'mish' })]);
    exportOnnx(made);
    const persistent = () => heap.usedBytes - arena.heldBytes;
    const before = persistent();
    exportOnnx(made);
    expect(persistent()).toBe(before);
  });

  test('leaves the model as it was', () => {
    const { model: made, outputs } = builtModel(exportedModels.find(({ name }) => name === 'encoder and decoder')!);
    const weights = made.getWeights().map(({ data }) => [...data]);
    exportOnnx(made);
    expect(made.getWeights().map(({ data }) => [...data])).toEqual(weights);
    expect(outputs.length).toBe(2);
  });

  test('of an imported model is the file, with the weights of now', () => {
    const bytes = exportOnnx(sequential([dense({ units: 2, inputShape: [3] })]));
    const imported = importOnnx(bytes);
    imported.setWeights(
      imported.getWeights().map(({ data, shape }) =>
        tensor(
          [...data].map((x) => x + 1),
          { shape },
        ),
      ),
    );
    const again = importOnnx(exportOnnx(imported));
    expect([...again.predict([[1, 2, 3]]).data]).toEqual([...imported.predict([[1, 2, 3]]).data]);
  });
});

describe('exportOnnx refuses', () => {
  const simple = () => sequential([dense({ units: 2, inputShape: [3] })]);
  test.each([
    ['what is no model', () => exportOnnx({} as never), 'exportOnnx: model expected a model, got an object'],
    [
      'a model that is not built',
      () => exportOnnx(sequential([dense({ units: 2 })])),
      "exportOnnx: model 'sequential' expected to be built, as by fit",
    ],
    [
      'a name that is used twice',
      () => exportOnnx(simple(), { inputNames: ['x'], outputNames: ['x'] }),
      "exportOnnx: outputNames expected names that are used once, got 'x'",
    ],
    [
      'too many names',
      () => exportOnnx(simple(), { outputNames: ['y', 'z'] }),
      'exportOnnx: outputNames expected a list of 1 name, got 2',
    ],
    [
      'a layer without an equal',
      () => exportOnnx(sequential([dense({ units: 3, inputShape: [null, 2] }), crf() as never])),
      "exportOnnx: the op 'crf' of layer 'crf' (CRF) has no equal in ONNX",
    ],
    [
      'an op whose result does not tell its options',
      () => exportOnnx(model({ layers: {}, inputs: { shape: [3] } }, (x) => ops.clip(x, -1e6, 1e6))),
      "exportOnnx: this use of the op 'clip' of layer 'model' (Functional) has no equal in ONNX",
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message);
  });
});
