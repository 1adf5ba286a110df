// Streams that run block by block: the bits of the whole sequence, states, and what they refuse.
import { describe, expect, test } from 'vitest';
import { learnedState, waveNet } from '../../src/audio-models.ts';
import { init } from '../../src/engine/engine.ts';
import { batchNormalization } from '../../src/images.ts';
import {
  ArgumentError,
  activation,
  conv1d,
  DeadTensorError,
  decodeModel,
  dense,
  dropout,
  embedding,
  encodeModel,
  gru,
  type Layer,
  lstm,
  type Model,
  ndarray,
  sequential,
  setSeed,
  simpleRnn,
  timeDistributed,
} from '../../src/index.ts';
import { modes } from '../engine/modes.ts';

const sequences = { returnSequences: true } as const;
const first = { inputShape: [null, 2] };
const causal = (options: Partial<Parameters<typeof conv1d>[0]> = {}): Layer =>
  conv1d({ filters: 4, kernelSize: 3, padding: 'causal', ...options });
const arrays = [
  { channels: 4, kernelSize: 3, dilations: [1, 2, 4], headSize: 3, gated: true },
  { channels: 3, kernelSize: 2, dilations: [1, 3], headSize: 2, headBias: true, activation: 'relu' },
];

const stacks: Record<string, () => Layer[]> = {
  'a convolution': () => [causal(first)],
  'a dilated one without bias': () => [causal({ ...first, dilationRate: 3, useBias: false, activation: 'tanh' })],
  'groups of channels': () => [causal({ ...first, groups: 2, filters: 6, dilationRate: 2 })],
  'one tap, without padding': () => [causal({ ...first, kernelSize: 1, padding: 'valid' })],
  'convolutions around recurrent layers': () => [
    dense({ units: 3, activation: 'relu', ...first }),
    causal({ dilationRate: 2 }),
    dense({ units: 5 }),
    activation({ activation: 'gelu' }),
    lstm({ units: 6, ...sequences }) as Layer,
    dropout({ rate: 0.5 }),
    causal({ activation: 'softmax' }),
    gru({ units: 3, ...sequences }) as Layer,
    dense({ units: 2, activation: 'softmax' }),
  ],
  'learned states': () => [
    learnedState(lstm({ units: 3, ...sequences, ...first })),
    learnedState(gru({ units: 2, ...sequences })),
    dense({ units: 1 }),
  ],
  'a WaveNet': () => [waveNet({ arrays, headScale: 0.3, ...first }), dense({ units: 1 })],
  'batch normalization between convolutions': () => [
    causal({ ...first, useBias: false }),
    batchNormalization({ epsilon: 0.01 }) as Layer,
    activation({ activation: 'relu' }),
    causal({ dilationRate: 2 }),
    batchNormalization({ scale: false, center: false }) as Layer,
  ],
  'lstm and gru with the gates of TF.js': () => [
    lstm({ units: 5, recurrentActivation: 'hardSigmoid2', ...sequences, ...first }) as Layer,
    gru({ units: 4, recurrentActivation: 'hardSigmoid2', resetAfter: false, ...sequences }) as Layer,
    lstm({ units: 3, recurrentActivation: 'hardSigmoid2', useBias: false, ...sequences }) as Layer,
    activation({ activation: 'hardSigmoid2' }),
  ],
  'other activations of recurrent layers': () => [
    gru({ units: 4, activation: 'softsign', ...sequences, ...first }) as Layer,
    gru({ units: 3, recurrentActivation: 'hardSigmoid', useBias: false, ...sequences }) as Layer,
    simpleRnn({ units: 3, activation: 'elu', ...sequences }) as Layer,
    causal({}),
    lstm({ units: 2, activation: 'softplus', recurrentActivation: 'hardSigmoid', ...sequences }) as Layer,
  ],
  'nothing but dropout': () => [dropout({ rate: 0.5, ...first })],
};

const TIME = 23;
const values = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + 1));

function make(name: string): Model {
  setSeed(4);
  const model = sequential(stacks[name]!());
  for (const weight of model.weights) {
    if (weight.shape.length !== 1) continue;
    const isVariance = weight.name.endsWith('variance');
    weight.assign(values(weight.size).map((value) => (isVariance ? 0.5 + Math.abs(value) : value)));
  }
  return model;
}

/** `[B, T, F]` of all steps, by blocks of `block` steps. */
function streamed(model: Model, x: Float32Array, batch: number, block: number): number[] {
  const stream = model.stream({ batch, maxSteps: block });
  const width = x.length / (batch * TIME);
  const y = new Array<number>(batch * TIME * stream.outputWidth);
  for (let t = 0; t < TIME; t += block) {
    const steps = Math.min(block, TIME - t);
    const inputs = Float32Array.from({ length: steps * batch * width }, (_, i) => {
      const [s, b] = [Math.floor(i / (batch * width)), Math.floor(i / width) % batch];
      return x[(b * TIME + t + s) * width + (i % width)]!;
    });
    stream.steps(inputs, steps).forEach((value, i) => {
      const [s, b] = [Math.floor(i / (batch * stream.outputWidth)), Math.floor(i / stream.outputWidth) % batch];
      y[(b * TIME + t + s) * stream.outputWidth + (i % stream.outputWidth)] = value;
    });
  }
  stream.dispose();
  return y;
}

for (const mode of modes) {
  describe(`in ${mode} mode`, async () => {
    await init({ mode });

    test.each(Object.keys(stacks))('%s, in blocks of any length, gives the bits of the whole sequence', (name) => {
      const model = make(name);
      for (const batch of [1, 3]) {
        const x = values(batch * TIME * 2);
        const whole = [...model.predict(ndarray(x, [batch, TIME, 2])).data];
        for (const block of [1, 2, 5, TIME]) expect(streamed(model, x, batch, block)).toEqual(whole);
      }
    });
  });
}

test.each(Object.keys(stacks))('%s, saved and loaded, streams the same', (name) => {
  const model = make(name);
  const x = values(TIME * 2);
  expect(streamed(decodeModel(encodeModel(model)).model, x, 1, 4)).toEqual(streamed(model, x, 1, 4));
});

const stateful = Object.keys(stacks).filter((name) => !/dropout|one tap/.test(name));

test.each(stateful)(
  '%s, its state taken and set in a stream of other blocks, goes on as if not interrupted',
  (name) => {
    const model = make(name);
    const x = values(TIME * 2);
    const stream = model.stream({ maxSteps: TIME });
    const early = [...stream.steps(x.subarray(0, 20), 10)];
    const { state } = stream;
    const rest = [...stream.steps(x.subarray(20), TIME - 10)];
    const other = model.stream();
    other.setState(state);
    expect(
      Array.from({ length: TIME - 10 }, (_, t) => [...other.step(x.subarray(20 + 2 * t, 22 + 2 * t))]).flat(),
    ).toEqual(rest);
    stream.reset();
    expect([...stream.steps(x.subarray(0, 20), 10)]).toEqual(early);
  },
);

test.each(stateful)('%s, one sequence reset, starts anew and leaves the others', (name) => {
  const model = make(name);
  const stream = model.stream({ batch: 2 });
  const alone = model.stream();
  const x = values(TIME * 2);
  const step = (t: number): Float32Array => x.subarray(2 * t, 2 * t + 2);
  for (let t = 0; t < 9; t++) stream.step([...step(t), ...step(t + 5)]);
  stream.reset(1);
  const width = stream.outputWidth;
  const expected = Array.from({ length: 6 }, (_, t) => [...alone.step(step(t))]);
  const got = Array.from({ length: 6 }, (_, t) => [...stream.step([...step(t + 9), ...step(t)])]);
  expect(got.map((y) => y.slice(width))).toEqual(expected);
  alone.reset();
  for (let t = 0; t < 9; t++) alone.step(step(t));
  expect(got.map((y) => y.slice(0, width))).toEqual(Array.from({ length: 6 }, (_, t) => [...alone.step(step(t + 9))]));
});

test('weights that change, are read by the next call; learned states at the next reset', () => {
  const x = values(TIME * 2);
  const more = Object.keys(stacks).filter((name) => /normalization|gates of TF|other activations/.test(name));
  for (const name of ['convolutions around recurrent layers', 'a WaveNet', 'learned states', ...more]) {
    const model = make(name);
    const stream = model.stream({ maxSteps: TIME });
    const before = [...stream.steps(x, TIME)];
    for (const weight of model.weights) weight.assign(weight.toArray().map((w) => w / 2));
    stream.reset();
    const after = [...stream.steps(x, TIME)];
    expect(after).not.toEqual(before);
    expect(after).toEqual([...model.predict(ndarray(x, [1, TIME, 2])).data]);
  }
});

test('a stream of blocks, after its first call allocates nothing, and frees all with dispose', () => {
  for (const name of Object.keys(stacks).filter((each) => !/dropout/.test(each))) {
    const model = make(name);
    const { heap } = model.engine;
    const before = heap.usedBytes;
    const stream = model.stream({ maxSteps: 8 });
    stream.steps(values(16), 8);
    const used = heap.usedBytes;
    expect(used).toBeGreaterThan(before);
    for (let i = 0; i < 50; i++) stream.steps(values(16), 8);
    expect(heap.usedBytes).toBe(used);
    stream.dispose();
    expect(heap.usedBytes).toBe(before);
  }
});

test('int8 weights of a convolution, are near the float32 ones', () => {
  const model = make('convolutions around recurrent layers');
  const [whole, int8] = (['float32', 'int8'] as const).map((weights) => {
    const stream = model.stream({ maxSteps: TIME, weights });
    return [...stream.steps(values(TIME * 2), TIME)];
  });
  expect(int8).not.toEqual(whole);
  int8!.forEach((value, i) => expect(Math.abs(value - whole![i]!)).toBeLessThan(0.03));
});

test('a model that was disposed of, is refused before a state changes', () => {
  const model = make('convolutions around recurrent layers');
  const stream = model.stream();
  stream.step([1, 2]);
  const { state } = stream;
  model.weights.at(-1)!.dispose();
  expect(() => stream.step([1, 2])).toThrow(DeadTensorError);
  expect(stream.state).toEqual(state);
});

test.each([
  [
    'padding same',
    () => [causal({ ...first, padding: 'same' })],
    "padding 'same' cannot run step by step; 'causal' can",
  ],
  ['strides', () => [causal({ ...first, strides: 2 })], 'strides 2 cannot run step by step'],
  [
    'a convolution in TimeDistributed',
    () => [timeDistributed(causal(), { inputShape: [null, 5, 2] })],
    'cannot run step by step',
  ],
  [
    'an lstm with peepholes and the gates of TF.js',
    () => [lstm({ units: 2, peephole: true, recurrentActivation: 'hardSigmoid2', ...first })],
    'LSTM layers with peephole true cannot run step by step',
  ],
  [
    'a gru that goes backwards with the gates of TF.js',
    () => [gru({ units: 2, goBackwards: true, recurrentActivation: 'hardSigmoid2', ...first })],
    'GRU layers with goBackwards true cannot run step by step',
  ],
  [
    'an lstm whose activation is a function of the caller',
    () => [lstm({ units: 2, activation: (x) => x, ...first })],
    "lstm: activation 'custom lstm/activation' cannot run step by step",
  ],
  [
    'batch normalization over the steps',
    () => [batchNormalization({ axis: 1, inputShape: [3, 2] })],
    'batchNormalization along axis 1 cannot run step by step',
  ],
  [
    'an embedding behind a convolution',
    () => [causal(first), embedding({ inputDim: 3, outputDim: 2 })],
    "expected ids, not a layer's output",
  ],
])('%s, is refused by name', (_, layers, message) => {
  const model = sequential((layers as () => Layer[])());
  expect(() => model.stream()).toThrow(ArgumentError);
  expect(() => model.stream()).toThrow(message);
});
