// Runs that repeat recorded kernel calls have the bits of runs that do not.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Recording } from '../../src/engine/recording.ts';
import { ArgumentError, engine, init, RandomStream } from '../../src/index.ts';
import { importOnnx, type OnnxResult, onnxSession } from '../../src/onnx.ts';
import { graphCases } from './all-cases.ts';
import { attribute, modelOf } from './model-of.ts';
import type { GraphCase } from './one-node.ts';

const repeat = vi.spyOn(Recording.prototype, 'repeat');

beforeEach(() => {
  repeat.mockClear();
});

type Results = Record<string, OnnxResult>;
const bitsOf = (results: Results): unknown =>
  Object.entries(results).map(([name, { data, shape, strings }]) => [name, shape, strings ?? [...data]]);

/** The inputs of a case with their floats moved on by `n` places. */
const movedOn = ({ feeds }: GraphCase, n: number) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, dims }]) => {
      const moved = data instanceof Float32Array ? data.map((_, i) => data[(i + n) % data.length]!) : data;
      return [name, { data: moved as Float32Array, shape: dims }];
    }),
  );

describe('the fifth and sixth run of a graph, with other elements each', () => {
  let repeated = 0;

  test.each([...graphCases])('$name', (given) => {
    const fresh = (n: number): Results => onnxSession(importOnnx(given.bytes, { states: {} })).run(movedOn(given, n));
    const session = onnxSession(importOnnx(given.bytes, { states: {} }));
    for (let n = 0; n < 4; n++) session.run(movedOn(given, n));
    repeat.mockClear();
    const results = [4, 5].map((n) => bitsOf(session.run(movedOn(given, n))));
    if (repeat.mock.calls.length === 2) repeated++;
    expect(results).toEqual([4, 5].map((n) => bitsOf(fresh(n))));
  });

  test('are repeated for most of the cases', () => {
    expect(repeated).toBeGreaterThan(graphCases.length / 2);
  });
});

const random = new RandomStream(1);
const array = (...dims: number[]) => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.nextUniform() - 0.5),
});
const [units, inputs] = [5, 3];
/** A convolution and an LSTM with its states outside, over sequences of any length. */
const bytes = modelOf({
  nodes: [
    { op: 'Conv', inputs: ['x', 'K'], outputs: ['c'], attributes: [attribute('pads', [1, 1])] },
    { op: 'Transpose', inputs: ['c'], outputs: ['t'], attributes: [attribute('perm', [2, 0, 1])] },
    {
      op: 'LSTM',
      inputs: ['t', 'W', 'R', '', '', 'h', 'c0'],
      outputs: ['all', 'hn', 'cn'],
      attributes: [attribute('hidden_size', units)],
    },
    { op: 'Softmax', inputs: ['all'], outputs: ['y'] },
  ],
  inputs: { x: array(1, 2, 4), h: array(1, 1, units), c0: array(1, 1, units) },
  initializers: { K: array(inputs, 2, 3), W: array(1, 4 * units, inputs), R: array(1, 4 * units, units) },
  outputs: ['y', 'hn', 'cn'],
});
const options = { states: { h: 'hn', c0: 'cn' } };
const frame = (n: number) => ({
  x: { data: Float32Array.from({ length: 8 }, (_, i) => Math.sin(i + n)), shape: [1, 2, 4] },
});
const make = () => importOnnx(bytes, options);

/** What a session gives that starts anew with the states of another. */
function unrepeated(model: ReturnType<typeof make>, frames: number[]): unknown {
  const other = make();
  other.weights.forEach((weight, i) => weight.assign(model.weights[i]!.toArray()));
  const session = onnxSession(other);
  let last: unknown;
  for (const n of frames) {
    // A run of its own between two frames keeps either from being repeated.
    onnxSession(other).run({ ...frame(0), h: { data: new Float32Array(units), shape: [1, 1, units] } });
    engine().arena.releaseSegments();
    last = bitsOf(session.run(frame(n)));
  }
  other.dispose();
  return last;
}

describe('frames with states', () => {
  const frames = [0, 1, 2, 3, 4, 5, 6];

  test('are repeated, and have the bits of frames that are not', () => {
    const model = make();
    const session = onnxSession(model);
    const results = frames.map((n) => bitsOf(session.run(frame(n))));
    expect(repeat.mock.calls.length).toBeGreaterThan(2);
    repeat.mockClear();
    expect(results.at(-1)).toEqual(unrepeated(model, frames));
    expect(repeat).not.toHaveBeenCalled();
  });

  test('after the weights have changed, are by the new ones', () => {
    const model = make();
    const session = onnxSession(model);
    for (const n of frames) session.run(frame(n));
    session.reset();
    for (const weight of model.weights) weight.assign(weight.toArray().map((value) => 2 * value));
    let last: unknown;
    for (const n of frames) last = bitsOf(session.run(frame(n)));
    expect(last).toEqual(unrepeated(model, frames));
  });

  test('of two sessions in turns, with other lengths between them, have the same bits', () => {
    const model = make();
    const [a, b] = [onnxSession(model), onnxSession(model)];
    const longer = importOnnx(bytes, options);
    let last: unknown;
    for (const n of frames) {
      last = bitsOf(a.run(frame(n)));
      b.run(frame(n + 20));
      onnxSession(longer).run(frame(n));
    }
    expect(last).toEqual(unrepeated(model, frames));
  });

  test('within a step that has allocated something else, have the same bits', () => {
    const model = make();
    const session = onnxSession(model);
    for (const n of frames.slice(0, -1)) session.run(frame(n));
    const last = engine().step(() => {
      engine().allocateScratch(1000);
      return bitsOf(session.run(frame(6)));
    });
    expect(last).toEqual(unrepeated(model, frames));
  });

  test('after the arena has given back its memory, have the same bits', () => {
    const model = make();
    const session = onnxSession(model);
    for (const n of frames.slice(0, -1)) session.run(frame(n));
    engine().arena.releaseSegments();
    // It would be taken where the frames had theirs.
    const other = engine().heap.allocate(2 ** 20);
    const last = bitsOf(session.run(frame(6)));
    engine().heap.release(other);
    expect(last).toEqual(unrepeated(model, frames));
  });

  test('of a model that was disposed of, are refused', () => {
    const model = make();
    const session = onnxSession(model);
    for (const n of frames) session.run(frame(n));
    model.dispose();
    expect(() => session.run(frame(0))).toThrow();
  });

  test('that fail, leave the kernels as they were', () => {
    const { kernels, secondKernels, f32, i32 } = engine();
    const of = (refuse: () => void): never => {
      refuse();
      throw new ArgumentError('no');
    };
    expect(() => Recording.of(engine(), of)).toThrow('no');
    expect(engine()).toMatchObject({ kernels, secondKernels, f32, i32 });
  });
});

describe('on threads', () => {
  afterEach(async () => {
    engine().stopThreads();
    await init();
  });

  test('nothing is repeated', async () => {
    await init({ threads: 2 });
    const model = make();
    const session = onnxSession(model);
    for (let n = 0; n < 6; n++) session.run(frame(n));
    expect(repeat).not.toHaveBeenCalled();
    model.dispose();
  });
});
