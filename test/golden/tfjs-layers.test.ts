// Stacks of layers against TF.js's own numbers: outputs and the gradient of every weight. Made by bench/peers/tfjs-layers.ts.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { bidirectional } from '../../src/layers/bidirectional.ts';
import { gruCell, lstmCell, simpleRnnCell } from '../../src/layers/built-in-cells.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import type { AnyLayer } from '../../src/layers/layer.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { masking } from '../../src/layers/masking.ts';
import { permute } from '../../src/layers/permute.ts';
import {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
} from '../../src/layers/pooling.ts';
import { gru, lstm, simpleRnn } from '../../src/layers/recurrent.ts';
import type { RecurrentCell } from '../../src/layers/recurrent-cell.ts';
import { repeatVector } from '../../src/layers/repeat-vector.ts';
import { flatten, reshape } from '../../src/layers/reshape.ts';
import { rnn } from '../../src/layers/rnn.ts';
import { Sequential } from '../../src/layers/sequential.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { mul, sum } from '../../src/ops/index.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

interface LayerSpec {
  kind: string;
  options?: Record<string, unknown>;
  layer?: LayerSpec;
  cells?: LayerSpec[];
}

interface Stack {
  name: string;
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

const golden = JSON.parse(readFileSync(new URL('tfjs-layers.json', import.meta.url), 'utf8')) as { stacks: Stack[] };

// biome-ignore lint/suspicious/noExplicitAny: options come from the file.
const makers: Record<string, (options: any) => unknown> = {
  ...{ averagePooling1d, conv1d, dense, embedding, flatten, globalAveragePooling1d, globalMaxPooling1d, gru, lstm },
  ...{ layerNormalization, lstmCell, masking, maxPooling1d, permute, repeatVector, reshape, gruCell },
  simpleRNN: simpleRnn,
  simpleRNNCell: simpleRnnCell,
};

function make({ kind, options = {}, layer, cells }: LayerSpec): AnyLayer {
  if (kind === 'bidirectional') return bidirectional(make(layer!) as never, options) as AnyLayer;
  if (kind === 'timeDistributed') return timeDistributed(make(layer!), options);
  if (kind === 'rnn')
    return rnn(
      cells!.map((cell) => make(cell) as unknown as RecurrentCell),
      options,
    );
  return makers[kind]!(options) as AnyLayer;
}

describe("TF.js's numbers", () => {
  test.each(golden.stacks.map((stack) => [stack.name, stack] as const))('%s, are ours', (_, stack) => {
    const model = new Sequential(stack.layers.map(make));
    model.build(stack.shape);
    expect(model.weights.map(({ shape }) => shape)).toEqual(stack.weights.map(({ shape }) => shape));
    model.weights.forEach((weight, i) => weight.assign(stack.weights[i]!.values));
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
});
