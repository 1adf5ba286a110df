// Convolutions of images against PyTorch's values and gradients. convolutions.py makes the numbers.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import { conv2d, conv2dTranspose, depthwiseConv2d } from '../../src/images.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { mul, sum } from '../../src/ops/index.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from './expect-close.ts';
import type { GoldenTensor } from './load.ts';

const layers = { conv2d, conv2dTranspose, depthwiseConv2d };

interface Case {
  layer: keyof typeof layers;
  options: object;
  x: GoldenTensor;
  weights: GoldenTensor[];
  y: GoldenTensor;
  dY: GoldenTensor;
  dX: GoldenTensor;
  dWeights: GoldenTensor[];
}

const { cases } = JSON.parse(readFileSync(new URL('convolutions.json', import.meta.url), 'utf8')) as { cases: Case[] };

const tensorOf = ({ values, shape }: GoldenTensor) => tensor(Float32Array.from(values), { shape });

function check({ layer: name, options, x: input, weights, y, dY, dX, dWeights }: Case): void {
  const layer: Layer = layers[name](options as never);
  layer.build(input.shape);
  expect(layer.weights.map(({ shape }) => shape)).toEqual(weights.map(({ shape }) => shape));
  layer.weights.forEach((weight, i) => weight.assign(weights[i]!.values));
  const x = tensorOf(input);
  const { grads } = valueAndGrad(() => {
    const made = layer(x);
    expectOutput('output', made.toArray(), y);
    return sum(mul(made, tensorOf(dY)));
  }, [x, ...layer.weights]);
  [dX, ...dWeights].forEach((gradient, i) => expectGradient(`gradient ${i}`, grads[i]!.toArray(), gradient));
}

describe.each(modes)('in %s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(cases.map((c) => [c.layer, JSON.stringify(c.options), c] as const))('%s %s matches PyTorch', (_, __, c) =>
    check(c),
  );
});
