import { expectShape, type Tensor } from '../../autograd/tensor.ts';
import { unknownName } from '../../checks/options.ts';
import { relu, sigmoid, tanh } from '../../ops/elementwise/elementwise.ts';
import { softmaxRows } from '../../ops/softmax.ts';
import { customName } from '../../registry/custom-objects.ts';
import type { moreActivations } from './more-activations.ts';

/** y = f(x), of x's shape. */
export type Activation = (x: Tensor) => Tensor;

const usual = { linear: (x: Tensor): Tensor => x, relu, sigmoid, tanh, softmax: softmaxRows };

let activations: Readonly<Record<string, Activation>> = usual;

/** Adds activations to those that are known by name; an app that does without them carries the usual ones alone. */
export function registerActivations(more: Readonly<Record<string, Activation>>): void {
  activations = { ...usual, ...more };
}

/** Keras 3's activations by name, in TF.js's spelling and with Keras's default slopes and thresholds. */
export type ActivationName = keyof typeof usual | keyof typeof moreActivations;

/** How an output is activated: by a name, or by a function of the caller's own, made of `ops`, that keeps the shape. */
export type ActivationSpec = ActivationName | Activation;

/**
 * The activation of a name, or a function of the caller's own.
 *
 * @param what whose activation it is, in errors.
 * @throws ArgumentError for an unknown name; where a function is applied, if it returns anything but a tensor of x's
 *   shape.
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

/** Its name, and of a function of the caller's own what a file has in its place. Anything else is itself. */
export const activationName = <Spec>(spec: Spec): Exclude<Spec, Activation> | string =>
  typeof spec === 'function' ? customName(spec.name) : (spec as Exclude<Spec, Activation>);
