import { beforeAll, describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import type { Cell } from '../../src/cells/cell.ts';
import { gruAfterCell, gruBeforeCell } from '../../src/cells/gru.ts';
import { lstmCell } from '../../src/cells/lstm.ts';
import { rnnCells } from '../../src/cells/rnn.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';
import { add, mul } from '../../src/ops/elementwise/elementwise.ts';
import { embed } from '../../src/ops/embedding.ts';
import { linear } from '../../src/ops/products/linear.ts';
import { type RecurrenceResult, recurrence } from '../../src/ops/recurrence.ts';
import { sum } from '../../src/ops/reduce.ts';
import { softmaxCrossEntropy } from '../../src/ops/softmax.ts';
import { adam } from '../../src/optimizers/index.ts';
import { expectGradient, expectOutput } from './expect-close.ts';
import { GOLDEN_CELLS, type GoldenCell, type GoldenStates, type GoldenTensor, loadGolden } from './load.ts';

const cells: Record<GoldenCell, Cell> = {
  lstm: lstmCell,
  gruAfter: gruAfterCell,
  gruBefore: gruBeforeCell,
  rnnTanh: rnnCells.tanh,
  rnnRelu: rnnCells.relu,
};

const ofGolden = ({ values, shape }: GoldenTensor, name = 'golden'): Tensor => tensor(values, { shape, name });
const statesOf = (states: GoldenStates): Tensor[][] => states.map((layer) => layer.map((state) => ofGolden(state)));

function parametersOf(golden: Record<string, GoldenTensor>): Record<string, Parameter> {
  return Object.fromEntries(
    Object.entries(golden).map(([name, { shape, values }]) => [name, new Parameter(name, shape, values)]),
  );
}

/** The stack of a golden case: every layer's result, the last one's outputs last. */
function stack(cell: Cell, x: Tensor, p: Record<string, Parameter>, initial: Tensor[][]): RecurrenceResult[] {
  const results: RecurrenceResult[] = [];
  let input = x;
  for (const [n, initialState] of initial.entries()) {
    const weights = {
      kernel: p[`layer${n}/kernel`]!,
      recurrentKernel: p[`layer${n}/recurrentKernel`]!,
      bias: p[`layer${n}/bias`]!,
    };
    results.push(recurrence(cell, input, weights, { initialState }));
    input = results.at(-1)!.outputs!;
  }
  return results;
}

const weigh = (x: Tensor, by: GoldenTensor): Tensor => sum(mul(x, ofGolden(by)));

for (const mode of hostHasRelaxedSimd() ? (['fast', 'reproducible'] as const) : (['reproducible'] as const)) {
  describe(`engine in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });
    for (const name of GOLDEN_CELLS) {
      const golden = loadGolden(name);
      const cell = cells[name];

      describe(name, () => {
        for (const g of golden.layers) {
          test(`layers ${g.name}, outputs and all gradients match PyTorch`, () => {
            const p = parametersOf(g.parameters);
            const x = ofGolden(g.x, 'x');
            const initial = statesOf(g.initialStates);
            const seen: { results: { y: ArrayLike<number>; states: ArrayLike<number>[][] } }[] = [];
            const wrt = [...Object.values(p), x, ...initial.flat()];
            const { grads } = valueAndGrad(() => {
              const results = stack(cell, x, p, initial);
              const states = results.map((result) => result.states.map((state) => state.toArray()));
              seen.push({ results: { y: results.at(-1)!.outputs!.toArray(), states } });
              let loss = weigh(results.at(-1)!.outputs!, g.dY);
              results.forEach((result, n) => {
                result.states.forEach((state, s) => {
                  loss = add(loss, weigh(state, g.dFinalStates[n]![s]!));
                });
              });
              return loss;
            }, wrt);
            const { y, states } = seen[0]!.results;
            expectOutput('y', y, g.y);
            states.forEach((layer, n) => {
              layer.forEach((state, s) => expectOutput(`state ${n} ${s}`, state, g.finalStates[n]![s]!));
            });
            const names = Object.keys(p);
            names.forEach((key, i) => expectGradient(key, grads[i]!.toArray(), g.gradients[key]!));
            expectGradient('dX', grads[names.length]!.toArray(), g.dX);
            const dInitial = grads.slice(names.length + 1);
            g.dInitialStates
              .flat()
              .forEach((state, i) => expectGradient(`dInitial ${i}`, dInitial[i]!.toArray(), state));
          });

          test(`layers ${g.name}, inference gives the outputs of training to the bit`, () => {
            const p = parametersOf(g.parameters);
            const initial = statesOf(g.initialStates);
            const run = (): ArrayLike<number> => stack(cell, ofGolden(g.x), p, initial).at(-1)!.outputs!.toArray();
            let training: ArrayLike<number> = [];
            valueAndGrad(() => {
              const y = stack(cell, ofGolden(g.x), p, initial).at(-1)!.outputs!;
              training = y.toArray();
              return sum(y);
            }, Object.values(p));
            expect(engine().step(run)).toEqual(training);
          });
        }

        for (const g of golden.models) {
          test(`model ${g.name}, loss, all gradients and ten Adam steps match PyTorch`, () => {
            const p = parametersOf(g.parameters);
            const parameters = Object.values(p);
            const initial = statesOf(g.initialStates);
            const targets = tensor(g.targets.values, { shape: g.targets.shape, dtype: 'i32' });
            const forward = (): Tensor => {
              const x = g.tokens
                ? embed(tensor(g.tokens.values, { shape: g.tokens.shape, dtype: 'i32' }), p.embedding!)
                : ofGolden(g.x!);
              const y = stack(cell, x, p, initial).at(-1)!.outputs!;
              return softmaxCrossEntropy(linear(y, p['dense/kernel']!, p['dense/bias']!), targets);
            };
            const { learningRate, beta1, beta2, epsilon, steps, losses } = g.adam;
            const optimizer = adam({ learningRate, beta1, beta2, epsilon });
            for (let step = 0; step < steps; step++) {
              engine().step(() => {
                const { value, grads } = valueAndGrad(forward, parameters);
                expectOutput(`loss of step ${step}`, [value], { shape: [], values: [losses[step]!] });
                if (step === 0) {
                  parameters.forEach(({ name }, i) => expectGradient(name, grads[i]!.toArray(), g.gradients[name]!));
                }
                optimizer.apply(parameters, grads);
              });
            }
            for (const { name, tensor: value } of parameters) {
              expectGradient(`${name} after ${steps} steps`, value.toArray(), g.adam.parameters[name]!);
            }
          });
        }
      });
    }
  });
}
