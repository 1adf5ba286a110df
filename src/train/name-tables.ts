import { ArgumentError } from '../autograd/tensor.ts';
import { shown } from '../engine/argument-error.ts';
import { hint } from '../engine/options.ts';
import { customObject, madeOf, nameOfCustom } from '../layers/custom-objects.ts';
import type { losses } from './losses/by-name.ts';
import type { metrics } from './metrics/by-name.ts';
import type { optimizers } from './optimizers/by-name.ts';
import type { schedules } from './schedules-by-name.ts';

/** What makes things of one kind, by name. Empty until `knowAllNames` fills it: an app that says no names carries only what it imports. */
export class NameTable<Makers extends object> {
  readonly #what: string;
  #makers: Makers | undefined;
  #shortNames: Readonly<Record<string, string>> = {};

  constructor(what: string) {
    this.#what = what;
  }

  get isFilled(): boolean {
    return this.#makers !== undefined;
  }

  /** @param shortNames other names of some of them. */
  fill(makers: Makers, shortNames: Readonly<Record<string, string>> = {}): void {
    this.#makers = makers;
    this.#shortNames = shortNames;
  }

  /** Whether it is one of its makers, not called. */
  knows(maker: unknown): boolean {
    return Object.values(this.#makers ?? {}).includes(maker);
  }

  /**
   * What makes the thing of a name. While a file is read, other names stand for what the caller gave for them.
   *
   * @throws ArgumentError for an unknown one; it names the one that Keras's spelling stands for.
   */
  makerOf(name: string): Makers[keyof Makers] {
    const makers = this.#makers;
    if (!makers) {
      throw new ArgumentError(
        `${this.#what} expected one that was made by its function, got ${shown(name)}; 'tapeloop' knows names, 'tapeloop/lean' does not`,
      );
    }
    const word = typeof name === 'string' ? name : '';
    const full = Object.hasOwn(this.#shortNames, word) ? this.#shortNames[word]! : word;
    if (Object.hasOwn(makers, full)) return makers[full as keyof Makers];
    const own = word ? customObject(this.#what, word) : undefined;
    // What has no options in the file is what was given.
    if (own !== undefined) {
      return ((options: unknown) =>
        nameOfCustom(name) === undefined ? madeOf(own, options) : own) as Makers[keyof Makers];
    }
    const known = Object.keys(makers);
    const meant = word && hint(word, known);
    throw new ArgumentError(
      `${this.#what} expected one of ${known.join(', ')}, got ${shown(name)}${meant && `; ${meant}`}`,
    );
  }
}

export const lossTable = /* @__PURE__ */ new NameTable<typeof losses>('loss');
export const metricTable = /* @__PURE__ */ new NameTable<typeof metrics>('metric');
export const optimizerTable = /* @__PURE__ */ new NameTable<typeof optimizers>('optimizer');
export const scheduleTable = /* @__PURE__ */ new NameTable<typeof schedules>('schedule');
