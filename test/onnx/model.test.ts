// An imported graph as a model: trained, saved, run in chunks; and what is refused.
import { describe, expect, test } from 'vitest';
import { ArgumentError, adam, decodeModel, encodeModel, ModelFileError, RandomStream } from '../../src/index.ts';
import { readModelProto, writeModelProto } from '../../src/onnx/format/messages.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { damaged } from './damage.ts';
import { attribute, modelOf } from './model-of.ts';
import { moreCases } from './more-cases.ts';

const random = new RandomStream(5);
const floats = (...dims: number[]) => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((product, n) => product * n, 1) }, () => random.nextUniform() - 0.5),
});

/** An LSTM [T, B, 3] → [T, B, 4] with its states as inputs and outputs, then a product: a named batch and time. */
function recurrentModel(): Uint8Array {
  const proto = readModelProto(
    modelOf({
      nodes: [
        {
          op: 'LSTM',
          inputs: ['x', 'W', 'R', 'B', '', 'h', 'c'],
          outputs: ['all', 'hn', 'cn'],
          attributes: [attribute('hidden_size', 4)],
        },
        { op: 'Squeeze', inputs: ['all', 'axis'], outputs: ['flat'] },
        { op: 'MatMul', inputs: ['flat', 'out'], outputs: ['y'] },
      ],
      inputs: { x: floats(5, 2, 3), h: floats(1, 2, 4), c: floats(1, 2, 4) },
      initializers: {
        ...{ W: floats(1, 16, 3), R: floats(1, 16, 4), B: floats(1, 32), out: floats(4, 2) },
        axis: { dims: [1], data: BigInt64Array.of(1n) },
      },
      outputs: ['y', 'hn', 'cn'],
    }),
  );
  const dimsOf = (name: string, dims: (string | number)[]): void => {
    const value = [...proto.graph!.input!, ...proto.graph!.output!].find((each) => each.name === name)!;
    const dim = dims.map((n) => (typeof n === 'number' ? { dimValue: n } : { dimParam: n }));
    value.type = { tensorType: { elemType: 1, shape: { dim } } };
  };
  dimsOf('x', ['time', 'batch', 3]);
  dimsOf('y', ['time', 'batch', 2]);
  for (const state of ['h', 'c', 'hn', 'cn']) dimsOf(state, [1, 'batch', 4]);
  return writeModelProto(proto);
}

const bytes = recurrentModel();
const batchAxes = { x: 1, y: 1 };
const samples = { x: floats(6, 5, 3), y: floats(6, 5, 2) };

describe('an imported model', () => {
  test('pairs states by their names, and takes them out of inputs and outputs', () => {
    const model = importOnnx(bytes, { batchAxes });
    expect(onnxSession(model).states).toEqual({ h: 'hn', c: 'cn' });
    const predicted = model.predict(nested(samples.x));
    expect(predicted.shape).toEqual([6, 5, 2]);
  });

  test('has a summary, with several inputs too', () => {
    expect(importOnnx(bytes, { states: {} }).summary()).toContain('onnx_graph (OnnxGraph)');
    expect(importOnnx(bytes, { name: 'own' }).summary()).toContain('Model: "own"');
  });

  test('trains: the loss falls, and only what is trainable changes', async () => {
    const model = importOnnx(bytes, { batchAxes, trainable: ['out', /^B$/] });
    const before = Object.fromEntries(model.weights.map((weight) => [weight.name, weight.toArray()]));
    model.compile({ optimizer: adam({ learningRate: 0.02 }), loss: 'mse' });
    const { history } = await model.fit(nested(samples.x), nested(samples.y), { epochs: 12, batchSize: 3, verbose: 0 });
    expect(history.loss!.at(-1)!).toBeLessThan(0.95 * history.loss![0]!);
    const changed = model.weights.filter((weight) => weight.toArray().join() !== before[weight.name]!.join());
    expect(changed.map(({ name }) => name.split('/').at(-1)).sort()).toEqual(['B', 'out']);
  });

  test('is saved and loaded with its training, to the bit', async () => {
    const model = importOnnx(bytes, { batchAxes });
    model.compile({ optimizer: 'adam', loss: 'mse' });
    model.trainOnBatch(nested(samples.x), nested(samples.y));
    const { model: again } = decodeModel(encodeModel(model));
    expect(again.predict(nested(samples.x)).data).toEqual(model.predict(nested(samples.x)).data);
    const [a, b] = [model, again].map((each) => each.trainOnBatch(nested(samples.x), nested(samples.y)).loss);
    expect(b).toBe(a);
  });

  test('with several inputs is loaded with all of them', () => {
    const model = importOnnx(bytes, { batchAxes: { ...batchAxes, h: 1, c: 1, hn: 1, cn: 1 }, states: {} });
    const state = nested(floats(6, 1, 4));
    const x = { x: nested(samples.x), h: state, c: state };
    const { model: again } = decodeModel(encodeModel(model));
    expect(again.predict(x as never)).toEqual(model.predict(x as never));
    expect(again.summary()).toBe(model.summary());
  });

  test('in a session, carries states from chunk to chunk', () => {
    const model = importOnnx(bytes);
    const whole = onnxSession(model).run({ x: { data: samples.x.data.subarray(0, 15), shape: [5, 1, 3] } }).y!;
    const session = onnxSession(model);
    const parts = [2, 3].map((length, i) => {
      const from = i * 6;
      return session.run({ x: { data: samples.x.data.subarray(from, from + 3 * length), shape: [length, 1, 3] } }).y!;
    });
    expect(parts.flatMap(({ data }) => [...data])).toEqual([...whole.data]);
    session.reset();
    const first = session.run({ x: { data: samples.x.data.subarray(0, 6), shape: [2, 1, 3] } }).y!;
    expect([...first.data]).toEqual([...parts[0]!.data]);
  });

  test('reads changed weights, also those that it has prepared', () => {
    const model = importOnnx(bytes);
    const session = onnxSession(model);
    const feed = { x: { data: samples.x.data.subarray(0, 3), shape: [1, 1, 3] } };
    const before = [...session.run(feed).y!.data];
    session.reset();
    for (const weight of model.weights) weight.assign(weight.toArray().map((value) => 2 * value));
    const after = [...session.run(feed).y!.data];
    const fresh = importOnnx(encodeTwice());
    expect(after).not.toEqual(before);
    expect(after).toEqual([...onnxSession(fresh).run(feed).y!.data]);
  });

  test('has a summary with its parameters', () => {
    expect(importOnnx(bytes, { batchAxes }).summary()).toContain('OnnxGraph');
    expect(importOnnx(bytes).countParams()).toBe(16 * 3 + 16 * 4 + 32 + 8);
  });
});

/** The file with all weights doubled. */
function encodeTwice(): Uint8Array {
  const proto = readModelProto(bytes.slice());
  for (const tensor of proto.graph!.initializer!) {
    if (tensor.dataType !== 1) continue;
    const values = new Float32Array(tensor.rawData!.slice().buffer).map((value) => 2 * value);
    tensor.rawData = new Uint8Array(values.buffer);
  }
  return writeModelProto(proto);
}

function nested({ data, dims }: { data: Float32Array; dims: number[] }) {
  const [count, time, width] = dims as [number, number, number];
  return Array.from({ length: count }, (_, n) =>
    Array.from({ length: time }, (_, t) => [...data.subarray((n * time + t) * width, (n * time + t + 1) * width)]),
  );
}

describe('what cannot be imported', () => {
  const ofOne = (op: string, attributes = [attribute('alpha', 0.5)]) =>
    modelOf({
      nodes: [{ op, inputs: ['x'], outputs: ['y'], attributes }],
      inputs: { x: floats(2, 3) },
      outputs: ['y'],
    });

  test('is told in one error, with every operator and its nodes', () => {
    const several = modelOf({
      nodes: [
        { op: 'Frobnicate', inputs: ['x'], outputs: ['a'] },
        { op: 'Frobnicate', inputs: ['a'], outputs: ['b'] },
        { op: 'Elu', inputs: ['b'], outputs: ['y'], attributes: [attribute('beta', 0.5)] },
      ],
      inputs: { x: floats(2, 3) },
      outputs: ['y'],
    });
    expect(() => importOnnx(several)).toThrow(
      "what it uses is not supported: Frobnicate (nodes 'a', 'b'); Elu with attribute 'beta' is unknown (node 'y')",
    );
    expect(() => importOnnx(several)).toThrow(ModelFileError);
  });

  test.each([
    ['an unknown option', () => importOnnx(ofOne('Elu'), { trainabel: true } as never), 'trainabel'],
    ['text in place of bytes', () => importOnnx('model.onnx' as never), 'bytes expected a Uint8Array'],
    [
      'a state that is no input',
      () => importOnnx(ofOne('Elu'), { states: { h: 'y' } }),
      "states: 'h' expected an input",
    ],
    ['an unknown feed', () => onnxSession(importOnnx(ofOne('Elu'))).run({ z: 1 }), "expected inputs 'x', got 'z'"],
    ['a missing feed', () => onnxSession(importOnnx(ofOne('Elu'))).run({}), "input 'x' is missing"],
    [
      'a feed of another shape',
      () => onnxSession(importOnnx(ofOne('Elu'))).run({ x: [[1, 2]] }),
      'expected [2, 3], got [1, 2]',
    ],
  ])('%s is refused', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  test('damaged files give a model or one ModelFileError', () => {
    const originals = [bytes, ...moreCases.map((each) => each.bytes)];
    let refused = 0;
    for (let seed = 1; seed <= 800; seed++) {
      try {
        importOnnx(damaged(new RandomStream(seed), originals)).dispose();
      } catch (error) {
        expect({ seed, error }).toEqual({ seed, error: expect.any(ModelFileError) });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(300);
  });
});

describe('sizes that a file asks for', () => {
  const long = (...list: number[]) => ({ dims: [list.length], data: BigInt64Array.from(list, BigInt) });
  const sized = (op: string, inputs: string[], list: number[]) =>
    modelOf({
      nodes: [{ op, inputs, outputs: ['y'] }],
      inputs: { x: floats(1, 1) },
      initializers: { n: long(...list) },
      outputs: ['y'],
    });

  test.each([
    ['Expand', ['x', 'n'], [2 ** 31, 2 ** 31]],
    ['Tile', ['x', 'n'], [2 ** 20, 2 ** 20]],
    ['ConstantOfShape', ['n'], [2 ** 40]],
    ['ConstantOfShape', ['n'], [-3]],
    ['Pad', ['x', 'n'], [0, 0, 2 ** 40, 0]],
    ['Reshape', ['x', 'n'], [7, 3]],
    ['Unsqueeze', ['x', 'n'], Array.from({ length: 100 }, (_, i) => i)],
  ])('%s refuses what has no room, when it runs', (op, inputs, list) => {
    const model = importOnnx(sized(op, inputs, list), { states: {} });
    expect(() => onnxSession(model).run({ x: [[1]] })).toThrow(ArgumentError);
  });

  test('a loop without end is refused, and costs nothing at import', () => {
    const loop = modelOf({
      nodes: [
        {
          op: 'Loop',
          inputs: ['', '', 'x'],
          outputs: ['y'],
          attributes: [
            {
              name: 'body',
              type: 5,
              g: {
                name: 'body',
                node: [
                  { opType: 'Identity', input: ['go'], output: ['on'] },
                  { opType: 'Concat', input: ['s', 's'], output: ['next'], attribute: [attribute('axis', 0)] },
                ],
                input: [{ name: 'i' }, { name: 'go' }, { name: 's' }],
                output: [{ name: 'on' }, { name: 'next' }],
              },
            },
          ],
        },
      ],
      inputs: { x: floats(1, 1) },
      outputs: ['y'],
    });
    const model = importOnnx(loop, { states: {} });
    expect(() => onnxSession(model).run({ x: [[1]] })).toThrow('is too large');
  });
});
