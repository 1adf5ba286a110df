import { Parameter } from '../../autograd/parameter.ts';
import { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectType } from '../../checks/argument-error.ts';
import { checkShape } from '../../checks/shape.ts';
import { initializer } from './initializers.ts';
import type { AnyLayer, CustomChecks } from './layer.ts';
import { expectTensors } from './network.ts';

// Layers that have been checked.
const seen = new WeakSet<AnyLayer>();

/**
 * Throws `ArgumentError` if a field holds a parameter that is not a weight of any layer: it would be neither trained
 * nor saved.
 */
function expectOwnFields(layer: AnyLayer): void {
  for (const [field, value] of Object.entries(layer)) {
    if (!(value instanceof Parameter) || value.isOwned) continue;
    const mend = `addWeight('${field}', shape, initializer) in makeWeights(inputShape)`;
    throw new ArgumentError(`${layer.describe()}: ${field} expected a weight, as ${mend} makes, got a Parameter`);
  }
}

let tapped: { readonly layer: AnyLayer; y: unknown } | undefined;

/** Runs `body`. Returns the output of the first call of a layer in it; undefined if it is not called. */
export function tapOutput(layer: AnyLayer, body: () => void): unknown {
  const outer = tapped;
  const own = { layer, y: undefined };
  tapped = own;
  try {
    body();
    return own.y;
  } finally {
    tapped = outer;
  }
}

/** Checks of custom layers. Layers of the library do not need them, and neither do apps without custom layers. */
export const customChecks: Required<CustomChecks> = {
  called(layer: AnyLayer, y: unknown, isInNetwork: boolean): void {
    if (tapped?.layer === layer) tapped.y ??= y;
    if (!(y instanceof Tensor)) expectTensors(`${layer.describe()}: call`, y);
    if (seen.has(layer)) return;
    if (!layer.builtShape) {
      throw new ArgumentError(
        `${layer.describe()}: build() expected to call super.build(inputShape); makeWeights(inputShape) is Keras's build()`,
      );
    }
    if (!isInNetwork) return;
    expectOwnFields(layer);
    seen.add(layer);
  },

  weight(layer, isMaking, [name, shape, how]): void {
    // A weight that every call makes again would never be trained.
    if (!isMaking) {
      throw new ArgumentError(`${layer.describe()}: addWeight() expected in makeWeights(), Keras's build()`);
    }
    const what = `${layer.describe()}: addWeight`;
    expectType(`${what}: name`, name, 'a string');
    checkShape(shape, `${what}: shape of '${name}'`);
    if (typeof how !== 'function') initializer(how, `${what}: initializer of '${name}'`);
  },
};
