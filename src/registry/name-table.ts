import { ArgumentError, shown } from '../checks/argument-error.ts';
import { unknownName } from '../checks/options.ts';
import { customObject, makeFromConfig, nameOfCustom } from './custom-objects.ts';

type Maker<T> = (options: never) => T;

/**
 * The functions that make objects of one kind, by name. The table is empty until `registerAllNames` fills it: an app
 * that uses no names bundles only its own imports.
 */
export class NameTable<T> {
  readonly #what: string;
  // What the entries add, and everything once the table is filled.
  readonly #added: Record<string, Maker<T>> = {};
  #makers: Readonly<Record<string, Maker<T>>> | undefined;
  #shortNames: Readonly<Record<string, string>> = {};

  constructor(what: string) {
    this.#what = what;
  }

  get isFilled(): boolean {
    return this.#makers !== undefined;
  }

  /** @param shortNames full names by short name. */
  fill(makers: Readonly<Record<string, Maker<T>>>, shortNames: Readonly<Record<string, string>> = {}): void {
    this.#makers = Object.assign(this.#added, makers);
    this.#shortNames = shortNames;
  }

  /** Adds makers that the table knows once it is filled, before or after that. */
  add(makers: Readonly<Record<string, Maker<T>>>): void {
    Object.assign(this.#added, makers);
  }

  /** Whether `maker` is a function of the table itself, rather than an object that it makes. */
  hasMaker(maker: unknown): boolean {
    return Object.values<unknown>(this.#makers ?? {}).includes(maker);
  }

  /**
   * The function that makes the object of a name. While a file is read, an unknown name stands for a custom object.
   *
   * @throws ArgumentError if the table is empty or the name is unknown. The message has the most similar known name.
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
    // A name made by `customName` has no options in the file, so the given object is used as it is.
    if (own !== undefined) {
      return (options) => (nameOfCustom(name) === undefined ? makeFromConfig(own, options) : own) as T;
    }
    throw unknownName(this.#what, Object.keys(makers), name);
  }
}
