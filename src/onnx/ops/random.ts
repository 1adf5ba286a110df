// Random numbers, from the streams of the layer. They are not the numbers of other runtimes.
import { sizeOf } from '../../checks/shape.ts';
import { type ElementType, hostArray } from '../format/element-types.ts';
import type { NodeView, Operator, Step } from '../graph/node.ts';
import { Value } from '../graph/value.ts';
import * as real from './elementwise/real-functions.ts';

type Draw = (uniform: Step['uniform']) => number;

function filled(type: ElementType, shape: readonly number[], draw: () => number): Value {
  const data = hostArray(type, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = draw();
  return Value.ofHost(type, shape, data);
}

const uniformOf = (node: NodeView): Draw => {
  const [low, high] = [node.float('low', 0), node.float('high', 1)];
  return (uniform) => low + (high - low) * uniform();
};

/** Box and Muller 1958. */
const normalOf = (node: NodeView): Draw => {
  const [mean, scale] = [node.float('mean', 0), node.float('scale', 1)];
  return (uniform) => mean + scale * Math.sqrt(-2 * real.log(1 - uniform())) * real.cos(2 * Math.PI * uniform());
};

const random = (drawOf: (node: NodeView) => Draw, isLike: boolean): Operator => ({
  isRandom: true,
  hasNoGradient: true,
  make(node) {
    const draw = drawOf(node);
    node.float('seed', 0);
    const type = node.has('dtype') ? node.type('dtype', 1) : undefined;
    const shape = isLike ? undefined : (node.ints('shape') ?? node.refuse('no shape'));
    return ([x], { uniform }) => filled(type ?? (isLike ? x!.type : 'float32'), shape ?? x!.shape, () => draw(uniform));
  },
});

const bernoulli: Operator = {
  isRandom: true,
  hasNoGradient: true,
  make(node) {
    node.float('seed', 0);
    const type = node.has('dtype') ? node.type('dtype', 1) : undefined;
    return ([x], { uniform }) => {
      let i = 0;
      const { numbers } = x!;
      return filled(type ?? x!.type, x!.shape, () => +(uniform() < numbers[i++]!));
    };
  },
};

const multinomial: Operator = {
  isRandom: true,
  hasNoGradient: true,
  make(node) {
    const [count, type] = [node.int('sample_size', 1), node.type('dtype', 6)];
    node.float('seed', 0);
    return ([x], { uniform }) => {
      const [batch, classes] = x!.shape as [number, number];
      const { numbers } = x!;
      let i = 0;
      return filled(type, [batch, count], () => {
        const row = Math.floor(i++ / count) * classes;
        // The inputs are logarithms, up to a constant.
        const shares = Array.from({ length: classes }, (_, c) => numbers[row + c]!);
        const most = Math.max(...shares);
        const weights = shares.map((share) => real.exp(share - most));
        let left = uniform() * weights.reduce((sum, weight) => sum + weight, 0);
        const found = weights.findIndex((weight) => (left -= weight) < 0);
        return found < 0 ? classes - 1 : found;
      });
    };
  },
};

export const randoms: Readonly<Record<string, Operator>> = {
  RandomUniform: random(uniformOf, false),
  RandomUniformLike: random(uniformOf, true),
  RandomNormal: random(normalOf, false),
  RandomNormalLike: random(normalOf, true),
  Bernoulli: bernoulli,
  Multinomial: multinomial,
};
