// Stacks of bidirectional layers on sequences of unequal length, against PyTorch's packed sequences.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import type { Recurrent } from '../../src/layers/rnn/recurrent.ts';
import { add, mul, sum } from '../../src/ops/index.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

/** Row-major. */
interface Numbers {
  shape: number[];
  values: number[];
}

/** The gradients are those of Σ y·dY + Σ finalStates·dFinalStates. */
interface StackCase {
  cell: 'lstm' | 'lstmProjection' | 'gru';
  lengths: number[];
  /** `[B, T, I]` */
  x: Numbers;
  /** kernel, recurrentKernel, bias (and projection) of the lower layer forward, backward, then of the upper. */
  weights: Numbers[];
  /** `[B, T, 2H]`, 0 past a sequence's end. */
  y: Numbers;
  /** Of the upper layer, forward and then backward. */
  finalStates: Numbers[];
  dY: Numbers;
  dFinalStates: Numbers[];
  gradients: Numbers[];
  dX: Numbers;
}

const { cases } = JSON.parse(readFileSync(new URL('bidirectional.json', import.meta.url), 'utf8')) as {
  cases: StackCase[];
};

const units = 4;
const all = { returnSequences: true, returnState: true } as const;
const makers: Record<StackCase['cell'], () => Recurrent<Tensor[]>> = {
  lstm: () => lstm({ units, ...all }),
  lstmProjection: () => lstm({ units, projSize: 2, ...all }),
  gru: () => gru({ units, ...all }),
};

const make = ({ values, shape }: Numbers): Tensor => tensor(values, { shape });

describe('a stack of two bidirectional layers on sequences of unequal length', () => {
  test.each(cases)("of $cell, has PyTorch's outputs, states and gradients", (golden) => {
    const [lower, upper] = [0, 1].map(() => bidirectional(makers[golden.cell]()));
    const x = make(golden.x);
    const [, time] = golden.x.shape as [number, number];
    const mask = tensor(golden.lengths.map((length) => Array.from({ length: time }, (_, t) => Number(t < length))));
    const width = golden.y.shape.at(-1)!;
    lower!.build(golden.x.shape);
    upper!.build([null, null, width]);
    const weights = [...lower!.weights, ...upper!.weights];
    expect(weights.map(({ shape }) => shape)).toEqual(golden.weights.map(({ shape }) => shape));
    weights.forEach((weight, i) => weight.assign(golden.weights[i]!.values));
    const { grads } = valueAndGrad(() => {
      const [y, ...states] = upper!(lower!(x, { mask })[0]!);
      expectOutput('y', y!.toArray(), golden.y);
      states.forEach((state, i) => expectOutput(`state ${i}`, state.toArray(), golden.finalStates[i]!));
      return [y!, ...states]
        .map((each, i) => sum(mul(each, make([golden.dY, ...golden.dFinalStates][i]!))))
        .reduce((total, part) => add(total, part));
    }, [...weights, x]);
    [...golden.gradients, golden.dX].forEach((expected, i) => {
      expectGradient(weights[i]?.name ?? 'dX', grads[i]!.toArray(), expected);
    });
  });
});
