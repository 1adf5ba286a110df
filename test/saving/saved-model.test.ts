import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { meanSquaredError, sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { auc, sparseTopKCategoricalAccuracy } from '../../src/metrics/index.ts';
import { type Model, model, sequential } from '../../src/models/model.ts';
import { adadelta, adagrad, adam, adamax, adamw, lion, nadam, rmsprop, sgd } from '../../src/optimizers/index.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import { cosineDecay, linearWarmup, piecewiseConstantDecay } from '../../src/optimizers/schedules/index.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { firstDifference } from '../train/first-difference.ts';
import { modelOf, oneLstm, type Stack, TIME, trained, trainSome } from './saved-model-cases.ts';

describe('encodeModel and decodeModel', () => {
  test.each<[string, Stack]>([
    ['lstm', oneLstm],
    ['lstm without bias', (options) => [lstm({ ...options, useBias: false }) as Layer]],
    ['gru, reset after', (options) => [gru(options) as Layer]],
    ['gru, reset before', (options) => [gru({ ...options, resetAfter: false }) as Layer]],
    ['simpleRnn', (options) => [simpleRnn(options) as Layer]],
    ['simpleRnn, relu', (options) => [simpleRnn({ ...options, activation: 'relu' }) as Layer]],
    ['dropout', (options) => [dropout({ rate: 0.3 }), lstm(options) as Layer, dropout({ rate: 0.5 })]],
    ['two layers', (options) => [lstm(options) as Layer, gru({ ...options, units: 4 }) as Layer]],
    ['dense with activation', (options) => [lstm(options) as Layer, dense({ units: 4, activation: 'tanh' })]],
    [
      'lstm of all options',
      (options) => [
        lstm({ ...options, peephole: true, checkpointEvery: 2, dropout: 0.2, recurrentDropout: 0.3 }) as Layer,
        lstm({ ...options, projSize: 2, kernelRegularizer: 'l2', activityRegularizer: { l1: 0.01 } }) as Layer,
        lstm({ ...options, activation: 'relu', recurrentActivation: 'hardSigmoid' }) as Layer,
      ],
    ],
    [
      'bidirectional',
      (options) => [bidirectional(gru(options), { mergeMode: 'sum' }) as Layer, bidirectional(lstm(options)) as Layer],
    ],
    [
      'bidirectional with another layer backwards',
      (options) => [
        bidirectional(lstm(options), { backwardLayer: gru({ ...options, units: 4, goBackwards: true }) }) as Layer,
      ],
    ],
    [
      'rnn of stacked cells',
      ({ units: _, ...options }) => [
        rnn([lstmCell({ units: 4, dropout: 0.2 }), gruCell({ units: 3 })], options) as Layer,
      ],
    ],
    [
      'timeDistributed, normalization, convolution',
      () => [
        timeDistributed(dense({ units: 4 })),
        layerNormalization(),
        conv1d({ filters: 3, kernelSize: 2, padding: 'causal' }),
      ],
    ],
    ['frozen layer', (options) => [lstm({ ...options, trainable: false }) as Layer]],
  ])('%s, stateful or not, trains on bit for bit', (_, stack) => {
    for (const stateful of [true, false]) {
      const model = modelOf(stack, { stateful });
      trainSome(model, 1);
      const bytes = encodeModel(model);
      const { model: loaded } = decodeModel(bytes);
      expect(firstDifference(encodeModel(loaded), bytes)).toBe(-1);
      expect(loaded.summary()).toBe(model.summary());
      expect(trainSome(loaded, 2)).toEqual(trainSome(model, 2));
      expect(firstDifference(encodeModel(loaded), encodeModel(model))).toBe(-1);
    }
  });

  test.each<[string, () => Optimizer]>([
    ['sgd', () => sgd({ learningRate: 0.1 })],
    ['sgd with momentum', () => sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, clipValue: 0.01 })],
    ['rmsprop', () => rmsprop({ learningRate: 0.01 })],
    ['rmsprop, centered', () => rmsprop({ momentum: 0.5, centered: true, epsilon: 1e-5, clipNorm: 0.1 })],
    ['adam', () => adam({ learningRate: 0.01, beta1: 0.8, globalClipNorm: 0.1 })],
    ['adamw', () => adamw({ learningRate: 0.01, weightDecay: 0.1 })],
    ['adagrad', () => adagrad({ learningRate: 0.01, initialAccumulatorValue: 0.2 })],
    ['adam, amsgrad', () => adam({ learningRate: 0.01, beta2: 0.5, amsgrad: true })],
    ['nadam', () => nadam({ learningRate: 0.01, weightDecay: 0.1, excludeFromWeightDecay: ['bias'] })],
    ['adamax', () => adamax({ learningRate: 0.01 })],
    ['lion', () => lion({ learningRate: 0.01 })],
    ['adadelta', () => adadelta({ learningRate: 1 })],
    // Three steps before saving: in the middle of an accumulation.
    ['accumulating two gradients', () => nadam({ learningRate: 0.01, gradientAccumulationSteps: 2 })],
    ['with averages', () => adam({ learningRate: 0.01, useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 2 })],
    [
      'of a schedule',
      () => {
        const after = cosineDecay({ initialLearningRate: 0.1, decaySteps: 3, alpha: 0.1 });
        return adamw({ learningRate: linearWarmup({ warmupSteps: 2, after }), useEma: true });
      },
    ],
    [
      'of a schedule of lists, accumulating',
      () => {
        const learningRate = piecewiseConstantDecay({ boundaries: [1, 4], values: [0.1, 0.01, 0.001] });
        return rmsprop({ learningRate, gradientAccumulationSteps: 2, useEma: true });
      },
    ],
  ])('optimizer %s, trains on bit for bit', (_, make) => {
    const model = modelOf(oneLstm, { optimizer: make() });
    trainSome(model, 1);
    const { model: loaded } = decodeModel(encodeModel(model));
    expect(loaded.optimizer.config()).toEqual(model.optimizer.config());
    expect(loaded.optimizer.steps).toBe(3);
    expect(trainSome(loaded, 2)).toEqual(trainSome(model, 2));
    expect(firstDifference(encodeModel(loaded), encodeModel(model))).toBe(-1);
  });

  test('learning rate changed after compile, is kept', () => {
    const model = trained();
    model.optimizer.learningRate = 0.125;
    expect(decodeModel(encodeModel(model)).model.optimizer.learningRate).toBe(0.125);
  });

  test('fit with shuffling, goes on in the order it would have had', async () => {
    const build = () => {
      setSeed(3);
      const model = sequential([lstm({ units: 3, inputShape: [TIME, 2] }), dense({ units: 1 })]);
      model.compile({ optimizer: 'adam', loss: meanSquaredError(), metrics: ['meanAbsoluteError'] });
      return model;
    };
    const random = new RandomStream(5);
    const x = ndarray(
      Float32Array.from({ length: 12 * TIME * 2 }, () => random.nextNormal()),
      [12, TIME, 2],
    );
    const y = ndarray(
      Float32Array.from({ length: 12 }, () => random.nextNormal()),
      [12, 1],
    );
    const model = build();
    await model.fit(x, y, { epochs: 2, batchSize: 4 });
    const { model: loaded } = decodeModel(encodeModel(model));
    const [a, b] = [await model.fit(x, y, { batchSize: 4 }), await loaded.fit(x, y, { batchSize: 4 })];
    expect(b.history).toEqual(a.history);
  });

  test('vocabulary that is no list of strings and extra that JSON cannot hold, are refused before a file is made', () => {
    const inItself: Record<string, unknown> = {};
    inItself.self = inItself;
    for (const extra of [inItself, () => 1, { big: 1n }]) {
      expect(() => encodeModel(trained(), { extra: extra as never })).toThrow(
        'extra expected what JSON can hold, got ',
      );
    }
    for (const vocabulary of ['abc', ['a', 5]]) {
      expect(() => encodeModel(trained(), { vocabulary: vocabulary as never })).toThrow(/^vocabulary.* expected /);
    }
  });

  test('names, vocabulary and extra, come back as they were', () => {
    const model = sequential([embedding({ inputDim: 2, outputDim: 2, name: '__proto__' }), dense({ units: 2 })], {
      name: 'naïve "model"',
    });
    const extras = { vocabulary: ['\n', '😀'], extra: { a: [1, null, 'ü'], __proto: true } };
    const { model: loaded, ...rest } = decodeModel(encodeModel(model, extras));
    expect(rest).toEqual(extras);
    expect(loaded.name).toBe('naïve "model"');
    expect(loaded.weights.map((weight) => weight.name)).toEqual(model.weights.map((weight) => weight.name));
    expect(loaded.isCompiled).toBe(false);
  });

  test('bytes, are those of the caller: a later change does not reach the model', () => {
    const bytes = encodeModel(trained());
    const { model } = decodeModel(bytes);
    const before = encodeModel(model);
    bytes.fill(0);
    expect(firstDifference(encodeModel(model), before)).toBe(-1);
  });

  test('a model with a layer that is listed and never called, names the layer', async () => {
    const layers = { used: dense({ units: 1 }), idle: dense({ units: 3 }) };
    const partly = model({ layers, inputs: { shape: [2] } }, (x, { used }) => used(x));
    partly.compile({ optimizer: 'sgd', loss: 'mse' });
    await partly.fit([[1, 2]], [[1]], { verbose: 0 });
    const message = "model: expected a built model to save; its layer 'idle' was never called";
    expect(() => encodeModel(partly)).toThrow(message);
  });

  test('model that has seen no input, is refused', () => {
    const model = sequential([dense({ units: 1 })]);
    expect(() => encodeModel(model)).toThrow(
      new ArgumentError(`sequential: expected a built model to save; it has not seen an input yet`),
    );
  });

  test('loss and metrics with options, come back as they were', () => {
    const model = trained();
    const { optimizer } = model;
    const loss = sparseCategoricalCrossentropy({ fromLogits: true, ignoreClass: 2 });
    const metrics = [
      'acc',
      'perplexity',
      sparseTopKCategoricalAccuracy({ k: 2 }),
      auc({ name: 'area', curve: 'PR' }),
    ] as const;
    model.compile({ optimizer, loss, metrics, weightedMetrics: ['acc', auc()], lossWeights: 0.5 });
    const { model: loaded } = decodeModel(encodeModel(model));
    const configs = ({ trainer }: Model) =>
      trainer.objective.heads
        .flatMap((head) => [...head.metrics, ...head.weightedMetrics])
        .map((each) => each.config!());
    expect(JSON.parse(JSON.stringify(configs(loaded)))).toEqual(JSON.parse(JSON.stringify(configs(model))));
    expect(loaded.trainer.compiled.objective.heads[0]!.loss.config!()).toEqual(loss.config!());
    const [x, y] = [
      [
        [0, 1, 2, 3],
        [4, 0, 1, 2],
        [1, 1, 1, 1],
      ],
      [
        [1, 2, 3, 4],
        [0, 1, 2, 2],
        [1, 1, 1, 2],
      ],
    ];
    const options = { sampleWeight: [1, 0.5, 3] };
    expect(loaded.evaluate(x, y, options)).toEqual(model.evaluate(x, y, options));
    expect(firstDifference(encodeModel(loaded), encodeModel(model))).toBe(-1);
  });

  test('one loss of weight 1 and no weighted metrics, take no place in the file', () => {
    const training = (model: Model) => JSON.parse(decodeSafetensors(encodeModel(model)).metadata.training!);
    const model = trained();
    expect(Object.keys(training(model))).toEqual(['loss', 'metrics', 'optimizer', 'iterations', 'shuffle']);
  });

  test('number that is not finite, is refused when saving', () => {
    const model = trained();
    const { tensor } = model.weights[0]!;
    tensor.set(new Float32Array(tensor.size).fill(Number.POSITIVE_INFINITY));
    expect(() => encodeModel(model)).toThrow('embedding/embeddings expected finite numbers, got Infinity at 0');
  });
});
