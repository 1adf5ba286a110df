// Parameters are operands like tensors: each op is called with a parameter in place of each f32 tensor.
import { beforeAll, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { sizeOf } from '../../src/checks/shape.ts';
import { init } from '../../src/engine/engine.ts';
import { sum } from '../../src/ops/reduce.ts';
import { opCases } from '../autograd/gradient-cases.ts';
import { values } from '../kernels/reference/values.ts';

beforeAll(async () => {
  await init();
});

// What `recurrence` reads of its input is more than an operand.
const cases = opCases.filter(({ of, arguments: list }) => of !== 'recurrence' && list.length > 0);

test.each(cases)('$of $variant takes parameters for tensors, with the same values and gradients', (c) => {
  const data = c.arguments.map(({ shape, low = -1, high = 1 }, i) =>
    values(sizeOf(shape), i + 1).map((v) => low + ((v + 1) / 2) * (high - low)),
  );
  const tensors = data.map((x, i) => tensor(x, { shape: c.arguments[i]!.shape }));
  const parameters = data.map((x, i) => new Parameter(`p${i}`, c.arguments[i]!.shape, x));
  const results = [tensors, parameters].map((inputs) => {
    let y: unknown;
    const { grads } = valueAndGrad(() => {
      const made = c.run(...(inputs as Tensor[]));
      y = Array.from(made.toArray());
      return c.constant ? tensor(0) : sum(made);
    }, inputs);
    return [y, ...grads.map((grad) => Array.from(grad.toArray()))];
  });
  expect(results[1]).toEqual(results[0]);
});
