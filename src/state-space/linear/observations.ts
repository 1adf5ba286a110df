import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { readSequences, type SequencesLike } from '../sequences.ts';
import type { Observed } from './kalman.ts';
import { type Learned, type LearnedParameters, readLearned, SYSTEM_NAMES } from './learned.ts';
import { type Model, type System, shapeOf } from './system.ts';

export interface FilterOptions {
  /** Inputs of each sequence, `[T, k]`, in the shape of the observations. */
  inputs?: SequencesLike | undefined;
}

/** The parameters that are learned. Throws `ArgumentError` if one cannot be. */
export function learnedOf(what: string, given: LearnedParameters, { system, initial }: Model): Learned[] {
  const learned = readLearned(what, given, (name) => shapeOf(system, name));
  for (const { name } of learned) {
    if (Number.isFinite(system[SYSTEM_NAMES[name]].steps)) {
      throw new ArgumentError(
        `${what}.${name} expected false, because it has an axis of steps, got ${shown(given[name])}`,
      );
    }
    if (name === 'initialCovariance' && initial !== 'given') {
      throw new ArgumentError(`${what}.${name} expected false, because it is '${initial}', got ${shown(given[name])}`);
    }
  }
  return learned;
}

/**
 * Sequences with their inputs, which have `extra` steps more. Throws `ArgumentError` if they do not fit the system.
 */
export function readObserved(
  method: string,
  system: System,
  { given, inputs, extra = 0 }: { given: SequencesLike; inputs: SequencesLike | undefined; extra?: number },
) {
  const what = `linearGaussian.${method}`;
  const { p, k } = system;
  const { list, isSingle } = readSequences(given, {
    what: `${what}: observations`,
    features: p,
    allowsMissing: true,
  });
  if (k > 0 !== (inputs !== undefined)) {
    const expected = k > 0 ? `[T, ${k}]` : 'none, as the model has no controlMatrix and no feedthroughMatrix';
    throw new ArgumentError(`${what}: inputs expected ${expected}, got ${inputs === undefined ? 'none' : 'some'}`);
  }
  const us = inputs === undefined ? undefined : readSequences(inputs, { what: `${what}: inputs`, features: k });
  if (us && us.list.length !== list.length) {
    throw new ArgumentError(`${what}: inputs expected ${list.length} sequences, got ${us.list.length}`);
  }
  const sequences = list.map(({ steps, values }, i): Observed => {
    const u = us?.list[i];
    if (u && u.steps !== steps + extra) {
      throw new ArgumentError(`${what}: inputs expected ${steps + extra} steps, got ${u.steps} (sequence ${i})`);
    }
    expectSteps(what, system, steps + extra);
    return { steps, y: values, u: u?.values ?? new Float64Array(0), sequence: 0 };
  });
  return { sequences, isSingle };
}

/** Throws `ArgumentError` if a matrix that differs between steps has too few. */
function expectSteps(what: string, system: System, steps: number): void {
  for (const [name, key] of Object.entries(SYSTEM_NAMES)) {
    const has = system[key].steps;
    if (steps > has)
      throw new ArgumentError(`${what}: observations expected at most the ${has} steps of ${name}, got ${steps}`);
  }
}
