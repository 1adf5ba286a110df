import { ArgumentError } from '../../checks/argument-error.ts';
import { describe, expectString, isObject } from '../../io/parsed-json.ts';
import { expectKnownKeys } from '../json-file.ts';
import type { WaveNetActivation } from '../wavenet/structure.ts';

/** The activations of `.nam` files that have an equal here, by their names there. */
export const namActivations: Readonly<Record<string, string>> = {
  Tanh: 'tanh',
  ReLU: 'relu',
  Sigmoid: 'sigmoid',
  SiLU: 'silu',
  Hardswish: 'hardSilu',
  Softsign: 'softsign',
};

/** An activation of a file: its name, or an object with its `type` and numbers. */
export function activationIn(what: string, value: unknown): WaveNetActivation {
  const { type = value, negative_slope: slope = 0.01, ...others } = isObject(value) ? value : {};
  const name = expectString(isObject(value) ? `${what}.type` : what, type);
  if (name === 'LeakyReLU') {
    expectKnownKeys(what, others, []);
    if (typeof slope !== 'number')
      throw new ArgumentError(`${what}.negative_slope expected a number, got ${describe(slope)}`);
    return { name: 'leakyRelu', negativeSlope: slope };
  }
  if (!Object.hasOwn(namActivations, name)) {
    const known = [...Object.keys(namActivations), 'LeakyReLU'].join(', ');
    throw new ArgumentError(`${what} ${describe(name)} is not supported; ${known} are`);
  }
  if (isObject(value)) {
    const { type: _, ...options } = value;
    expectKnownKeys(what, options, []);
  }
  return namActivations[name]!;
}

/** The name of an activation without numbers of its own. Throws `ArgumentError` for another one. */
export function plainActivation(what: string, given: WaveNetActivation): string {
  if (typeof given === 'string') return given;
  throw new ArgumentError(`${what} expected one of ${Object.keys(namActivations).join(', ')}, got LeakyReLU`);
}

const names = new Map(Object.entries(namActivations).map(([theirs, ours]) => [ours, theirs]));

/** An activation as a file has it; undefined if Neural Amp Modeler does not have it. */
export const writtenActivation = (given: WaveNetActivation) =>
  typeof given === 'string' ? names.get(given) : { type: 'LeakyReLU', negative_slope: given.negativeSlope };

/** The names here that `writtenActivation` knows. */
export const writtenNames: readonly string[] = [...names.keys()];
