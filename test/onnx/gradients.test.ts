// Gradients of imported graphs beside finite differences of the same graph in float64, for every input and every
// parameter.
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError, ops, valueAndGrad } from '../../src/index.ts';
import { readModelProto } from '../../src/onnx/format/messages.ts';
import { Value } from '../../src/onnx/graph/value.ts';
import { OnnxGraph } from '../../src/onnx/onnx-graph.ts';
import { operators } from '../../src/onnx/ops/index.ts';
import { graphCases } from './cases.ts';
import { attribute, modelOf, type NodeSpec } from './model-of.ts';
import { moreCases } from './more-cases.ts';
import type { GraphCase } from './one-node.ts';
import type { Array64 } from './reference/arrays.ts';
import { inFloat64, initializersOf } from './reference/evaluate.ts';

/** Operators whose results have no gradient, and why. A case of each of the others is in the lists. */
const withoutGradient: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor', 'Not', 'IsNaN', 'IsInf'].map(
      (op) => [op, 'gives booleans'],
    ),
  ),
  ...Object.fromEntries(
    ['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitwiseNot'].map((op) => [op, 'is of integers']),
  ),
  ...Object.fromEntries(
    ['ArgMax', 'ArgMin', 'NonZero', 'Shape', 'Size', 'Multinomial'].map((op) => [op, 'gives integers']),
  ),
  ...Object.fromEntries(
    ['MatMulInteger', 'QLinearMatMul', 'ConvInteger', 'QLinearConv'].map((op) => [op, 'is of integers']),
  ),
  ...Object.fromEntries(
    [
      'Constant',
      'ConstantOfShape',
      'EyeLike',
      'RandomUniform',
      'RandomUniformLike',
      'RandomNormal',
      'RandomNormalLike',
    ].map((op) => [op, 'does not depend on the elements of a float input']),
  ),
  Hardmax: 'changes in steps',
  Bernoulli: 'is random, and changes in steps',
  QuantizeLinear: 'gives integers; training through it is refused',
  DynamicQuantizeLinear: 'gives integers; training through it is refused',
};

const cases = [...graphCases, ...moreCases];

/** Weights of the sum that is differentiated. */
const factor = (i: number): number => Math.sin(i + 1);
const weighted = (data: ArrayLike<number>): number =>
  Array.from(data).reduce((total, y, i) => total + y * factor(i), 0);

/** Gradients of the weighted sum of the first output, by the name of the input or the parameter. */
function taped({ bytes, feeds, outputs }: GraphCase): Map<string, Float32Array> {
  const graph = new OnnxGraph(readModelProto(bytes), { states: {} });
  graph.build({});
  const inputs = Object.entries(feeds).map(
    ([name, { data, dims }]) => [name, tensor(data as Float32Array, { shape: dims })] as const,
  );
  const names = [...inputs.map(([name]) => name), ...graph.weights.map(({ name }) => name.split('/').at(-1)!)];
  const { grads } = valueAndGrad(() => {
    const y = graph.run(new Map(inputs.map(([name, x]) => [name, Value.ofTensor(x)]))).get(outputs[0]!)!.tensor;
    const factors = tensor(
      Float32Array.from({ length: y.size }, (_, i) => factor(i)),
      { shape: y.shape },
    );
    return ops.sum(ops.mul(y, factors));
  }, [...inputs.map(([, x]) => x), ...graph.weights]);
  return new Map(names.map((name, i) => [name, grads[i]!.toArray() as Float32Array]));
}

describe('gradients of imported graphs', () => {
  test.each(cases)('$name', (given) => {
    const { bytes, feeds, outputs } = given;
    const got = taped(given);
    const evaluate = inFloat64(readModelProto(bytes));
    const values = new Map<string, Array64>([
      ...initializersOf(readModelProto(bytes)),
      ...Object.entries(feeds).map(
        ([name, { data, dims }]) => [name, { dims, data: Float64Array.from(data as Float32Array) }] as const,
      ),
    ]);
    const at = (): number => weighted(evaluate(values).get(outputs[0]!)!.data);
    const h = 1e-5;
    for (const [name, gradient] of got) {
      const { data } = values.get(name)!;
      const expected = Array.from(data, (x, i) => {
        data[i] = x + h;
        const after = at();
        data[i] = x - h;
        const before = at();
        data[i] = x;
        return (after - before) / (2 * h);
      });
      // float32 loses digits in proportion to the largest one.
      const scale = Math.max(...expected.map(Math.abs), 1e-2);
      const worst = Math.max(...expected.map((each, i) => Math.abs(gradient[i]! - each))) / scale;
      expect({ name, isFinite: Number.isFinite(worst) }).toEqual({ name, isFinite: true });
      expect(worst, `${name}: ${gradient.slice(0, 8)} beside ${expected.slice(0, 8)}`).toBeLessThanOrEqual(1e-4);
    }
  });

  test('every operator has a case, or has no gradient for a reason', () => {
    const ofCases = new Set(
      cases.flatMap(({ bytes }) => (readModelProto(bytes).graph!.node ?? []).map(({ opType }) => opType!)),
    );
    // Dropout draws, and Cast to 16 bits rounds: both have tests of their own.
    const tested = new Set([...ofCases, 'Dropout']);
    const missing = Object.keys(operators).filter((op) => !tested.has(op) && !withoutGradient[op]);
    expect(missing).toEqual([]);
    expect(Object.keys(withoutGradient).filter((op) => !operators[op])).toEqual([]);
  });
});

const graphOf = (nodes: readonly NodeSpec[], held: Parameters<typeof modelOf>[0]['initializers'] = {}) =>
  new OnnxGraph(
    readModelProto(
      modelOf({
        nodes,
        inputs: { x: { dims: [3], data: Float32Array.of(0.3, -0.7, 1.1) } },
        initializers: held,
        outputs: ['y'],
      }),
    ),
    { states: {} },
  );

function gradientOf(graph: OnnxGraph, training = false): { y: number[]; dx: number[] } {
  const x = tensor([0.3, -0.7, 1.1]);
  let y: number[] = [];
  graph.build({});
  const { grads } = valueAndGrad(() => {
    const made = graph.run(new Map([['x', Value.ofTensor(x)]]), { training }).get('y')!;
    y = [...(made.numbers as Float32Array)];
    return ops.sum(made.tensor);
  }, [x]);
  return { y, dx: [...grads[0]!.toArray()] };
}

describe('gradients without finite differences', () => {
  test.each([10, 16])('a cast to 16 bits, type %i, hands the gradient on', (to) => {
    const graph = graphOf([
      { op: 'Cast', inputs: ['x'], outputs: ['h'], attributes: [attribute('to', to)] },
      { op: 'Cast', inputs: ['h'], outputs: ['y'], attributes: [attribute('to', 1)] },
    ]);
    expect(gradientOf(graph).dx).toEqual([1, 1, 1]);
  });

  test('dropout in training has the factors of its output', () => {
    const graph = graphOf([{ op: 'Dropout', inputs: ['x'], outputs: ['y'] }]);
    const { y, dx } = gradientOf(graph, true);
    [0.3, -0.7, 1.1].forEach((x, i) => {
      expect(dx[i]! * x).toBeCloseTo(y[i]!, 5);
    });
  });

  test.each([
    ['QuantizeLinear', { outputs: ['q'] }],
    ['DynamicQuantizeLinear', { outputs: ['q', 's', 'z'] }],
  ] as const)('%s refuses training through it, and runs without', (op, { outputs }) => {
    const scale = { scale: { dims: [], data: Float32Array.of(0.01) } };
    const isDynamic = op === 'DynamicQuantizeLinear';
    const graph = graphOf(
      [
        { op, inputs: isDynamic ? ['x'] : ['x', 'scale'], outputs: [...outputs] },
        { op: 'DequantizeLinear', inputs: isDynamic ? ['q', 's', 'z'] : ['q', 'scale'], outputs: ['y'] },
      ],
      isDynamic ? {} : scale,
    );
    const run = () => gradientOf(graph);
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(`(${op}): it has no gradient for these inputs`);
    const x = tensor([0.3, -0.7, 1.1]);
    expect(x.engine.step(() => graph.run(new Map([['x', Value.ofTensor(x)]])).get('y')!.shape)).toEqual([3]);
  });
});
