import { ArgumentError, shown } from '../checks/argument-error.ts';
import { unknownName } from '../checks/options.ts';
import { customObject, madeOf, nameOfCustom } from './custom-objects.ts';

type Maker<T> = (options: never) => T;

/**
 * What makes things of one kind, by name. Empty until `registerAllNames` fills it: an app that says no names carries
 * only what it imports.
 */
export class NameTable<T> {
  readonly #what: string;
  #makers: Readonly<Record<string, Maker<T>>> | undefined;
  #shortNames: Readonly<Record<string, string>> = {};

  constructor(what: string) {
    this.#what = what;
  }

  get isFilled(): boolean {
    return this.#makers !== undefined;
  }

  /** @param shortNames other names of some of them. */
  fill(makers: Readonly<Record<string, Maker<T>>>, shortNames: Readonly<Record<string, string>> = {}): void {
    this.#makers = makers;
    this.#shortNames = shortNames;
  }

  /** Whether it is one of its makers, not called. */
  knows(maker: unknown): boolean {
    return Object.values<unknown>(this.#makers ?? {}).includes(maker);
  }

  /**
   * The function that makes the object of a name. While a file is read, other names mean what the caller gave for them.
   *
   * @throws ArgumentError for an unknown one; it names the one that Keras's spelling stands for.
   */
  makerOf(name: string): Maker<T> {
    const makers = this.#makers;
    if (!makers) {
      throw new ArgumentError(
        `${this.#what} expected one that was made by its function, got ${shown(name)}; 'tapeloop' knows names, 'tapeloop/lean' does not`,
      );
    }
    const word = typeof name === 'string' ? name : '';
    const full = Object.hasOwn(this.#shortNames, word) ? this.#shortNames[word]! : word;
    if (Object.hasOwn(makers, full)) return makers[full]!;
    const own = word ? customObject(this.#what, word) : undefined;
    // What has no options in the file is what was given.
    if (own !== undefined) {
      return (options) => (nameOfCustom(name) === undefined ? madeOf(own, options) : own) as T;
    }
    throw unknownName(this.#what, Object.keys(makers), name);
  }
}
