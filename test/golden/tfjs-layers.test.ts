// Stacks of layers against TF.js's own numbers: outputs and the gradient of every weight. Made by
// bench/peers/tfjs-layers.ts.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { conv2d, conv2dTranspose, convLstm2d, depthwiseConv2d, separableConv2d } from '../../src/images.ts';
import type { AnyLayer } from '../../src/layers/base/layer.ts';
import { Sequential } from '../../src/layers/base/sequential.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { masking } from '../../src/layers/masking.ts';
import { permute } from '../../src/layers/permute.ts';
import {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
} from '../../src/layers/pooling.ts';
import { repeatVector } from '../../src/layers/repeat-vector.ts';
import { flatten, reshape } from '../../src/layers/reshape.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import type { RecurrentCell } from '../../src/layers/rnn/cells/cell.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn, simpleRnnCell } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { Model } from '../../src/models/model.ts';
import { mul, sum } from '../../src/ops/index.ts';
import { adam } from '../../src/optimizers/index.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

interface LayerSpec {
  kind: string;
  options?: Record<string, unknown>;
  layer?: LayerSpec;
  cells?: LayerSpec[];
}

interface Stack {
  name: string;
  /** What the guide says to write here for TF.js's defaults. */
  here?: Record<string, unknown>;
  shape: number[];
  idsBelow?: number;
  layers: LayerSpec[];
  x: number[];
  /** In the order of our layers' weights. */
  weights: { shape: number[]; values: number[] }[];
  y: { shape: number[]; values: number[] };
  dY: number[];
  gradients: number[][];
}

/**
 * Five steps on x by `compile({ optimizer, loss: 'meanSquaredError' })`: the loss before each, and the weights after
 * the last.
 */
interface Training extends Stack {
  optimizer: 'sgd' | 'rmsprop' | 'adam';
  targets: number[];
  losses: number[];
  trained: number[][];
}

const golden = JSON.parse(readFileSync(new URL('tfjs-layers.json', import.meta.url), 'utf8')) as { stacks: Stack[] };

// biome-ignore lint/suspicious/noExplicitAny: options come from the file.
const makers: Record<string, (options: any) => unknown> = {
  averagePooling1d,
  conv1d,
  conv2d,
  conv2dTranspose,
  convLstm2d,
  depthwiseConv2d,
  separableConv2d,
  dense,
  embedding,
  flatten,
  globalAveragePooling1d,
  globalMaxPooling1d,
  gru,
  lstm,
  layerNormalization,
  lstmCell,
  masking,
  maxPooling1d,
  permute,
  repeatVector,
  reshape,
  gruCell,
  simpleRNN: simpleRnn,
  simpleRNNCell: simpleRnnCell,
};

function make({ kind, options = {}, layer, cells }: LayerSpec, here: object = {}): AnyLayer {
  if (kind === 'bidirectional') return bidirectional(make(layer!, here) as never, options) as AnyLayer;
  if (kind === 'timeDistributed') return timeDistributed(make(layer!, here), options);
  if (kind === 'rnn')
    return rnn(
      cells!.map((cell) => make(cell, here) as unknown as RecurrentCell),
      options,
    );
  const isMeant = /lstm|gru/i.test(kind) || 'activation' in here;
  return makers[kind]!({ ...options, ...(isMeant && here) }) as AnyLayer;
}

/** With the golden weights. */
function built({ layers, here, shape, weights }: Stack): Sequential {
  const network = new Sequential(layers.map((layer) => make(layer, here)));
  network.build(shape);
  expect(network.weights.map((weight) => weight.shape)).toEqual(weights.map((weight) => weight.shape));
  network.weights.forEach((weight, i) => weight.assign(weights[i]!.values));
  return network;
}

describe("TF.js's numbers", () => {
  test.each(golden.stacks.map((stack) => [stack.name, stack] as const))('%s, are ours', (_, stack) => {
    const model = built(stack);
    const x = tensor(stack.x, { shape: stack.shape, dtype: stack.idsBelow ? 'i32' : 'f32' });
    const { grads } = valueAndGrad(() => {
      const y: Tensor = model(x);
      expectOutput('y', y.toArray(), stack.y);
      return sum(mul(y, tensor(stack.dY, { shape: stack.y.shape })));
    }, model.weights);
    model.weights.forEach(({ name, shape }, i) => {
      expectGradient(`gradient of ${name}`, grads[i]!.toArray(), { shape: [...shape], values: stack.gradients[i]! });
    });
  });

  const trainings = golden.stacks.filter((stack): stack is Training => 'optimizer' in stack);
  test.each(trainings.map((stack) => [stack.name, stack] as const))(
    '%s, makes the same five steps',
    async (_, stack) => {
      const model = new Model(built(stack));
      // TF.js's Adam adds epsilon to the corrected root: the same numbers where it is too small to count.
      const optimizer = stack.optimizer === 'adam' ? adam({ epsilon: 1e-12 }) : stack.optimizer;
      model.compile({ optimizer, loss: 'meanSquaredError' });
      const [x, y] = [
        ndarray(Float32Array.from(stack.x), stack.shape),
        ndarray(Float32Array.from(stack.targets), stack.y.shape),
      ];
      const { history } = await model.fit(x, y, { epochs: 5, batchSize: stack.shape[0]!, shuffle: false });
      expectOutput('loss', history.loss!, { shape: [5], values: stack.losses });
      model.weights.forEach(({ name, shape }, i) => {
        expectGradient(`${name} after five steps`, model.weights[i]!.toArray(), {
          shape: [...shape],
          values: stack.trained[i]!,
        });
      });
    },
  );

  test.each([
    ['lstm', 0.96368, 0.95851],
    ['gru', 0.29444, 0.34668],
  ])('of ones, as its own tests have it, %s is %d by its defaults, and not what ours give', (kind, theirs, ours) => {
    const stack = golden.stacks.find(({ name }) => name === `${kind} by default, of ones`)!;
    const x = tensor(stack.x, { shape: stack.shape });
    expect(stack.y.values[0]).toBeCloseTo(theirs, 5);
    expect(built(stack)(x).toArray()[0]).toBeCloseTo(theirs, 5);
    const { recurrentActivation: _, ...reset } = stack.here!;
    expect(built({ ...stack, here: reset })(x).toArray()[0]).toBeCloseTo(ours, 4);
  });
});
