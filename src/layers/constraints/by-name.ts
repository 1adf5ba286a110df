import { ArgumentError } from '../../checks/argument-error.ts';
import { unknownName } from '../../checks/options.ts';
import type { ConstraintSpec } from './constraint.ts';
import * as constraints from './index.ts';
import { Constraint, type ConstraintConfig } from './rule.ts';

/** Makes a constraint of a name, with or without options, or of a function. Throws `ArgumentError` otherwise. */
export function constraintByName(spec: ConstraintSpec, what: string): Constraint {
  const makers: Readonly<Record<string, (options: never) => Constraint>> = constraints;
  if (typeof spec === 'function') {
    const known = Object.keys(makers).find((each) => makers[each] === (spec as unknown));
    if (!known) return new Constraint(spec);
    throw new ArgumentError(`${what} expected ${known}(), got ${known}`);
  }
  const { name, ...options } = typeof spec === 'string' ? { name: spec } : (Object(spec) as ConstraintConfig);
  if (Object.hasOwn(makers, name)) return makers[name]!(options as never);
  throw unknownName(what, Object.keys(makers), name ?? spec, ' or a function');
}
