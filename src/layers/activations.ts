import { ArgumentError, formatShape, sameShape, Tensor } from '../autograd/tensor.ts';
import { relu, sigmoid, tanh } from '../ops/elementwise.ts';
import { softmax } from '../ops/softmax.ts';
import { customName, customObject, nameOfCustom } from './custom-objects.ts';
import type { moreActivations } from './more-activations.ts';

/** y = f(x), of x's shape. */
export type Activation = (x: Tensor) => Tensor;

const usual = { linear: (x: Tensor): Tensor => x, relu, sigmoid, tanh, softmax };

let activations: Readonly<Record<string, Activation>> = usual;

/** Adds activations to those that are known by name; an app that does without them carries the usual ones alone. */
export function knowActivations(more: typeof moreActivations): void {
  activations = { ...usual, ...more };
}

/** Keras 3's activations by name, in TF.js's spelling and with Keras's default slopes and thresholds. */
export type ActivationName = keyof typeof usual | keyof typeof moreActivations;

/** How a layer's output is activated: by a name, or by any function of tensors, made of `ops`, that keeps the shape. */
export type ActivationSpec = ActivationName | Activation;

export interface NamedActivation {
  /** Its name here, or what a file has in the place of a function of the caller's own. */
  readonly name: string;
  readonly apply: Activation;
}

/**
 * The activation of a name, or of a function: one that has a name here goes by it.
 *
 * @throws ArgumentError for an unknown name; where it is applied, if a function of the caller's own returns anything but a tensor of x's shape.
 */
export function activationOf(spec: ActivationSpec): NamedActivation {
  const isOwn = nameOfCustom(spec) !== undefined;
  const given = isOwn ? customObject('activation', spec as string) : spec;
  const known = Object.keys(activations);
  if (typeof given !== 'function') {
    if (Object.hasOwn(activations, spec as string))
      return { name: spec as string, apply: activations[spec as string]! };
    throw new ArgumentError(`activation expected one of ${known.join(', ')} or a function, got '${String(spec)}'`);
  }
  const name = isOwn ? spec : known.find((each) => activations[each] === given);
  return {
    name: (name as string | undefined) ?? customName(given.name),
    apply(x) {
      const y: unknown = given(x);
      const shape = y instanceof Tensor ? y.shape : undefined;
      if (shape && sameShape(shape, x.shape)) return y as Tensor;
      const got = shape ? formatShape(shape) : typeof y;
      throw new ArgumentError(
        `activation '${given.name}' expected to return a tensor ${formatShape(x.shape)}, got ${got}`,
      );
    },
  };
}
