import { ArgumentError, type Tensor } from '../autograd/tensor.ts';
import { Unary } from '../engine/abi.ts';
import { relu, sigmoid, tanh } from '../ops/elementwise.ts';
import { softmax } from '../ops/softmax.ts';
import type { StreamProgram } from '../streaming/program.ts';
import type { moreActivations } from './more-activations.ts';

export interface Activation {
  apply(x: Tensor): Tensor;
  /** Lays it out for streaming, where it can run step by step. */
  stream?(program: StreamProgram): void;
}

/** An activation that one kernel computes. */
export const elementwise = (apply: (x: Tensor) => Tensor, code: number): Activation => ({
  apply,
  stream: (program) => program.unary(code),
});

const usual = {
  linear: { apply: (x: Tensor): Tensor => x, stream: () => {} },
  relu: elementwise(relu, Unary.Relu),
  sigmoid: elementwise(sigmoid, Unary.Sigmoid),
  tanh: elementwise(tanh, Unary.Tanh),
  softmax: { apply: softmax, stream: (program: StreamProgram) => program.softmax() },
} satisfies Record<string, Activation>;

let activations: Readonly<Record<string, Activation>> = usual;

/** Adds activations to those that are known by name; an app that does without them carries the usual ones alone. */
export function knowActivations(more: typeof moreActivations): void {
  activations = { ...usual, ...more };
}

/** Keras 3's activations by name, in TF.js's spelling and with Keras's default slopes and thresholds. */
export type ActivationName = keyof typeof usual | keyof typeof moreActivations;

function find(name: ActivationName): Activation {
  if (!Object.hasOwn(activations, name)) {
    throw new ArgumentError(`activation expected one of ${Object.keys(activations).join(', ')}, got '${name}'`);
  }
  return activations[name]!;
}

/** Throws `ArgumentError` for an unknown name. */
export const expectActivation = (name: ActivationName): void => void find(name);

/** The activation of a name. Throws `ArgumentError` for an unknown one. */
export const activation = (name: ActivationName): ((x: Tensor) => Tensor) => find(name).apply;

/** Lays the activation out for streaming. Throws `ArgumentError` for one that no single kernel computes. */
export function addActivation(program: StreamProgram, name: ActivationName): void {
  const { stream } = find(name);
  if (!stream) {
    const able = Object.entries(activations).filter(([, each]) => 'stream' in each);
    throw new ArgumentError(
      `activation '${name}' cannot run step by step; expected one of ${able.map(([each]) => each).join(', ')}`,
    );
  }
  stream(program);
}
