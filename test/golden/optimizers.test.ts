import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { optimizerOf } from '../../src/optimizers/by-name.ts';
import type { Optimizer, OptimizerConfig } from '../../src/optimizers/optimizer.ts';
import { deserialize, type ScheduleConfig } from '../../src/optimizers/schedules/schedule.ts';
import { expectClose } from '../kernels/compare.ts';

interface Values {
  shape: number[];
  values: number[];
}

/** What optimizers.py wrote; options are ours, values PyTorch's. */
interface Golden {
  start: Values;
  gradients: Values;
  cases: { options: OptimizerConfig; after: Values }[];
  ema: { options: OptimizerConfig; average: Values };
  accumulated: { options: OptimizerConfig; after: Values };
  schedules: { options: ScheduleConfig; values: number[] }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('optimizers.json', import.meta.url), 'utf8'));
const [steps, size] = golden.gradients.shape as [number, number];
// PyTorch's are float64; ours round some ten times a step at the scale of p (≤ 6).
const TOLERANCE = { absolute: 3e-6, relative: 1e-6 };

function trained(optimizer: Optimizer): Parameter {
  const p = new Parameter('p', golden.start.shape, golden.start.values);
  for (let step = 0; step < steps; step++) {
    optimizer.apply([p], [tensor(golden.gradients.values.slice(step * size, (step + 1) * size))]);
  }
  return p;
}

describe('as torch.optim', () => {
  test.each(golden.cases)(`$options, after ${steps} updates`, ({ options, after }) => {
    expectClose(trained(optimizerOf(options)).toArray(), after.values, TOLERANCE, options.name);
  });

  test('moving average of parameters, as torch.optim.swa_utils', () => {
    const { options, average } = golden.ema;
    const optimizer = optimizerOf(options);
    const p = trained(optimizer);
    optimizer.withEma([p], () => expectClose(p.toArray(), average.values, TOLERANCE, 'average'));
  });

  test('accumulated gradients, after as many updates as PyTorch makes of their means', () => {
    const { options, after } = golden.accumulated;
    expectClose(trained(optimizerOf(options)).toArray(), after.values, TOLERANCE, 'accumulated');
  });

  // PyTorch steps from one learning rate to the next, and so gathers rounding.
  test.each(golden.schedules)('schedule $options, within 1e-13', ({ options, values }) => {
    const schedule = deserialize(options);
    values.forEach((value, t) => expect(Math.abs(schedule.at(t) - value), `at ${t}`).toBeLessThan(1e-13));
  });
});
