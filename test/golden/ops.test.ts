// Ops against PyTorch's values and gradients. ops.py makes the numbers.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import { type ActivationName, activation } from '../../src/layers/activations/activations.ts';
import * as ops from '../../src/ops/index.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from './expect-close.ts';
import type { GoldenTensor } from './load.ts';

interface OpCase {
  op: 'activation' | 'layerNorm' | 'conv1d' | 'batchMatmul' | 'attention' | 'logSumExp' | 'max';
  options: { name?: string; axis?: number; epsilon?: number; scale?: number } & ops.Conv1dOptions &
    ops.BatchMatmulOptions;
  inputs: GoldenTensor[];
  output: GoldenTensor;
  dOutput: GoldenTensor;
  gradients: GoldenTensor[];
}

const url = new URL('ops.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: OpCase[] };

/** Activations that are no name of a layer, or have another parameter than the name's. */
const others: Record<string, (x: Tensor) => Tensor> = { celu: (x) => ops.celu(x, 2), glu: ops.glu };

function run({ op, options }: OpCase, [a, b, c]: Tensor[]): Tensor {
  switch (op) {
    case 'activation':
      return (others[options.name!] ?? activation(options.name as ActivationName))(a!);
    case 'layerNorm':
      return ops.layerNorm(a!, b, c, { epsilon: options.epsilon! });
    case 'conv1d':
      return ops.conv1d(a!, b!, c, options);
    case 'batchMatmul':
      return ops.batchMatmul(a!, b!, options);
    case 'attention':
      return ops.attention(a!, b!, c!, { scale: options.scale! }).outputs;
    case 'logSumExp':
      return ops.logSumExp(a!, options);
    case 'max':
      return ops.max(a!, options);
  }
}

for (const mode of modes) {
  describe(`ops in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });

    test.each(cases.map((c) => [`${c.op} ${JSON.stringify(c.options)} of [${c.inputs[0]!.shape}]`, c] as const))(
      '%s, value and gradients match PyTorch',
      (_, c) => {
        const inputs = c.inputs.map(({ values, shape }) => tensor(values, { shape }));
        const { grads } = valueAndGrad(() => {
          const y = run(c, inputs);
          expect(y.shape).toEqual(c.output.shape);
          expectOutput('output', y.toArray(), c.output);
          return ops.sum(ops.mul(y, tensor(c.dOutput.values, { shape: c.dOutput.shape })));
        }, inputs);
        grads.forEach((grad, i) => expectGradient(`gradient ${i}`, grad.toArray(), c.gradients[i]!));
      },
    );
  });
}
