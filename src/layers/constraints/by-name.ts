import { unknownName } from '../../checks/options.ts';
import type { ConstraintSpec } from './constraint.ts';
import * as constraints from './index.ts';
import { Constraint, type ConstraintConfig } from './rule.ts';

/** Makes a constraint of a name, with or without options, or of a function. Throws `ArgumentError` otherwise. */
export function constraintByName(spec: ConstraintSpec, what: string): Constraint {
  if (typeof spec === 'function') return new Constraint(spec);
  const { name, ...options } = typeof spec === 'string' ? { name: spec } : (Object(spec) as ConstraintConfig);
  const makers: Readonly<Record<string, (options: never) => Constraint>> = constraints;
  if (Object.hasOwn(makers, name)) return makers[name]!(options as never);
  throw unknownName(what, Object.keys(makers), name ?? spec, ' or a function');
}
