import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import type * as constraints from './index.ts';
import type { Constraint, ConstraintConfig } from './rule.ts';

/** Name of a constraint, which is made with its default options. */
export type ConstraintName = keyof typeof constraints;

/**
 * What a weight is set to after each update: a name, a name with options, what a function of `constraints` makes, or a
 * function from a weight to a tensor of the same shape, made of ops.
 */
export type ConstraintSpec = ConstraintName | ConstraintConfig | Constraint | ((weight: Tensor) => Tensor);

let make: ((spec: ConstraintSpec, what: string) => Constraint) | undefined;

/** Enables constraints by name and custom functions. Without this call an app contains only those that it makes. */
export function registerConstraints(makeOne: typeof make): void {
  make = makeOne;
}

/** Makes a constraint. Throws `ArgumentError` for an unknown name or option. */
export function constraintOf(spec: ConstraintSpec, what: string): Constraint {
  if ((spec as Constraint | null)?.attach) return spec as Constraint;
  if (make) return make(spec, what);
  throw new ArgumentError(`${what} expected one of constraints, got ${shown(spec)}`);
}
