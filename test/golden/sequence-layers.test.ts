// The layers of `tapeloop/sequences` against PyTorch, in float64 there: outputs, and the gradients of inputs and
// weights.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, test } from 'vitest';
import * as t from '../../src/index.ts';
import * as s from '../../src/sequences.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

/** Row-major. */
interface Numbers {
  shape: number[];
  values: number[];
}

/** `sequence_layers.py` says how each is computed. */
interface LayerCase {
  layer: 'layerNormLstm' | 'layerNormGru' | 'multiHeadAttention';
  options: never;
  inputs: Numbers[];
  /** In the order of the layer. */
  weights: Numbers[];
  outputs: Numbers[];
  dOutputs: Numbers[];
  dInputs: Numbers[];
  dWeights: Numbers[];
  /** Which values a query may read, `[B, Tv]`. */
  keyMask?: number[][];
  attentionMask?: Numbers;
}

interface MixtureCase {
  options: s.MixtureDensityLossOptions;
  yTrue: Numbers;
  yPred: Numbers;
  values: Numbers;
  /** Of the mean of the values. */
  dYPred: Numbers;
}

const golden = JSON.parse(readFileSync(new URL('sequence-layers.json', import.meta.url), 'utf8')) as {
  layers: LayerCase[];
  mixtures: MixtureCase[];
};
const layers = { ...s };
const make = ({ values, shape }: Numbers): t.Tensor => t.tensor(values, { shape });

describe.each(modes)('in %s mode', (mode) => {
  beforeAll(async () => {
    await t.init({ mode });
  });

  test.each(golden.layers.map((c) => [c.layer, JSON.stringify(c.options), c] as const))('%s of %s', (name, _, c) => {
    const layer = layers[name](c.options) as unknown as t.AnyLayer;
    const inputs = c.inputs.map(make);
    if (c.keyMask) inputs[1]!.mask = t.tensor(c.keyMask);
    const mask = c.attentionMask ? [inputs[1]!, make(c.attentionMask)] : [];
    const x = name === 'multiHeadAttention' ? [...inputs, ...mask] : inputs[0]!;
    layer(x);
    layer.weights.forEach((weight, i) => weight.assign(c.weights[i]!.values, c.weights[i]!.shape));
    const leaves = [...inputs, ...layer.weights];
    let outputs: t.Tensor[] = [];
    const { grads } = t.valueAndGrad(() => {
      outputs = layer(x) as unknown as t.Tensor[];
      outputs.forEach((y, i) => expectOutput(`output ${i}`, y.toArray(), c.outputs[i]!));
      return outputs
        .map((y, i) => t.ops.sum(t.ops.mul(y, make(c.dOutputs[i]!))))
        .reduce((sum, each) => t.ops.add(sum, each));
    }, leaves);
    grads.forEach((grad, i) => {
      const wanted = c.dInputs[i] ?? c.dWeights[i - c.dInputs.length]!;
      expectGradient(leaves[i] instanceof t.Parameter ? leaves[i].name : `input ${i}`, grad.toArray(), wanted);
    });
  });

  test.each(golden.mixtures.map((c) => [JSON.stringify(c.options), c] as const))('mixture of %s', (_, c) => {
    const loss = s.mixtureDensityLoss(c.options);
    const [y, p] = [make(c.yTrue), make(c.yPred)];
    expectOutput('values', loss.values!(y, p).toArray(), c.values);
    const { grads } = t.valueAndGrad(() => loss.compute(y, p), [p]);
    expectGradient('dYPred', grads[0]!.toArray(), c.dYPred);
  });
});
