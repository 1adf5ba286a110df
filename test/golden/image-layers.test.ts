// Layers of images against PyTorch's values and gradients. image_layers.py makes the numbers.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import {
  averagePooling2d,
  batchNormalization,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  upSampling2d,
} from '../../src/images.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { mul, sum } from '../../src/ops/index.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from './expect-close.ts';
import type { GoldenTensor } from './load.ts';

const layers = {
  averagePooling2d,
  batchNormalization,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  upSampling2d,
};

interface Case {
  layer: keyof typeof layers;
  options: object;
  x: GoldenTensor;
  y: GoldenTensor;
  dY: GoldenTensor;
  dX: GoldenTensor;
  training?: boolean;
  /** In the order of our weights, before and after the call. */
  weights?: GoldenTensor[];
  after?: GoldenTensor[];
  dWeights?: GoldenTensor[];
}

const url = new URL('image-layers.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] };

function check({ layer: name, options, x: input, y, dY, dX, training = false, ...golden }: Case): void {
  const layer: Layer = layers[name](options);
  layer.build(input.shape);
  const { weights = [], after = [], dWeights = [] } = golden;
  expect(layer.weights.length).toBe(weights.length);
  layer.weights.forEach((weight, i) => weight.assign(weights[i]!.values));
  const x = tensor(Float32Array.from(input.values), { shape: input.shape });
  const { grads } = valueAndGrad(() => {
    const made = layer(x, { training });
    expectOutput('output', made.toArray(), y);
    return sum(mul(made, tensor(Float32Array.from(dY.values), { shape: dY.shape })));
  }, [x, ...layer.weights.slice(0, dWeights.length)]);
  expectGradient('gradient of x', grads[0]!.toArray(), dX);
  dWeights.forEach((dWeight, i) => expectGradient(`gradient of weight ${i}`, grads[i + 1]!.toArray(), dWeight));
  after.forEach((weight, i) => expectOutput(`weight ${i} afterwards`, layer.weights[i]!.toArray(), weight));
}

describe.each(modes)('layers of images in %s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(cases.map((c) => [`${c.layer} ${JSON.stringify(c.options)}${c.training ? ', training' : ''}`, c] as const))(
    "%s, is PyTorch's",
    (_, c) => check(c),
  );
});
