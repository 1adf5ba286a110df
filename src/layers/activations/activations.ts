import { expectShape, type Tensor } from '../../autograd/tensor.ts';
import { unknownName } from '../../checks/options.ts';
import { relu, sigmoid, tanh } from '../../ops/elementwise/elementwise.ts';
import { softmaxRows } from '../../ops/softmax.ts';
import { customName } from '../../registry/custom-objects.ts';
import type { moreActivations } from './more-activations.ts';

/** y = f(x), with the shape of x. */
export type Activation = (x: Tensor) => Tensor;

const usual = { linear: (x: Tensor): Tensor => x, relu, sigmoid, tanh, softmax: softmaxRows };

let activations: Readonly<Record<string, Activation>> = usual;

/** Adds activations by name. Without this call an app contains only the usual ones. */
export function registerActivations(more: Readonly<Record<string, Activation>>): void {
  activations = { ...usual, ...more };
}

/** The activations of Keras 3 by name, spelled as in TF.js, with the default slopes and thresholds of Keras. */
export type ActivationName = keyof typeof usual | keyof typeof moreActivations;

/** An activation: a name, or a function made of `ops` that keeps the shape. */
export type ActivationSpec = ActivationName | Activation;

/**
 * The activation of a name, or a custom function.
 *
 * @param what name of the option, for errors.
 * @returns a function from a tensor `[…]` to a tensor of the same shape.
 * @throws ArgumentError if the name is unknown; when called, if a custom function returns anything but a tensor with
 *   the shape of x.
 */
export function activation(spec: ActivationSpec, what = 'activation'): Activation {
  if (typeof spec === 'function') {
    return (x) => {
      const y: Tensor | undefined = spec(x);
      expectShape(`activation '${spec.name}': output`, y?.shape ?? [], x.shape);
      return y;
    };
  }
  if (typeof spec === 'string' && Object.hasOwn(activations, spec)) return activations[spec]!;
  throw unknownName(what, Object.keys(activations), spec, ' or a function');
}

/**
 * The name of an activation. A custom function gets the name that a file stores for it. Any other value is returned as
 * it is.
 */
export const activationName = <Spec>(spec: Spec): Exclude<Spec, Activation> | string =>
  typeof spec === 'function' ? customName(spec.name) : (spec as Exclude<Spec, Activation>);
