// Invalid files: each gives one ModelFileError, and nothing outside the file is read.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../src/io/safetensors.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';
import { decodeStream } from '../../src/streaming/load.ts';
import { editsOf } from '../saving/file-edits.ts';
import { modelOf, sequences } from './stacks.ts';

const model = modelOf(() => [
  embedding({ inputDim: 5, outputDim: 3 }),
  gru({ units: 6, ...sequences }),
  timeDistributed(dense({ units: 5, activation: 'softmax' })),
]);
const file = encodeModel(model, { vocabulary: [...'abcde'], extra: { step: 3 } });
const { edited, withJson, withTensor, damaged, misconfigured } = editsOf(file);

const layer = (i: number, change: object) =>
  withJson('network', ({ layers }) => void Object.assign(layers[i].config, change));

describe('decodeStream of a hostile file', () => {
  test.each<[string, () => Uint8Array, string]>([
    ['empty', () => new Uint8Array(0), 'expected at least the 8 bytes'],
    [
      'newer version',
      () => edited(({ metadata }) => void (metadata.formatVersion = '2')),
      'written in format version "2"',
    ],
    ['another format', () => edited(({ metadata }) => void (metadata.format = 'pt')), `expected 'tapeloop', got "pt"`],
    ['no layers', () => withJson('network', (n) => ({ ...n, layers: [] })), 'does not say what input it takes'],
    ['layer null', () => withJson('network', (n) => ({ ...n, layers: [null] })), 'expected an object, got null'],
    [
      'unknown class',
      () => withJson('network', ({ layers }) => void (layers[1].className = 'constructor')),
      'a constructor layer cannot run step by step',
    ],
    ['no input', () => layer(0, { batchInputShape: 5 }), 'its first layer does not say what input it takes'],
    ['units 1e9', () => layer(1, { units: 1e9 }), "tensor 'gru/kernel' expected [3, 3000000000], got [3, 18]"],
    ['units -1', () => layer(1, { units: -1 }), 'gru: units expected an integer ≥ 1, got -1'],
    ['units "6"', () => layer(1, { units: '6' }), "gru: units expected an integer ≥ 1, got '6'"],
    ['units that others have', () => layer(1, { units: 5 }), "tensor 'gru/kernel' expected [3, 15], got [3, 18]"],
    ['inputDim 6', () => layer(0, { inputDim: 6 }), "tensor 'embedding/embeddings' expected [6, 3], got [5, 3]"],
    ['inputDim "5"', () => layer(0, { inputDim: '5' }), "embedding: inputDim expected an integer ≥ 1, got '5'"],
    [
      'activation null',
      () => layer(1, { activation: null }),
      'network.layers[1].config.activation expected a value, got null',
    ],
    [
      'unknown activation',
      () => layer(1, { activation: 'tAnh' }),
      'gru: a recurrent layer of these options cannot run',
    ],
    ['a layer within that is none', () => layer(2, { layer: 5 }), 'time_distributed.layer expected an object, got 5'],
    [
      'a layer within of no name',
      () => layer(2, { layer: { className: 'Dense', config: {} } }),
      'time_distributed.layer.config.name expected a string',
    ],
    [
      'missing weight',
      () => edited(({ tensors }) => void tensors.delete('gru/bias')),
      "tensor 'gru/bias' expected in F32, got none",
    ],
    [
      'weight of a wrong shape',
      () => withTensor('gru/bias', [18, 2]),
      "tensor 'gru/bias' expected [2, 18], got [18, 2]",
    ],
    [
      'NaN weight',
      () => withTensor('time_distributed/dense/bias', [5], Number.NaN),
      'expected finite numbers, got NaN at 0',
    ],
    [
      'vocabulary of numbers',
      () => withJson('vocabulary', () => ['a', 5]),
      "metadata 'vocabulary'[1] expected a string, got 5",
    ],
  ])('%s, is one ModelFileError that says so', (_, make, sentence) => {
    expect(() => decodeStream(make(), { file: 'm.safetensors' })).toThrow(ModelFileError);
    expect(() => decodeStream(make(), { file: 'm.safetensors' })).toThrow(/^m\.safetensors: [^\n]*$/);
    expect(() => decodeStream(make())).toThrow(sentence);
  });

  test('of a model of features whose width is no number, is one ModelFileError', () => {
    const features = editsOf(encodeModel(modelOf(() => [dense({ units: 2, activation: 'relu', inputShape: [3] })])));
    const withShape = (shape: unknown) =>
      features.withJson('network', ({ layers }) => void (layers[0].config.batchInputShape = shape));
    for (const shape of [[], [[3]], [null], ['3'], [-3], [1e300]]) {
      expect(() => decodeStream(withShape(shape)), JSON.stringify(shape)).toThrow(ModelFileError);
    }
  });

  test('of layers within layers without end, is one ModelFileError', () => {
    const nested = '{"className":"TimeDistributed","config":{"name":"t","layer":'.repeat(20_000);
    const deep = `{"name":"n","layers":[${nested}5${'}}'.repeat(20_000)}]}`.replace(
      '"name":"t"',
      '"name":"t","batchInputShape":[2]',
    );
    const bytes = edited(({ metadata }) => void (metadata.network = deep));
    expect(() => decodeStream(bytes)).toThrow(ModelFileError);
  });

  const attempt = (bytes: Uint8Array): void => {
    try {
      const stream = decodeStream(bytes, { batch: 2 });
      stream.step(new Float32Array(2 * stream.inputWidth));
    } catch (error) {
      if (!(error instanceof ModelFileError)) throw error;
    }
  };

  test('cut anywhere, throws ModelFileError', () => {
    const cut = (end: number): void => {
      expect(() => decodeStream(file.subarray(0, end))).toThrow(ModelFileError);
    };
    fc.assert(fc.property(fc.nat(file.length - 1), cut), { seed: 1, numRuns: 300 });
  });

  test('random bytes changed anywhere, throws nothing but ModelFileError', () => {
    fc.assert(fc.property(damaged(), attempt), { seed: 2, numRuns: 1000 });
  });

  test('any JSON in place of any part of its metadata, throws nothing but ModelFileError', () => {
    fc.assert(fc.property(misconfigured('network', 'vocabulary'), attempt), { seed: 3, numRuns: 1000 });
  });
});
