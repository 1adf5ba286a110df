// Subnormal numbers, for which many processors take some 150 cycles an operation: how many remain, and the time of a
// step with them beside one that meets none. The counts are the same on every host, the times are not.

import { Parameter } from '../../src/autograd/parameter.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { uniform } from '../../src/bench/models/numbers.ts';
import { ndarray } from '../../src/data/array.ts';
import type { Kernels, Ptr } from '../../src/engine/abi.ts';
import type { Engine as LibraryEngine } from '../../src/engine/engine.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import type { RecurrentOptions } from '../../src/layers/rnn/keras-recurrent.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { sequential } from '../../src/models/model.ts';
import { optimizers } from '../../src/optimizers/all.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import { type SuiteContext, timeInTurns } from '../suite.ts';
import { use } from './models.ts';

type Counts = Record<string, number>;

/** What is timed, and what remains subnormal, by its name. */
interface Variant {
  task(): unknown;
  count(): Counts;
}

const STEPS = 2000;
const LEAST = 2 ** -126;
const subnormals = (x: Float32Array): number =>
  x.reduce((sum, value) => sum + +(value !== 0 && Math.abs(value) < LEAST), 0);

/**
 * Buffers of the kernels of cells: the number of the argument, and its floats for each row and unit. dh is as a product
 * left it; the kernels read its subnormal numbers as zeros. The others are what the kernels write.
 */
const watched: Partial<Record<keyof Kernels, Record<string, readonly [argument: number, floats: number]>>> = {
  lstm_forward: { c: [6, 1], h: [7, 1] },
  lstm_backward: { dGates: [4, 4], dh: [7, 1], dc: [8, 1] },
  gru_after_forward: { h: [6, 1] },
  gru_after_backward: { dGates: [2, 3], dq: [3, 1], dh: [5, 1] },
  gru_before_output: { h: [4, 1] },
  gru_before_output_backward: { dh: [4, 1] },
  gru_before_gates_backward: { dGates: [2, 3] },
  rnn_forward: { h: [3, 1] },
  rnn_backward: { dh: [3, 1], dGates: [4, 1] },
};

/** Runs `body` and counts in the buffers of `watched`, over all time steps. */
function observe(engine: LibraryEngine, body: () => unknown): Counts {
  const plain = engine.kernels;
  const counts: Counts = {};
  const observed = { ...plain };
  for (const [kernel, buffers] of Object.entries(watched) as [
    keyof Kernels,
    NonNullable<(typeof watched)['rnn_forward']>,
  ][]) {
    const run = plain[kernel] as (...given: number[]) => void;
    observed[kernel] = ((...given: number[]) => {
      run(...given);
      // The first argument of a simple RNN is the number of elements, the second its activation.
      const elements = kernel.startsWith('rnn') ? given[0]! : given[0]! * given[1]!;
      for (const [name, [argument, floats]] of Object.entries(buffers)) {
        counts[name] = (counts[name] ?? 0) + subnormals(engine.f32(given[argument]! as Ptr, elements * floats));
      }
    }) as never;
  }
  engine.kernels = observed;
  try {
    body();
  } finally {
    engine.kernels = plain;
  }
  return counts;
}

const cells: Record<string, (options: RecurrentOptions) => unknown> = {
  lstm,
  'lstm, peephole': (options) => lstm({ ...options, peephole: true }),
  'gru, reset after': gru,
  'gru, reset before': (options) => gru({ ...options, resetAfter: false }),
  'simple rnn, tanh': simpleRnn,
  'simple rnn, relu': (options) => simpleRnn({ ...options, activation: 'relu' }),
};

const [BATCH, TIME, INPUTS, UNITS] = [8, 1000, 16, 64];

/** A training step over 1,000 time steps with a loss on the last one, or on all. Weights are the defaults. */
function training(engine: LibraryEngine, cell: string, returnSequences: boolean): Variant {
  const layer = cells[cell]!({ units: UNITS, returnSequences, inputShape: [TIME, INPUTS] }) as Layer;
  const model = sequential([layer, dense({ units: 1 })]);
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  const x = ndarray(uniform(1, BATCH * TIME * INPUTS, 1), [BATCH, TIME, INPUTS]);
  const y = returnSequences
    ? ndarray(uniform(2, BATCH * TIME, 1), [BATCH, TIME, 1])
    : ndarray(uniform(2, BATCH, 1), [BATCH, 1]);
  const task = () => model.trainOnBatch(x, y);
  return { task, count: () => observe(engine, task) };
}

const rules: Record<string, () => Optimizer> = {
  ...optimizers,
  'sgd, momentum': () => optimizers.sgd({ momentum: 0.9 }),
  'adam, amsgrad': () => optimizers.adam({ amsgrad: true }),
  'rmsprop, centered, momentum': () => optimizers.rmsprop({ centered: true, momentum: 0.9 }),
};
const PARAMETERS = 2 ** 14;

/** Updates after one gradient, by zeros or by that gradient again. */
function update(engine: LibraryEngine, rule: string, zero: boolean): Variant {
  const optimizer = rules[rule]!();
  const parameter = new Parameter('p', [PARAMETERS], uniform(1, PARAMETERS, 1));
  const gradient = tensor(uniform(2, PARAMETERS, 1), { shape: [PARAMETERS] });
  const task = () => engine.step(() => optimizer.apply([parameter], [gradient]));
  task();
  if (zero) gradient.set(new Float32Array(PARAMETERS));
  for (let i = 0; i < STEPS; i++) task();
  return {
    task,
    count() {
      const slots = optimizer.state([parameter]);
      return Object.fromEntries(
        [...slots].map(([name, slot]) => [name.slice(2), subnormals(slot.toArray() as Float32Array)]),
      );
    },
  };
}

/** Steps of a stream after some noise: of silence, or of more noise. */
function stream(cell: string, weights: 'float32' | 'int8', silent: boolean): Variant {
  const layer = cells[cell]!({ units: 2 * UNITS, inputShape: [null, INPUTS] }) as Layer;
  const steps = sequential([layer]).stream({ weights, maxSteps: STEPS });
  const noise = uniform(1, STEPS * INPUTS, 1);
  steps.steps(noise, STEPS);
  const x = silent ? new Float32Array(noise.length) : noise;
  steps.steps(x, STEPS);
  return {
    task: () => steps.steps(x, STEPS),
    count: () => Object.fromEntries(steps.state.map((state, i) => ['hc'[i], subnormals(state)])),
  };
}

export async function subnormalSuite(context: SuiteContext): Promise<void> {
  for (const engine of context.engines) {
    const library = await use(engine);
    const add = async (name: string, variants: Record<string, Variant>) => {
      const counts = Object.entries(variants).map(([variant, { count }]) => [variant, count()] as const);
      const timings = await timeInTurns(
        Object.fromEntries(Object.entries(variants).map(([variant, { task }]) => [variant, task])),
      );
      for (const [variant, subnormal] of counts) {
        const what = { suite: 'subnormal', case: `${name}: ${variant}`, engine: engine.build, threads: 1 };
        context.add({ ...what, ...timings[variant]!, gflops: null, percentOfPeak: null, subnormal });
      }
    };
    for (const cell in cells) {
      await add(`train ${cell}, T=${TIME}`, {
        'loss on the last step': training(library, cell, false),
        'loss on every step': training(library, cell, true),
      });
    }
    for (const rule in rules) {
      const variants = {
        'zero gradients': update(library, rule, true),
        'other gradients': update(library, rule, false),
      };
      await add(`update ${rule}`, variants);
    }
    for (const cell in cells) {
      if (cell.endsWith('peephole')) continue;
      for (const weights of ['float32', 'int8'] as const) {
        const variants = { silence: stream(cell, weights, true), noise: stream(cell, weights, false) };
        await add(`${STEPS} steps of a stream, ${cell}, ${weights}`, variants);
      }
    }
  }
}
