import { Parameter } from '../../autograd/parameter.ts';
import { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectType } from '../../checks/argument-error.ts';
import { checkShape } from '../../checks/shape.ts';
import { initializer } from './initializers.ts';
import type { AnyLayer, CustomChecks } from './layer.ts';
import { expectTensors } from './network.ts';

// Layers that have been looked at.
const seen = new WeakSet<AnyLayer>();

/** A parameter in a field that is no weight of any layer would be neither trained nor saved. */
function expectOwnFields(layer: AnyLayer): void {
  for (const [field, value] of Object.entries(layer)) {
    if (!(value instanceof Parameter) || value.isOwned) continue;
    const mend = `addWeight('${field}', shape, initializer) in makeWeights(inputShape)`;
    throw new ArgumentError(`${layer.describe()}: ${field} expected a weight, as ${mend} makes, got a Parameter`);
  }
}

/**
 * What can be wrong with a layer of somebody's own. The layers of the library do without, and so do apps that have no
 * others.
 */
export const customChecks: Required<CustomChecks> = {
  called(layer: AnyLayer, y: unknown, isInNetwork: boolean): void {
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
    // Made at every call it would never be trained.
    if (!isMaking) {
      throw new ArgumentError(`${layer.describe()}: addWeight() expected in makeWeights(), Keras's build()`);
    }
    const what = `${layer.describe()}: addWeight`;
    expectType(`${what}: name`, name, 'a string');
    checkShape(shape, `${what}: shape of '${name}'`);
    if (typeof how !== 'function') initializer(how, `${what}: initializer of '${name}'`);
  },
};
