// One stream has one user: overlapping texts, outputs that are read later, and invalid arguments.
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import * as ofModels from '../../src/models/generate.ts';
import { sequential } from '../../src/models/model.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';
import { generate, generateIds } from '../../src/streaming/generate.ts';
import { compileKernels, decodeStream, loadStream } from '../../src/streaming/load.ts';
import { INPUTS, make, makeOfIds, modelOf, sequences, values } from './stacks.ts';

const language = makeOfIds();
for (const weight of language.weights) weight.assign(weight.toArray().map((value) => 4 * value));
const given = { prompt: [1, 2], length: 20 };
const makers: [string, (options: object) => number[]][] = [
  ['a model', (options) => [...ofModels.generateIds(language, { ...given, ...options })]],
  ['a stream', (options) => [...generateIds(decodeStream(encodeModel(language)), { ...given, ...options })]],
];

describe.each(makers)('text of %s without a seed', (_, write) => {
  test('differs from call to call, and is the same again after setSeed', () => {
    setSeed(5);
    const texts = [write({}), write({}), write({})];
    expect(new Set(texts.map(String)).size).toBe(3);
    setSeed(5);
    expect([write({}), write({}), write({})]).toEqual(texts);
    setSeed(6);
    expect(write({})).not.toEqual(texts[0]);
  });

  test('leaves the weights of later models as they are; a seed of its own leaves later texts', () => {
    const first = () => {
      const model = sequential([dense({ units: 3, inputShape: [2] })]);
      return [...model.weights[0]!.toArray()];
    };
    setSeed(7);
    const expected = first();
    setSeed(7);
    write({});
    expect(first()).toEqual(expected);
    setSeed(8);
    const text = write({});
    setSeed(8);
    write({ seed: 3 });
    expect(write({})).toEqual(text);
  });

  test('refused, draws no seed', () => {
    setSeed(9);
    const text = write({});
    setSeed(9);
    expect(() => write({ topP: 2 })).toThrow(ArgumentError);
    expect(write({})).toEqual(text);
  });
});

describe('text of a model whose last activation is softmax', () => {
  const shares = modelOf(() => [
    embedding({ inputDim: 10, outputDim: 4 }),
    gru({ units: 6, ...sequences }),
    dense({ units: 10, activation: 'softmax' }),
  ]);
  const options = { prompt: [1], length: 40, seed: 2 };

  test('is drawn from its probabilities, by model and stream, unless fromLogits is given', () => {
    const expected = [...ofModels.generateIds(shares, { ...options, fromLogits: false })];
    const asLogits = [...ofModels.generateIds(shares, { ...options, fromLogits: true })];
    expect(asLogits).not.toEqual(expected);
    expect([...ofModels.generateIds(shares, options)]).toEqual(expected);
    const stream = decodeStream(encodeModel(shares));
    expect([...generateIds(stream, options)]).toEqual(expected);
    expect([...generateIds(stream, { ...options, fromLogits: true })]).toEqual(asLogits);
  });

  test('that cannot run step by step, is too', () => {
    const both = modelOf(() => [
      embedding({ inputDim: 10, outputDim: 4 }),
      bidirectional(gru({ units: 6, ...sequences })),
      dense({ units: 10, activation: 'softmax' }),
    ]);
    const expected = [...ofModels.generateIds(both, { ...options, fromLogits: false })];
    expect([...ofModels.generateIds(both, options)]).toEqual(expected);
  });
});

describe('generate of a stream that others use meanwhile', () => {
  const alone = 'generate: stream expected no other call before its text ends';
  test.each<[string, (stream: ReturnType<typeof decodeStream>) => unknown]>([
    ['another text', (stream) => [...generateIds(stream, { ...given, length: 2 })]],
    ['step', (stream) => stream.step([1])],
    ['reset', (stream) => stream.reset()],
    ['setState', (stream) => stream.setState(stream.state)],
  ])('%s, ends in an error', async (_, use) => {
    const stream = decodeStream(encodeModel(language));
    const ids = generate(stream, [1, 2]);
    await ids.next();
    use(stream);
    await expect(ids.next()).rejects.toThrow(new ArgumentError(alone));
    expect([...generateIds(stream, given)]).toHaveLength(20);
  });
});

test.each<[string, unknown, string]>([
  ['length', { length: 5 }, "generate: unknown option 'length'"],
  ['max_length', { max_length: 5 }, "generate: unknown option 'max_length'"],
  ['top_p', { top_p: 0.9 }, "generate: unknown option 'top_p'"],
  ['a number', 5, 'generate: options expected an object, got Number'],
  ['fromLogits', { fromLogits: 'no' }, "generate: fromLogits expected true or false, got 'no'"],
  ['stopIds of text', { stopIds: ['.'] }, "generate: stopIds expected an integer ≥ 0, got '.'"],
  ['stopIds a text', { stopIds: '.' }, "generate: stopIds expected an integer ≥ 0, got '.'"],
  ['stopIds a number', { stopIds: 2 }, 'generate: stopIds expected a list, got 2'],
])('generate of a stream, given %s, refuses it', async (_, options, sentence) => {
  const stream = decodeStream(encodeModel(language));
  await expect(generate(stream, [1], options as never).next()).rejects.toThrow(sentence);
});

test('stopIds, a typed array, end a text as a list does', () => {
  const write = (stopIds: unknown) => [...ofModels.generateIds(language, { ...given, seed: 1, stopIds } as never)];
  const [, , third] = write([]);
  expect(write(Int32Array.of(third!))).toEqual(write([third]));
  expect(write([third]).length).toBeLessThan(3);
});

test('a prompt that is a text, is named and shown', async () => {
  const sentence = "generate: prompt expected one id or more, got 'the cat'";
  await expect(ofModels.generate(language, 'the cat' as never).next()).rejects.toThrow(sentence);
});

describe('what step returns', () => {
  test('is one array outside linear memory, which outlives its growth and is posted alone', () => {
    const stream = make('lstm').stream({ maxSteps: 4 });
    const x = values(INPUTS);
    const many = stream.steps(values(4 * INPUTS), 4);
    const kept = [...many];
    const { memory, heap } = engine();
    const block = heap.allocate(memory.buffer.byteLength);
    expect([...many]).toEqual(kept);
    expect(structuredClone(many).buffer.byteLength).toBe(many.byteLength);
    const one = stream.step(x);
    expect(one.buffer).toBe(many.buffer);
    expect(one).toHaveLength(stream.outputWidth);
    expect(stream.step(x).buffer).toBe(one.buffer);
    heap.release(block);
  });
});

test.each<[unknown, string]>([
  ['12345', "stream: expected 5 values for [1, 1, 5], got '12345'"],
  [1, 'stream: expected 5 values for [1, 1, 5], got 1'],
  [ndarray([1, 2, 3, 4, 5], [5]), 'stream: expected 5 values for [1, 1, 5], got'],
  [[1, 2, '3', 4, 5], "stream: input expected finite numbers, got '3' at 2"],
  [[1, 2, 3, Number.NaN, 5], 'stream: input expected finite numbers, got NaN at 3'],
  [Float64Array.of(1, 1e39, 3, 4, 5), 'stream: input expected finite numbers, got 1e+39 at 1'],
])('a step of %o, is refused by its index and value', (input, sentence) => {
  const stream = make('lstm').stream();
  const before = stream.state;
  expect(() => stream.step(input as never)).toThrow(sentence);
  expect(stream.state).toEqual(before);
});

test.each<[object, string]>([
  [{ activation: 'relu' }, "LSTM layers with activation 'relu' cannot run step by step"],
  [{ activation: 'sigmoid' }, "LSTM layers with activation 'sigmoid' cannot run step by step"],
  [{ recurrentActivation: 'tanh' }, "LSTM layers with recurrentActivation 'tanh' cannot run step by step"],
  [{ recurrentActivation: 'hardSigmoid' }, "LSTM layers with recurrentActivation 'hardSigmoid' cannot"],
  [{ goBackwards: true }, 'LSTM layers with goBackwards true cannot'],
  [{ peephole: true }, 'LSTM layers with peephole true cannot'],
  [{ projSize: 2 }, 'LSTM layers with projSize 2 cannot'],
])('a stream of an lstm with %o, names the option', (options, sentence) => {
  const model = sequential([lstm({ units: 3, ...options, inputShape: [null, 2] })]);
  expect(() => model.stream()).toThrow(sentence);
});

test('a module beside mode reproducible, is refused, since kernels do not tell their mode; by itself it runs', async () => {
  const bytes = encodeModel(make('lstm'));
  const module = await compileKernels('reproducible');
  const refusal = (what: string): ArgumentError =>
    new ArgumentError(`${what}: mode is chosen by compileKernels(mode) of a module`);
  expect(() => decodeStream(bytes, { mode: 'reproducible', module })).toThrow(refusal('decodeStream'));
  await expect(loadStream(bytes, { mode: 'reproducible', module })).rejects.toThrow(refusal('loadStream'));
  expect(decodeStream(bytes, { module }).step(values(INPUTS))).toHaveLength(decodeStream(bytes).outputWidth);
});
