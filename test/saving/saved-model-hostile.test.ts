import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { engine } from '../../src/engine/engine.ts';
import { ModelFileError } from '../../src/io/safetensors.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { editsOf } from './file-edits.ts';
import { trained } from './saved-model-cases.ts';

const file = encodeModel(trained(), { vocabulary: [...'abcde'], extra: { step: 3 } });
const { edited, withHeader, withJson, withLength, withTensor, damaged, misconfigured } = editsOf(file);

describe('decodeModel of a hostile file', () => {
  const layer = (i: number, change: object) =>
    withJson('network', ({ layers }) => {
      Object.assign(layers[i].config, change);
    });
  const optimizer = (change: object) =>
    withJson('training', (training) => {
      Object.assign(training.optimizer, change);
    });

  test.each<[string, () => Uint8Array, RegExp | string]>([
    ['empty', () => new Uint8Array(0), 'expected at least the 8 bytes'],
    ['header longer than the file', () => withLength(BigInt(file.length)), 'the file is cut short'],
    [
      'header of 2^60 bytes',
      () => withLength(2n ** 60n),
      'header length expected at most 100000000, got 1152921504606846976',
    ],
    ['one byte short', () => file.subarray(0, -1), 'end past the file'],
    ['one byte more', () => new Uint8Array([...file, 0]), /expected \d+ bytes of data after the header, got \d+/],
    [
      'overlapping tensors',
      () =>
        withHeader((header) => {
          header['logits/bias'].data_offsets = header['lstm/kernel'].data_offsets.map((at: number) => at + 4);
          header['logits/bias'].shape = header['lstm/kernel'].shape;
        }),
      /overlap|gap|past/,
    ],
    [
      'plain safetensors',
      () =>
        edited((content) => {
          content.metadata = {};
        }),
      "metadata 'format' expected 'tapeloop', got none",
    ],
    [
      'another format',
      () =>
        edited(({ metadata }) => {
          metadata.format = 'pt';
        }),
      `expected 'tapeloop', got "pt"`,
    ],
    [
      'newer version',
      () =>
        edited(({ metadata }) => {
          metadata.formatVersion = '2';
        }),
      'written in format version "2"; this tapeloop reads up to 1',
    ],
    [
      'version between',
      () =>
        edited(({ metadata }) => {
          metadata.formatVersion = '0.5';
        }),
      'written in format version "0.5"',
    ],
    [
      'no version',
      () =>
        edited(({ metadata }) => {
          delete metadata.formatVersion;
        }),
      'written in format version none',
    ],
    [
      'network that is no JSON',
      () =>
        edited(({ metadata }) => {
          metadata.network = '{';
        }),
      `metadata 'network' expected JSON, got "{"`,
    ],
    [
      'no network',
      () =>
        edited(({ metadata }) => {
          delete metadata.network;
        }),
      "metadata 'network' expected an object, got none",
    ],
    [
      'layers that are no list',
      () => withJson('network', (n) => ({ ...n, layers: { length: 1e9 } })),
      'network.layers expected a list, got an object',
    ],
    [
      'no layers',
      () => withJson('network', (n) => ({ ...n, layers: [] })),
      'layers expected one layer or more, got none',
    ],
    [
      'layer null',
      () => withJson('network', (n) => ({ ...n, layers: [null] })),
      'network.layers[0] expected an object, got null',
    ],
    [
      'unknown class',
      () =>
        withJson('network', ({ layers }) => {
          layers[1].className = 'Transformer';
        }),
      "it names layer 'Transformer', which tapeloop does not have",
    ],
    [
      'class of the prototype',
      () =>
        withJson('network', ({ layers }) => {
          layers[1].className = 'constructor';
        }),
      "it names layer 'constructor', which tapeloop does not have",
    ],
    ['two layers of one name', () => layer(1, { name: 'logits' }), "two layers are named 'logits'"],
    ['name that is no string', () => layer(1, { name: 5 }), 'network.layers[1].config.name expected a string, got 5'],
    ['units 1e9', () => layer(1, { units: 1e9 }), "tensor 'lstm/kernel' expected [3, 4000000000], got [3, 24]"],
    ['units -1', () => layer(1, { units: -1 }), 'units expected an integer ≥ 1, got -1'],
    ['units "6"', () => layer(1, { units: '6' }), "units expected an integer ≥ 1, got '6'"],
    ['inputDim 1e15', () => layer(0, { inputDim: 1e15 }), 'expected [1000000000000000, 3], got [5, 3]'],
    [
      'rate NaN',
      () =>
        withJson('network', ({ layers }) => {
          layers[1] = { className: 'Dropout', config: { name: 'lstm', rate: null } };
        }),
      'network.layers[1].config.rate expected a value, got null',
    ],
    ['unknown initializer', () => layer(1, { kernelInitializer: 'magic' }), 'kernelInitializer expected one of'],
    ['unknown activation', () => layer(2, { activation: 'relU' }), "got 'relU'"],
    [
      'missing weight',
      () =>
        edited(({ tensors }) => {
          tensors.delete('lstm/bias');
        }),
      "tensor 'lstm/bias' expected in F32, got none",
    ],
    [
      'weight of another dtype',
      () =>
        edited(({ tensors }) => {
          tensors.set('lstm/bias', { dtype: 'F64', shape: [24], data: new Float64Array(24) });
        }),
      "tensor 'lstm/bias' expected in F32, got F64",
    ],
    [
      'weight of a wrong shape',
      () => withTensor('lstm/kernel', [24, 3]),
      "tensor 'lstm/kernel' expected [3, 24], got [24, 3]",
    ],
    [
      'NaN weight',
      () => withTensor('logits/bias', [5], Number.NaN),
      "tensor 'logits/bias' expected finite numbers, got NaN at 0",
    ],
    [
      'infinite optimizer state',
      () => withTensor('optimizer/logits/bias/velocity', [5], Number.POSITIVE_INFINITY),
      'expected finite numbers, got Infinity at 0',
    ],
    [
      'missing optimizer state',
      () =>
        edited(({ tensors }) => {
          tensors.delete('optimizer/logits/bias/velocity');
        }),
      "'optimizer/logits/bias/velocity' expected in F32, got none",
    ],
    [
      'states of another size',
      () => withTensor('state/lstm/0', [3, 7]),
      "tensor 'state/lstm/0' expected [3, 6], got [3, 7]",
    ],
    [
      'states of two batches',
      () => withTensor('state/lstm/1', [4, 6]),
      "tensor 'state/lstm/1' expected [3, 6], got [4, 6]",
    ],
    [
      'states of no batch',
      () => withTensor('state/lstm/0', [0, 6]),
      "tensor 'state/lstm/0' expected [1, 6], got [0, 6]",
    ],
    ['state that is a scalar', () => withTensor('state/lstm/0', []), "tensor 'state/lstm/0' expected [1, 6], got []"],
    [
      'missing state',
      () =>
        edited(({ tensors }) => {
          tensors.delete('state/lstm/1');
        }),
      "tensor 'state/lstm/1' expected in F32, got none",
    ],
    [
      'iterations -1',
      () => withJson('training', (t) => ({ ...t, iterations: -1 })),
      'training.iterations expected an integer ≥ 0, got -1',
    ],
    [
      'iterations 1.5',
      () => withJson('training', (t) => ({ ...t, iterations: 1.5 })),
      'training.iterations expected an integer ≥ 0, got 1.5',
    ],
    [
      'learning rate NaN',
      () => optimizer({ learningRate: Number.NaN }),
      'training.optimizer.learningRate expected a finite number, got null',
    ],
    [
      'no learning rate',
      () => optimizer({ learningRate: undefined }),
      'training.optimizer.learningRate expected a finite number, got none',
    ],
    [
      'learning rate "0.1"',
      () => optimizer({ learningRate: '0.1' }),
      'training.optimizer.learningRate expected a finite number, got "0.1"',
    ],
    ['learning rate -1', () => optimizer({ learningRate: -1 }), 'learningRate expected a number ≥ 0, got -1'],
    [
      'epsilon null',
      () => optimizer({ epsilon: null }),
      'training.optimizer.epsilon expected a finite number, got null',
    ],
    ['beta1 2', () => optimizer({ beta1: 2 }), 'beta1 expected a number in [0, 1), got 2'],
    [
      'unknown optimizer',
      () => optimizer({ name: 'adafactor' }),
      "it names optimizer 'adafactor', which tapeloop does not have",
    ],
    [
      'unknown schedule',
      () => optimizer({ learningRate: { name: 'toString' } }),
      "it names schedule 'toString', which tapeloop does not have",
    ],
    ['schedule that is a list', () => optimizer({ learningRate: [0.1] }), 'got undefined'],
    [
      'schedule without its option',
      () => optimizer({ learningRate: { name: 'cosineDecay', initialLearningRate: 1 } }),
      'cosineDecay: decaySteps expected a number > 0, got undefined',
    ],
    [
      'schedule in a schedule that is null',
      () => optimizer({ learningRate: { name: 'linearWarmup', warmupSteps: 1, after: null } }),
      'got undefined',
    ],
    [
      'boundaries that are no list',
      () => optimizer({ learningRate: { name: 'piecewiseConstantDecay', boundaries: 5, values: [1] } }),
      'boundaries expected a list, got 5',
    ],
    [
      'accumulation over half a step',
      () => optimizer({ gradientAccumulationSteps: 0.5 }),
      'gradientAccumulationSteps expected an integer ≥ 1, got 0.5',
    ],
    [
      'words to exclude that are none',
      () => optimizer({ excludeFromWeightDecay: [{}] }),
      'excludeFromWeightDecay expected words or a function, got a list of 1',
    ],
    ['averages that are missing', () => optimizer({ useEma: true }), "/average' expected in F32, got none"],
    [
      'unknown loss',
      () => withJson('training', (t) => ({ ...t, loss: { name: 'squares', options: {} } })),
      "it names loss 'squares', which tapeloop does not have",
    ],
    ['unknown metric', () => withJson('training', (t) => ({ ...t, metrics: ['f1'] })), 'f1'],
    [
      'metrics that are no list',
      () => withJson('training', (t) => ({ ...t, metrics: 'accuracy' })),
      'training.metrics expected a list, got "accuracy"',
    ],
    [
      'weighted metrics that are no list',
      () => withJson('training', (t) => ({ ...t, weightedMetrics: {} })),
      'training.weightedMetrics expected a list, got an object',
    ],
    ['unknown weighted metric', () => withJson('training', (t) => ({ ...t, weightedMetrics: ['f1'] })), 'f1'],
    [
      'weight of the loss null',
      () => withJson('training', (t) => ({ ...t, weight: null })),
      'training.weight expected a finite number, got null',
    ],
    [
      'weight of the loss "2"',
      () => withJson('training', (t) => ({ ...t, weight: '2' })),
      'training.weight expected a finite number, got "2"',
    ],
    ['training 5', () => withJson('training', () => 5), "metadata 'training' expected an object, got 5"],
    [
      'no optimizer',
      () => withJson('training', (t) => ({ ...t, optimizer: undefined })),
      'training.optimizer expected an object, got none',
    ],
    [
      'shuffle of no seed',
      () => withJson('training', (t) => ({ ...t, shuffle: {} })),
      'random state of shuffling: seed expected an integer ≥ 0, got none',
    ],
    [
      'seed 2^32',
      () => withJson('random', (r) => ({ ...r, lstm: { seed: 2 ** 32, calls: 0 } })),
      'random state of lstm: seed expected below 2^32',
    ],
    [
      'random that is a list',
      () => withJson('random', () => []),
      "metadata 'random' expected an object, got a list of 0",
    ],
    [
      'vocabulary that is no list',
      () => withJson('vocabulary', () => 'abcde'),
      `metadata 'vocabulary' expected a list of strings, got "abcde"`,
    ],
    [
      'vocabulary of numbers',
      () => withJson('vocabulary', () => ['a', 5]),
      "metadata 'vocabulary'[1] expected a string, got 5",
    ],
  ])('%s, is one ModelFileError that says so', (_, make, message) => {
    const bytes = make();
    const held = engine().memory.buffer.byteLength;
    const used = engine().heap.usedBytes;
    let error: unknown;
    try {
      decodeModel(bytes, { file: 'm.safetensors' });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ModelFileError);
    expect((error as Error).message).toMatch(/^m\.safetensors: [^\n]*$/);
    if (typeof message === 'string') expect((error as Error).message).toContain(message);
    else expect((error as Error).message).toMatch(message);
    expect(engine().memory.buffer.byteLength - held).toBeLessThan(2 ** 22);
    expect(engine().heap.usedBytes).toBe(used);
  });

  // What a fault of the code behind a check would say.
  const words =
    /Cannot (read|set|convert|destructure|access)|is not (a function|iterable|an object|defined)|of undefined|Invalid .*length|call stack|BigInt|circular/;

  const attempt = (bytes: Uint8Array): void => {
    const used = engine().heap.usedBytes;
    try {
      decodeModel(bytes).model.dispose();
    } catch (error) {
      if (!(error instanceof ModelFileError)) throw error;
      expect(error.message).not.toMatch(words);
    }
    expect(engine().heap.usedBytes).toBe(used);
  };

  test('cut anywhere, throws ModelFileError', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), (end) => {
        expect(() => decodeModel(file.subarray(0, end))).toThrow(ModelFileError);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('random bytes changed anywhere, throws nothing but ModelFileError', () => {
    fc.assert(fc.property(damaged(), attempt), { seed: 2, numRuns: 1500 });
  });

  test('any JSON in place of any part of its metadata, throws nothing but ModelFileError', () => {
    const files = misconfigured('network', 'random', 'training', 'vocabulary');
    fc.assert(fc.property(files, attempt), { seed: 3, numRuns: 1500 });
  });
});
