import type { Random } from './random.ts';

/** What an input is written as: JSON, so that it can be printed, kept and shrunk. */
export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

/**
 * Something that is given inputs of any kind, which it may refuse by an error of ours and answer in no other way than
 * it says.
 */
export interface Target {
  readonly name: string;
  /** The share of time that it gets in a run over all targets. */
  readonly share?: number;
  generate(random: Random): Plain;
  /**
   * Throws what the library throws, or `Violation` where a rule does not hold. It makes do with any JSON, since inputs
   * are shrunk.
   */
  run(input: Plain): unknown;
}

/** A rule that did not hold, other than that errors are ours. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
