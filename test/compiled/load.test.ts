// Imported models whose steps are compiled to kernel calls.
import { describe, expect, test } from 'vitest';
import { loadCompiledStream } from '../../src/compiled.ts';
import {
  ArgumentError,
  decodeModel,
  dense,
  encodeModel,
  lstm,
  ModelFileError,
  RandomStream,
  sequential,
  setSeed,
} from '../../src/index.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { readModelProto, writeModelProto } from '../../src/onnx/format/messages.ts';
import { compileStream, exportOnnx, importOnnx } from '../../src/onnx.ts';
import { attribute, modelOf } from '../onnx/model-of.ts';

const random = new RandomStream(5);
const floats = (...dims: number[]) => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((product, n) => product * n, 1) }, () => random.nextUniform() - 0.5),
});

/** A detector of `batch` frames of 64 samples: a convolution, a maximum of pairs (an extra kernel), an LSTM, a sigmoid. */
const detector = (batch: number): Uint8Array =>
  modelOf({
    nodes: [
      { op: 'Conv', inputs: ['x', 'filters'], outputs: ['c'], attributes: [attribute('strides', [4])] },
      {
        op: 'MaxPool',
        inputs: ['c'],
        outputs: ['p'],
        attributes: [attribute('kernel_shape', [2]), attribute('strides', [2])],
      },
      { op: 'Relu', inputs: ['p'], outputs: ['r'] },
      {
        op: 'ReduceMean',
        inputs: ['r'],
        outputs: ['m'],
        attributes: [attribute('axes', [2]), attribute('keepdims', 0)],
      },
      { op: 'Unsqueeze', inputs: ['m', 'first'], outputs: ['u'] },
      {
        op: 'LSTM',
        inputs: ['u', 'W', 'R', '', '', 'h', 'c0'],
        outputs: ['', 'hn', 'cn'],
        attributes: [attribute('hidden_size', 3)],
      },
      { op: 'Squeeze', inputs: ['hn', 'first'], outputs: ['s'] },
      { op: 'Gemm', inputs: ['s', 'V'], outputs: ['g'] },
      { op: 'Sigmoid', inputs: ['g'], outputs: ['y'] },
    ],
    inputs: { x: floats(batch, 1, 64), h: floats(1, batch, 3), c0: floats(1, batch, 3) },
    initializers: {
      ...{ filters: floats(5, 1, 8), W: floats(1, 12, 5), R: floats(1, 12, 3), V: floats(3, 1) },
      first: { dims: [1], data: BigInt64Array.of(0n) },
    },
    outputs: ['y', 'hn', 'cn'],
  });
const states = { h: 'hn', c0: 'cn' };
const imported = (batch = 1) => importOnnx(detector(batch), { states });
const frame = (size: number): Float32Array => Float32Array.from({ length: size }, () => 2 * random.nextUniform() - 1);

describe('a compiled stream', () => {
  test.each([1, 2])('of %i sequences, gives the bits of the model’s own stream, states and all', (batch) => {
    const model = imported(batch);
    const own = model.stream({ batch });
    const stream = loadCompiledStream(compileStream(model, { batch }), { maxSteps: 3 });
    expect([stream.batch, stream.inputWidth, stream.outputWidth, stream.takesIds]).toEqual([batch, 64, 1, false]);
    for (let step = 0; step < 5; step++) {
      const x = frame(64 * batch);
      expect(stream.step(x)).toEqual(own.step(x));
    }
    expect(stream.state).toEqual(own.state);
    const [x, kept] = [frame(3 * 64 * batch), stream.state];
    const block = stream.steps(x, 3).slice();
    stream.setState(kept);
    for (let step = 0; step < 3; step++) {
      const y = stream.step(x.subarray(step * 64 * batch, (step + 1) * 64 * batch));
      expect(y).toEqual(block.subarray(step * batch, (step + 1) * batch));
    }
    stream.reset(0);
    own.reset();
    const first = frame(64 * batch);
    expect(stream.step(first)[0]).toBe(own.step(first)[0]);
    stream.dispose();
    expect(() => stream.step(first)).toThrow('disposed');
  });

  test('computes with the weights at the time it was compiled', () => {
    const model = imported();
    const x = frame(64);
    const before = model.stream().step(x).slice();
    const bytes = compileStream(model);
    for (const weight of model.weights) weight.assign(weight.toArray().map((value) => 2 * value));
    expect(loadCompiledStream(bytes).step(x)).toEqual(before);
    expect(loadCompiledStream(compileStream(model)).step(x)).not.toEqual(before);
  });

  test('of an exported model of layers, gives its predict, step by step', () => {
    setSeed(1);
    const model = sequential([
      lstm({ units: 5, returnSequences: true, inputShape: [null, 2] }),
      lstm({ units: 4, returnSequences: true }),
      dense({ units: 2, activation: 'tanh' }),
    ]);
    const steps = [
      [0.1, 0.2],
      [-0.5, 1],
      [0.3, 0.3],
    ];
    const whole = model.predict([steps]).toNested() as number[][][];
    const stream = loadCompiledStream(compileStream(importOnnx(exportOnnx(model, { states: true }))));
    for (const [t, x] of steps.entries()) {
      const y = stream.step(x);
      whole[0]![t]!.forEach((value, i) => expect(y[i]!).toBeCloseTo(value, 6));
    }
  });

  test('of a graph whose frames vary in length, has the length that is given', () => {
    const proto = readModelProto(detector(1));
    proto.graph!.input![0]!.type!.tensorType!.shape!.dim![2] = { dimParam: 'samples' };
    const bytes = writeModelProto(proto);
    const model = importOnnx(bytes, { states, freeDimensionOverrides: { samples: 32 } });
    const [own, stream] = [model.stream(), loadCompiledStream(compileStream(model))];
    expect(stream.inputWidth).toBe(32);
    const x = frame(32);
    expect(stream.step(x)).toEqual(own.step(x));
    // A saved model keeps it.
    const [first] = decodeModel(encodeModel(model)).model.stream().step(x);
    stream.reset();
    expect(first).toBe(stream.step(x)[0]);
    for (const [lengths, message] of [
      [{ steps: 3 }, "freeDimensionOverrides: 'steps' expected a length that varies: samples"],
      [{ samples: 0 }, "freeDimensionOverrides: 'samples' expected"],
      [3, 'freeDimensionOverrides expected an object'],
    ] as const) {
      expect(() => importOnnx(bytes, { states, freeDimensionOverrides: lengths as never })).toThrow(message);
    }
  });

  test.each<[string, () => unknown, string]>([
    [
      'a model of layers',
      () => compileStream(sequential([dense({ units: 1, inputShape: [1] })])),
      'model expected one of importOnnx',
    ],
    ['no model', () => compileStream(undefined as never), 'model expected one of importOnnx'],
    ['a batch of 0', () => compileStream(imported(), { batch: 0 }), 'compileStream: batch expected'],
    ['no states', () => compileStream(importOnnx(detector(1), { states: {} })), 'expected'],
    [
      'random numbers',
      () =>
        compileStream(
          importOnnx(
            modelOf({
              nodes: [
                { op: 'RandomUniformLike', inputs: ['x'], outputs: ['u'] },
                { op: 'Add', inputs: ['x', 'u'], outputs: ['y'] },
                { op: 'Add', inputs: ['h', 'u'], outputs: ['hn'] },
              ],
              inputs: { x: floats(1, 2), h: floats(1, 2) },
              outputs: ['y', 'hn'],
            }),
            { states: { h: 'hn' } },
          ),
        ),
      'depends on what it computes',
    ],
  ])('is not made of %s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});

describe('a damaged compiled stream', () => {
  const bytes = compileStream(imported());
  const { tensors, metadata } = decodeSafetensors(bytes);
  const program = JSON.parse(metadata.compiledStream!) as Record<string, unknown>;
  const withProgram = (changes: object): Uint8Array =>
    encodeSafetensors(tensors, { compiledStream: JSON.stringify({ ...program, ...changes }) });
  const withCalls = (...calls: number[]): Uint8Array =>
    encodeSafetensors(
      new Map(tensors).set('calls', { dtype: 'F64', shape: [calls.length], data: Float64Array.from(calls) }),
      metadata,
    );

  test.each<[string, Uint8Array, string]>([
    ['another file', encodeSafetensors(new Map(), {}), 'expected a compiled stream, got another safetensors file'],
    ['no safetensors file', new Uint8Array(20), 'm.stream: '],
    ['text that is no JSON', encodeSafetensors(tensors, { compiledStream: '{' }), 'is not JSON'],
    ['another version', withProgram({ version: 2 }), 'for another version of tapeloop: compile the model again'],
    ['other kernels', withProgram({ interface: 1 }), 'for another version of tapeloop: compile the model again'],
    ['no rows', withProgram({ rows: 0 }), 'the program of the compiled stream is damaged'],
    ['an input beyond its memory', withProgram({ input: { at: 2 ** 31, size: 64 } }), 'is damaged'],
    ['states that are no list', withProgram({ states: 3 }), 'is damaged'],
    ['a state without a place', withProgram({ states: [{}] }), 'is damaged'],
    ['more memory than there is', withProgram({ memory: 2 ** 40 }), 'is damaged'],
    ['a kernel that is none', withProgram({ kernels: [['toString'], []] }), 'it calls "toString", which is no kernel'],
    ['the memory as a kernel', withProgram({ kernels: [['memory'], []] }), 'it calls "memory", which is no kernel'],
    [
      'content beyond its memory',
      withProgram({ memory: 0, input: { at: 0, size: 0 }, output: { at: 0, size: 0 }, states: [] }),
      'expected bytes in its memory',
    ],
    ['a call of no kernel', withCalls(99, 0), 'calls: 0 begins no call'],
    ['a call that is cut', withCalls(0, 5, 1), 'calls: 0 begins no call'],
  ])('is refused: %s', (_, damaged, message) => {
    const load = (): unknown => loadCompiledStream(damaged, { file: 'm.stream' });
    expect(load).toThrow(ModelFileError);
    expect(load).toThrow(message);
  });

  test('and unknown options and modes are', () => {
    expect(() => loadCompiledStream(bytes, { mode: 'slow' as never })).toThrow(
      "mode expected 'fast' or 'reproducible'",
    );
    expect(() => loadCompiledStream(bytes, { maxSteps: 0 })).toThrow('stream: maxSteps expected');
  });
});
