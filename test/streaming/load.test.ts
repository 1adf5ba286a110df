// Streams of files have the bits of `Model.stream`, for all layers, formats of weights and builds.
import { afterAll, describe, expect, test, vi } from 'vitest';
import { init } from '../../src/engine/engine.ts';
import { activation } from '../../src/layers/activations/activation.ts';
import type { ActivationName } from '../../src/layers/activations/activations.ts';
import { moreActivations } from '../../src/layers/activations/more-activations.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { model as customModel, type Model, sequential } from '../../src/models/model.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';
import type { LoadStreamOptions } from '../../src/streaming/file-stream.ts';
import { compileKernels, decodeStream, loadStream } from '../../src/streaming/load.ts';
import type { Stream } from '../../src/streaming/stream.ts';
import { modes } from '../engine/modes.ts';
import { INPUTS, make, makeOfIds, modelOf, sequences, stacks, TIME, values } from './stacks.ts';

const more: Record<string, () => Layer[]> = {
  ...stacks,
  'simpleRnn linear, last step': () => [simpleRnn({ units: 4, activation: 'linear', inputShape: [null, INPUTS] })],
  'dense without time or bias': () => [dense({ units: 3, useBias: false, inputShape: [INPUTS] })],
  'options that change nothing here': () => [
    lstm({ units: 5, ...sequences, dropout: 0.5, stateful: true, name: 'first', inputShape: [null, INPUTS] }) as Layer,
    lstm({ units: 3, unitForgetBias: false, trainable: false, returnState: false, zeroOutputForMask: true }),
    dense({ units: 17, activation: 'leakyRelu' }),
  ],
};

/** What a stream gives for two calls, and where it then stands. */
function run(stream: Stream, inputs: ArrayLike<number>): number[][] {
  const size = stream.batch * stream.inputWidth;
  const x = Array.from(inputs);
  const first = [...stream.steps(x.slice(0, size), 1)];
  return [first, [...stream.steps(x.slice(size), x.length / size - 1)], ...stream.state.map((state) => [...state])];
}

afterAll(async () => {
  await init();
});

const names = ['linear', 'relu', 'sigmoid', 'tanh', 'softmax', ...Object.keys(moreActivations)] as ActivationName[];

describe.each(modes)('decodeStream in %s mode', (mode) => {
  test.each(names)('dense and activation, %s, run or are refused as by model.stream', async (name) => {
    await init({ mode });
    for (const layer of [
      dense({ units: 6, activation: name, inputShape: [null, INPUTS] }),
      activation({ activation: name, inputShape: [null, INPUTS] }),
    ]) {
      const model = modelOf(() => [layer]);
      const bytes = encodeModel(model);
      let own: Stream;
      try {
        own = model.stream({ maxSteps: 3 });
      } catch (refusal) {
        const sentence = `activation '${name}' cannot run step by step; expected one of linear, relu,`;
        expect((refusal as Error).message).toContain(sentence);
        expect(() => decodeStream(bytes, { mode })).toThrow(sentence);
        continue;
      }
      expect(run(decodeStream(bytes, { mode, maxSteps: 3 }), values(4 * INPUTS))).toEqual(run(own, values(4 * INPUTS)));
    }
  });

  describe.each(['float32', 'int8'] as const)('of %s weights', (weights) => {
    test.each(Object.keys(more))('%s, gives the bits of model.stream', async (name) => {
      await init({ mode });
      const model = modelOf(more[name]!);
      const bytes = encodeModel(model);
      for (const batch of [1, 3]) {
        const options = { batch, weights, maxSteps: TIME };
        const x = values(batch * TIME * INPUTS);
        const own = decodeStream(bytes, { mode, ...options });
        expect([own.batch, own.inputWidth, own.takesIds]).toEqual([batch, INPUTS, false]);
        expect(run(own, x)).toEqual(run(model.stream(options), x));
      }
    });

    test('an embedding in front, takes ids', async () => {
      await init({ mode });
      const model = makeOfIds();
      const stream = decodeStream(encodeModel(model), { mode, weights, maxSteps: 4 });
      expect([stream.inputWidth, stream.outputWidth, stream.takesIds]).toEqual([1, 10, true]);
      expect(run(stream, [3, 9, 0, 3])).toEqual(run(model.stream({ weights, maxSteps: 4 }), [3, 9, 0, 3]));
      expect(() => stream.step([10])).toThrow('expected ids in [0, 10), got 10 at 0');
      expect(() => stream.step([0.5])).toThrow('expected ids in [0, 10), got 0.5 at 0');
    });

    test('an embedding within TimeDistributed, takes ids', async () => {
      await init({ mode });
      const model = modelOf(() => [
        timeDistributed(embedding({ inputDim: 10, outputDim: 4 }), { inputShape: [null] }),
        timeDistributed(dense({ units: 2 })),
      ]);
      const stream = decodeStream(encodeModel(model), { mode, weights, maxSteps: 4 });
      expect(run(stream, [3, 9, 0, 3])).toEqual(run(model.stream({ weights, maxSteps: 4 }), [3, 9, 0, 3]));
    });
  });

  test('state, setState and reset, go on and start anew', () => {
    const stream = decodeStream(encodeModel(make('lstm')), { mode });
    const x = values(INPUTS);
    const first = [...stream.step(x)];
    const { state } = stream;
    const second = [...stream.step(x)];
    stream.setState(state);
    expect([...stream.step(x)]).toEqual(second);
    stream.reset();
    expect([...stream.step(x)]).toEqual(first);
  });

  test('a thousand steps, allocate no memory', () => {
    const stream = decodeStream(encodeModel(make('gru, reset after')), { mode });
    const { memory, heap } = stream.engine as {
      memory: WebAssembly.Memory;
      heap: { usedBytes: number };
    } & Stream['engine'];
    const x = values(INPUTS);
    const output = stream.step(x);
    const before = [memory.buffer.byteLength, heap.usedBytes];
    for (let i = 0; i < 1000; i++) expect(stream.step(x)).toBe(output);
    expect([memory.buffer.byteLength, heap.usedBytes]).toEqual(before);
  });
});

test('int8 weights, keep a byte a weight and nothing of the float32 ones', () => {
  const bytes = encodeModel(sequential([lstm({ units: 256, inputShape: [null, 256] })]));
  const used = (weights: 'float32' | 'int8'): number =>
    (decodeStream(bytes, { weights }).engine.heap as unknown as { usedBytes: number }).usedBytes;
  const count = 2 * 256 * 1024;
  expect(used('float32') - used('int8')).toBeGreaterThan(2.9 * count);
  expect(used('float32')).toBeLessThan(4 * count + 300_000);
});

describe('what a file holds beside the model', () => {
  const model = makeOfIds();

  test('comes with the stream', () => {
    const stream = decodeStream(encodeModel(model, { vocabulary: [...'abcdefghij'], extra: { step: 3 } }));
    expect([stream.vocabulary, stream.extra]).toEqual([[...'abcdefghij'], { step: 3 }]);
  });

  test('is undefined where there is nothing', () => {
    const stream = decodeStream(encodeModel(model));
    expect([stream.vocabulary, stream.extra]).toEqual([undefined, undefined]);
  });

  test('such as optimizer and states, is not looked at', () => {
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    expect(run(decodeStream(encodeModel(model), { maxSteps: 2 }), [1, 2, 3])).toEqual(
      run(model.stream({ maxSteps: 2 }), [1, 2, 3]),
    );
  });
});

describe('a model that cannot run step by step', () => {
  const features = { inputShape: [null, 2] };
  test.each<[string, Model, string]>([
    [
      'bidirectional',
      sequential([bidirectional(lstm({ units: 3 }), features)]),
      'm: its configuration cannot be used: bidirectional: a Bidirectional layer cannot run step by step',
    ],
    [
      'backwards',
      sequential([dense({ units: 2, ...features }), gru({ units: 3, goBackwards: true, name: 'back' })]),
      'back: a recurrent layer of these options cannot run step by step',
    ],
    [
      'with a peephole',
      sequential([lstm({ units: 3, peephole: true, ...features })]),
      'lstm: a recurrent layer of these options cannot run step by step',
    ],
    [
      'with a projection',
      sequential([lstm({ units: 3, projSize: 2, ...features })]),
      'lstm: a recurrent layer of these options cannot run step by step',
    ],
    [
      'of gates without a fused kernel',
      sequential([gru({ units: 3, recurrentActivation: 'hardSigmoid', ...features })]),
      'gru: a recurrent layer of these options cannot run step by step',
    ],
    [
      'of an activation without a kernel of its own',
      sequential([dense({ units: 3, activation: 'logSoftmax', ...features })]),
      "dense: activation 'logSoftmax' cannot run step by step; expected one of linear, relu,",
    ],
    [
      'recurrent within TimeDistributed',
      sequential([timeDistributed(lstm({ units: 3 }), { inputShape: [null, 4, 2] })]),
      'time_distributed: a TimeDistributed recurrent layer cannot run step by step',
    ],
  ])('%s, names the layer, as model.stream refuses it', (_, model, sentence) => {
    expect(() => model.stream()).toThrow('step');
    expect(() => decodeStream(encodeModel(model), { file: 'm' })).toThrow(sentence);
  });

  test('custom, says that it is', () => {
    const layers = { out: dense({ units: 1 }) };
    const model = customModel({ layers, inputs: { shape: [null, 2] } }, (x, { out }) => out(x));
    expect(() => decodeStream(encodeModel(model))).toThrow('it holds a custom model: it cannot run step by step');
  });
});

describe('decodeStream with options that do not fit', () => {
  const bytes = encodeModel(make('lstm'));
  test.each<[LoadStreamOptions, string]>([
    [{ batch: 0 }, 'stream: batch expected an integer ≥ 1, got 0'],
    [{ maxSteps: 1.5 }, 'stream: maxSteps expected an integer ≥ 1, got 1.5'],
    [{ weights: 'int4' as 'int8' }, `stream: weights expected 'float32' or 'int8', got 'int4'`],
    [{ mode: 'quick' as 'fast' }, `decodeStream: mode expected 'fast' or 'reproducible', got 'quick'`],
    [{ batch: 2 ** 28 }, 'out of memory'],
  ])('%o, says so', (options, sentence) => {
    expect(() => decodeStream(bytes, options)).toThrow(sentence);
  });
});

describe('loadStream', () => {
  const model = make('lstm');
  const bytes = encodeModel(model);
  const expected = [...model.stream().step(values(INPUTS))];
  afterAll(() => vi.unstubAllGlobals());
  const answer = (respond: () => Response | Promise<Response>) => vi.stubGlobal('fetch', async () => respond());

  test('of bytes or a buffer, is decodeStream', async () => {
    for (const source of [bytes, bytes.buffer]) {
      expect([...(await loadStream(source)).step(values(INPUTS))]).toEqual(expected);
    }
  });

  test('of an address, fetches it', async () => {
    answer(() => new Response(bytes));
    const address = 'https://example.org/model.safetensors';
    for (const source of [address, new URL(address)]) {
      expect([...(await loadStream(source)).step(values(INPUTS))]).toEqual(expected);
    }
  });

  test('given kernels that were compiled before, uses them', async () => {
    const module = await compileKernels();
    expect(await compileKernels()).toBe(module);
    const compile = vi.spyOn(WebAssembly, 'compile');
    expect([...(await loadStream(bytes, { module })).step(values(INPUTS))]).toEqual(expected);
    expect(compile).not.toHaveBeenCalled();
    compile.mockRestore();
  });

  test.each<[string, () => Response, string]>([
    ['404', () => new Response('none', { status: 404 }), 'm.st: expected to be fetched, got status 404'],
    ['a page instead', () => new Response('<!doctype html><p>Hello'), 'm.st: header length expected at most'],
    ['no network', () => Response.error(), 'm.st: expected to be fetched, got status 0'],
    [
      'a fetch that throws',
      () => {
        throw new TypeError('fetch failed');
      },
      'm.st: it could not be fetched',
    ],
  ])('%s, names the address', async (_, respond, sentence) => {
    answer(respond);
    const file = 'https://example.org/m.st';
    await expect(loadStream(file)).rejects.toThrow(sentence);
    await expect(loadStream(file)).rejects.toMatchObject({ name: 'ModelFileError', file });
  });
});
