import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, isFloat32, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { abs, add, scale, square } from '../../ops/elementwise/elementwise.ts';
import { sum } from '../../ops/reduce.ts';

/**
 * A penalty on a weight or an output: `'l1'`, `'l2'` and `'l1l2'` with the factor 0.01 of Keras, or given factors.
 *
 * penalty(w) = l1·Σ|w| + l2·Σw²
 *
 * @see keras.regularizers
 */
export type RegularizerSpec = 'l1' | 'l2' | 'l1l2' | { readonly l1?: number; readonly l2?: number };

const named: Record<string, { l1?: number; l2?: number }> = {
  l1: { l1: 0.01 },
  l2: { l2: 0.01 },
  l1l2: { l1: 0.01, l2: 0.01 },
};

/**
 * The penalty as a function of a weight, with the result `[]`. Throws `ArgumentError` for an unknown name or a
 * negative factor.
 */
export function regularizerOf(spec: RegularizerSpec, what = 'regularizer'): (weight: Weight) => Tensor {
  const factors = typeof spec === 'string' ? named[spec] : spec;
  if (!factors || typeof factors !== 'object') {
    throw new ArgumentError(`${what} expected 'l1', 'l2', 'l1l2' or { l1, l2 }, got ${shown(spec)}`);
  }
  const { l1 = 0, l2 = 0 } = checkOptions(what, factors, { l1: 1, l2: 1 });
  for (const [name, factor] of Object.entries({ l1, l2 })) {
    if (isFloat32(factor) && factor >= 0) continue;
    throw new ArgumentError(`${what}: ${name} expected a number ≥ 0, below 3.4e38, got ${shown(factor)}`);
  }
  return (weight) => {
    const w = tensorOf(weight);
    const quadratic = scale(sum(square(w)), l2);
    return l1 === 0 ? quadratic : add(quadratic, scale(sum(abs(w)), l1));
  };
}
