// An imported graph frame by frame: its streams, and predict over chunks.
import { describe, expect, test } from 'vitest';
import { ArgumentError, decodeModel, encodeModel, RandomStream } from '../../src/index.ts';
import { readModelProto, writeModelProto } from '../../src/onnx/format/messages.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { attribute, modelOf } from './model-of.ts';

const random = new RandomStream(8);
const floats = (...dims: number[]) => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((product, n) => product * n, 1) }, () => random.nextUniform() - 0.5),
});
const [TIME, BATCH] = [6, 3];

/** A GRU of two directions in a row [T, B, 2] → [T, B, 3]; with or without its state as an input. */
function bytesOf(isStateful: boolean): Uint8Array {
  const proto = readModelProto(
    modelOf({
      nodes: [
        {
          op: 'GRU',
          inputs: ['x', 'W', 'R', 'B', '', ...(isStateful ? ['h'] : [])],
          outputs: ['all', isStateful ? 'hn' : ''],
          attributes: [attribute('hidden_size', 3)],
        },
        { op: 'Squeeze', inputs: ['all', 'axis'], outputs: ['y'] },
      ],
      inputs: { x: floats(TIME, BATCH, 2), ...(isStateful && { h: floats(1, BATCH, 3) }) },
      initializers: {
        ...{ W: floats(1, 9, 2), R: floats(1, 9, 3), B: floats(1, 18) },
        axis: { dims: [1], data: BigInt64Array.of(1n) },
      },
      outputs: ['y', ...(isStateful ? ['hn'] : [])],
    }),
  );
  const axes: Record<string, (string | number)[]> = {
    ...{ x: ['time', 'batch', 2], y: ['time', 'batch', 3] },
    ...{ h: [1, 'batch', 3], hn: [1, 'batch', 3] },
  };
  for (const value of [...proto.graph!.input!, ...proto.graph!.output!]) {
    const dim = axes[value.name!]!.map((n) => (typeof n === 'number' ? { dimValue: n } : { dimParam: n }));
    value.type = { tensorType: { elemType: 1, shape: { dim } } };
  }
  return writeModelProto(proto);
}

const bytes = bytesOf(true);
const batchAxes = { x: 1, y: 1 };
const x = floats(BATCH, TIME, 2);
const samplesOf = (from: number, to: number) =>
  Array.from({ length: BATCH }, (_, b) =>
    Array.from({ length: to - from }, (_unused, t) => [
      ...x.data.subarray((b * TIME + from + t) * 2, (b * TIME + from + t + 1) * 2),
    ]),
  );
const near = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
  expect(a.length).toBe(b.length);
  Array.from(a).forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(1e-6));
};

describe('model.stream() of an imported graph', () => {
  test('gives frame by frame what predict gives, for each sequence of a batch', () => {
    const model = importOnnx(bytes, { batchAxes });
    const whole = model.predict(samplesOf(0, TIME)).toNested() as number[][][];
    const stream = model.stream({ batch: BATCH, maxSteps: 4 });
    expect([stream.inputWidth, stream.outputWidth]).toEqual([2, 3]);
    const frame = (t: number) => samplesOf(t, t + 1).flat(2);
    near(
      stream.step(frame(0)),
      whole.flatMap((rows) => rows[0]!),
    );
    const several = stream.steps([1, 2, 3].flatMap(frame), 3);
    near(
      several.slice(),
      [1, 2, 3].flatMap((t) => whole.flatMap((rows) => rows[t]!)),
    );
    const before = stream.state;
    near(
      stream.step(frame(4)),
      whole.flatMap((rows) => rows[4]!),
    );
    stream.setState(before);
    near(
      stream.step(frame(4)),
      whole.flatMap((rows) => rows[4]!),
    );
    stream.reset(1);
    const again = stream.step(frame(0)).slice(3, 6);
    near(again, whole[1]![0]!);
    stream.dispose();
    expect(() => stream.step(frame(0))).toThrow('disposed');
  });

  test('reads the current weights', () => {
    const model = importOnnx(bytes, { batchAxes });
    const stream = model.stream();
    const before = [...stream.step([0.1, 0.2])];
    for (const weight of model.weights) weight.assign(weight.toArray().map((value) => 2 * value));
    stream.reset();
    expect([...stream.step([0.1, 0.2])]).not.toEqual(before);
  });

  test.each([
    [
      'a graph that keeps its state inside',
      () => importOnnx(bytesOf(false), { batchAxes }).stream(),
      "'all' keeps its state inside",
    ],
    [
      'a graph whose states are not named',
      () => importOnnx(bytes, { states: {} }).stream(),
      'expected a built model of one input',
    ],
    ['int8', () => importOnnx(bytes, { batchAxes }).stream({ weights: 'int8' }), "expected 'float32'"],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});

describe('stateful: true', () => {
  test('carries states from one predict to the next, until resetStates', () => {
    const whole = importOnnx(bytes, { batchAxes }).predict(samplesOf(0, TIME)).toNested() as number[][][];
    const model = importOnnx(bytes, { batchAxes, stateful: true });
    const parts = [model.predict(samplesOf(0, 2)), model.predict(samplesOf(2, TIME))];
    near(
      parts[1]!.data,
      whole.flatMap((rows) => rows.slice(2).flat()),
    );
    const { model: again } = decodeModel(encodeModel(model));
    expect(again.predict(samplesOf(0, 2)).data).toEqual(model.predict(samplesOf(0, 2)).data);
    model.resetStates();
    expect(model.predict(samplesOf(0, 2)).data).toEqual(parts[0]!.data);
    expect(() => model.predict(samplesOf(0, 2).slice(1))).toThrow('every batch expected 3 samples');
  });

  test('does not change a session, which has states of its own', () => {
    const model = importOnnx(bytes, { stateful: true, batchAxes });
    const run = () => onnxSession(model).run({ x: { data: x.data.subarray(0, 12), shape: [2, 3, 2] } }).y!;
    expect(run().data).toEqual(run().data);
  });

  test('refuses a graph without states', () => {
    expect(() => importOnnx(bytesOf(false), { stateful: true })).toThrow('stateful expected states');
  });
});
