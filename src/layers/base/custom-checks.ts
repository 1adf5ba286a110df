import { Parameter } from '../../autograd/parameter.ts';
import { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectType } from '../../checks/argument-error.ts';
import { checkShape } from '../../checks/shape.ts';
import { initializer } from './initializers.ts';
import type { AnyLayer, CustomChecks, GivenCallOptions } from './layer.ts';
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

/** Sees each call of a layer when it is done: its input, its output, and the options of the call. */
export type CallObserver = (layer: AnyLayer, x: unknown, y: unknown, options: GivenCallOptions) => void;

let observer: CallObserver | undefined;

/** Runs `body`, and shows `observe` the calls of layers in it. */
export function observeCalls<T>(observe: CallObserver, body: () => T): T {
  const outer = observer;
  observer = observe;
  try {
    return body();
  } finally {
    observer = outer;
  }
}

/** Runs `body`. Returns the output of the first call of a layer in it; undefined if it is not called. */
export function tapOutput(layer: AnyLayer, body: () => void): unknown {
  let found: unknown;
  observeCalls((each, _, y) => {
    if (each === layer) found ??= y;
  }, body);
  return found;
}

/** Checks of custom layers. Layers of the library do not need them, and neither do apps without custom layers. */
export const customChecks: Required<CustomChecks> = {
  called(layer, y, isInNetwork, x, options): void {
    observer?.(layer, x, y, options);
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
