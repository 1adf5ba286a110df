// The recurrent cells composed from small ops, one time step after another. The fused scan must equal them.
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import * as ops from '../../../src/ops/index.ts';
import { add, addScalar, linear, matmul, mul, neg, relu, sigmoid, tanh } from '../../../src/ops/index.ts';
import type { CellName } from '../../reference/cells.ts';

export interface ComposedWeights {
  kernel: Tensor;
  recurrentKernel: Tensor;
  bias: Tensor | undefined;
  extra: Record<string, Tensor>;
}

/** From x_t [B, I] and the states [B, H] to the next states, h first. */
type Step = (x: Tensor, states: Tensor[], weights: ComposedWeights) => Tensor[];

/** Rows and columns of one: x·selection takes columns [from, from + count) of [B, n], with nothing but a product. */
function columns(x: Tensor, from: number, count: number): Tensor {
  const width = x.shape[1]!;
  const ones = new Float32Array(width * count);
  for (let j = 0; j < count; j++) ones[(from + j) * count + j] = 1;
  return matmul(x, tensor(ones, { shape: [width, count] }));
}

/** A row that takes row `index` of a matrix of `count` rows, as a product. */
const oneHot = (index: number, count: number): Tensor =>
  tensor(
    Float32Array.from({ length: count }, (_, i) => Number(i === index)),
    { shape: [1, count] },
  );

const gate = (x: Tensor, index: number, units: number): Tensor => columns(x, index * units, units);
const not = (x: Tensor): Tensor => addScalar(neg(x), 1);

const lstmOf =
  (act: (x: Tensor) => Tensor): Step =>
  (x, [h, c], { kernel, recurrentKernel, bias }) => {
    const units = c!.shape[1]!;
    const pre = add(linear(x, kernel, bias), matmul(h!, recurrentKernel));
    const [i, f, g, o] = [0, 1, 2, 3].map((n) => (n === 2 ? act : sigmoid)(gate(pre, n, units)));
    const next = add(mul(f!, c!), mul(i!, g!));
    return [mul(o!, act(next)), next];
  };
const lstm = lstmOf(tanh);

const lstmPeephole: Step = (x, [h, c], { kernel, recurrentKernel, bias, extra }) => {
  const units = c!.shape[1]!;
  const pre = add(linear(x, kernel, bias), matmul(h!, recurrentKernel));
  const see = (row: number, state: Tensor): Tensor =>
    mul(state, ops.reshape(matmul(oneHot(row, 3), extra.peephole!), [units]));
  const [i, f] = [0, 1].map((n) => sigmoid(add(gate(pre, n, units), see(n, c!))));
  const next = add(mul(f!, c!), mul(i!, tanh(gate(pre, 2, units))));
  return [mul(sigmoid(add(gate(pre, 3, units), see(2, next))), tanh(next)), next];
};

const lstmProjection: Step = (x, [h, c], weights) => {
  const [m, next] = lstm(x, [h!, c!], weights);
  return [matmul(m!, weights.extra.projection!), next!];
};

/** h′ = z∘h + (1 − z)∘g */
const blend = (z: Tensor, h: Tensor, g: Tensor): Tensor => add(mul(z, h), mul(not(z), g));

const gruAfter: Step = (x, [h], { kernel, recurrentKernel, bias }) => {
  const units = h!.shape[1]!;
  const row = (n: number): Tensor | undefined => bias && ops.reshape(matmul(tensor([[1 - n, n]]), bias), [3 * units]);
  const [input, state] = [linear(x, kernel, row(0)), linear(h!, recurrentKernel, row(1))];
  const [z, r] = [0, 1].map((n) => sigmoid(add(gate(input, n, units), gate(state, n, units))));
  return [blend(z!, h!, tanh(add(gate(input, 2, units), mul(r!, gate(state, 2, units)))))];
};

const gruBefore: Step = (x, [h], { kernel, recurrentKernel, bias }) => {
  const units = h!.shape[1]!;
  const input = linear(x, kernel, bias);
  const [z, r] = [0, 1].map((n) => sigmoid(add(gate(input, n, units), gate(matmul(h!, recurrentKernel), n, units))));
  const state = gate(matmul(mul(r!, h!), recurrentKernel), 2, units);
  return [blend(z!, h!, tanh(add(gate(input, 2, units), state)))];
};

const simpleRnn =
  (activation: (x: Tensor) => Tensor): Step =>
  (x, [h], { kernel, recurrentKernel, bias }) => [
    activation(add(linear(x, kernel, bias), matmul(h!, recurrentKernel))),
  ];

export const steps: Record<CellName, Step> = {
  lstm,
  lstmRelu: lstmOf(relu),
  lstmPeephole,
  lstmProjection,
  gruAfter,
  gruBefore,
  rnnTanh: simpleRnn(tanh),
  rnnRelu: simpleRnn(relu),
  rnnLinear: simpleRnn((x) => x),
};

/** Time step t of x [T, B, I], as a product with a row of one, so that its gradient is the small ops' own. */
function timeStep(x: Tensor, t: number): Tensor {
  const [time, batch, inputs] = x.shape as [number, number, number];
  return ops.reshape(matmul(oneHot(t, time), ops.reshape(x, [time, batch * inputs])), [batch, inputs]);
}

/** The scan over x [T, B, I], outputs [T, B, H] and last states, from small ops alone. */
export function composedScan(
  name: CellName,
  x: Tensor,
  weights: ComposedWeights,
  initial: Tensor[],
): { outputs: Tensor; states: Tensor[] } {
  const [time, batch] = x.shape as [number, number];
  const hidden = weights.recurrentKernel.shape[0]!;
  let states = initial;
  const outputs: Tensor[] = [];
  for (let t = 0; t < time; t++) {
    states = steps[name](timeStep(x, t), states, weights);
    outputs.push(ops.reshape(states[0]!, [batch * hidden, 1]));
  }
  // [B·H, T] → [T, B·H] by exchanging axes.
  return { outputs: ops.reshape(ops.swapTimeBatch(ops.concatenate(outputs)), [time, batch, hidden]), states };
}
