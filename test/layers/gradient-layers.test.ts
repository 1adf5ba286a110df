/**
 * Every layer against its definition in float64: outputs, masks, and the gradients of weights, inputs and initial
 * states by central differences of the reference. Each input in both memory orders.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { Tensor, tensor } from '../../src/autograd/tensor.ts';
import { type Shape, sizeOf } from '../../src/checks/shape.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { registerKerasLayers } from '../../src/keras/register.ts';
import { layerClasses } from '../../src/layers/layer-classes.ts';
import { add, mul, sum } from '../../src/ops/index.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from '../golden/expect-close.ts';
import { inner, numericGradient } from '../kernels/reference/gradient.ts';
import { integers, values } from '../kernels/reference/values.ts';
import { exchanged } from '../ops/cases/case.ts';
import type { CaseInput, LayerCase, Nested } from './cases/case.ts';
import { convolutionCases } from './cases/convolutions.ts';
import { imageCases } from './cases/images.ts';
import { kerasCases } from './cases/keras.ts';
import { recurrentCases } from './cases/recurrent.ts';
import { simpleCases } from './cases/simple.ts';

registerKerasLayers();

const cases: readonly LayerCase[] = [
  ...simpleCases,
  ...recurrentCases,
  ...convolutionCases,
  ...imageCases,
  ...kerasCases,
];

/** Row-major numbers as nested arrays. */
function nest(flat: ArrayLike<number>, shape: Shape, from = 0): Nested {
  if (shape.length === 0) return flat[from];
  const rest = shape.slice(1);
  return Array.from({ length: shape[0]! }, (_, i) => nest(flat, rest, from + i * sizeOf(rest)));
}
function flatten(x: Nested, into: number[] = []): number[] {
  if (Array.isArray(x)) for (const each of x) flatten(each, into);
  else into.push(x);
  return into;
}

function valuesOf({ shape, idsBelow, edit }: CaseInput, i: number): Float32Array {
  const count = sizeOf(shape);
  const x = idsBelow ? Float32Array.from(integers(count, idsBelow, i + 1)) : values(count, i + 1);
  edit?.(x);
  return x;
}

/** The name of a weight as the reference has it: within the layer, and without the name of the one layer inside. */
const shortName = (path: string, name: string): string => name.slice(path.length + 1);

function check(c: LayerCase): void {
  setSeed(3);
  const list = (Array.isArray(c.inputs) ? c.inputs : [c.inputs]) as CaseInput[];
  const layer = c.make();
  layer.build(Array.isArray(c.inputs) ? list.map(({ shape }) => shape) : list[0]!.shape);
  layer.weights.forEach((weight, i) => {
    const numbers = values(weight.size, 100 + i, 0.8);
    c.editWeight?.(weight.name, numbers);
    weight.assign(numbers);
  });
  const names = layer.weights.map(({ name }) => shortName(layer.path, name));
  // A weight of one cell or one layer goes by its own name alone.
  const single = new Set(names.map((name) => name.split('/').slice(0, -1).join('/'))).size === 1;
  const keys = names.map((name) => (single && c.of !== 'RNN' ? name.split('/').at(-1)! : name));
  const ownKeys = c.of === 'RNN' ? keys.map((key) => key.replace(/^lstm_cell\//, '')) : keys;

  const data = list.map(valuesOf);
  const states = (c.initialState ?? []).map((shape, i) => values(sizeOf(shape), 50 + i));
  const shapes: Shape[] = [
    ...list.map(({ shape }) => shape),
    ...(c.initialState ?? []),
    ...layer.weights.map((w) => w.shape),
  ];
  const all = [...data, ...states, ...layer.weights.map((weight) => weight.toArray())].map((x) => Float64Array.from(x));
  const inputCount = list.length + states.length;
  const nested = all.map((x, i) => nest(x, shapes[i]!));
  /** The reference's outputs; of `numbers`, what is not in `all` is nested anew. */
  const reference = (numbers: readonly Float64Array[]): Nested[] => {
    const given = numbers.map((x, i) => (x === all[i] ? nested[i]! : nest(x, shapes[i]!)));
    return c.reference(
      given.slice(0, inputCount),
      Object.fromEntries(given.slice(inputCount).map((x, i) => [ownKeys[i]!, x])),
    );
  };
  const expected = reference(all).map((y) => Float64Array.from(flatten(y)));
  const weighing = expected.map((y, i) => values(y.length, 200 + i));
  const loss = (numbers: readonly Float64Array[]): number =>
    reference(numbers).reduce((total: number, y, i) => total + inner(flatten(y), weighing[i]!), 0);
  const isTracked = (i: number): boolean => !list[i]?.idsBelow;
  const numeric = all.map((x, i) => (isTracked(i) ? numericGradient((at) => loss(all.with(i, at)), x) : undefined));

  for (const timeMajor of [false, true]) {
    const label = timeMajor ? 'stored time-major' : 'stored row-major';
    const inputs = list.map(({ shape, idsBelow, mask }, i) => {
      const x = tensor(data[i]!, { shape, dtype: idsBelow ? 'i32' : 'f32', name: `input ${i}` });
      const placed = timeMajor && shape.length > 2 ? exchanged(x) : x;
      if (mask) placed.mask = timeMajor ? exchanged(tensor(mask)) : tensor(mask);
      return placed;
    });
    const initialState = states.map((state, i) => tensor(state, { shape: c.initialState![i]! }));
    const wrt = [...inputs, ...initialState, ...layer.weights].filter((_, i) => isTracked(i));
    const { grads } = valueAndGrad(() => {
      const made = layer(Array.isArray(c.inputs) ? inputs : inputs[0]!, {
        ...c.call,
        ...(states.length > 0 && { initialState }),
      });
      const outputs: Tensor[] = made instanceof Tensor ? [made] : made;
      expect(outputs.length, 'number of outputs').toBe(expected.length);
      outputs.forEach((y, i) => {
        expectOutput(`${label}: output ${i}`, y.toArray(), { shape: [...y.shape], values: expected[i]! });
      });
      expect(outputs[0]!.mask ? nest(outputs[0]!.mask.toArray(), outputs[0]!.mask.shape) : undefined).toEqual(
        c.outputMask,
      );
      return outputs
        .map((y, i) => sum(mul(y, tensor(weighing[i]!, { shape: y.shape }))))
        .reduce((total, part) => add(total, part));
    }, wrt);
    let next = 0;
    numeric.forEach((gradient, i) => {
      if (!gradient) return;
      const what =
        i < list.length ? `input ${i}` : i < inputCount ? `initial state ${i - list.length}` : ownKeys[i - inputCount];
      expectGradient(`${label}: gradient of ${what}`, grads[next++]!.toArray(), {
        shape: [...shapes[i]!],
        values: gradient,
      });
    });
  }
}

for (const mode of modes) {
  describe(`layers in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });
    for (const c of cases) {
      test(`${c.of}, ${c.variant}, gives the outputs, mask and gradients of its float64 meaning`, () => check(c));
    }
  });
}

test('every layer that a model file can hold has a case', () => {
  // A Lambda is a function of the caller's, and a functional model is made of other layers.
  const classes = layerClasses().filter((name) => name !== 'Lambda' && name !== 'KerasFunctional');
  expect([...new Set(cases.map((c) => c.of))].sort()).toEqual(classes.sort());
});
