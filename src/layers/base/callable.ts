/**
 * An object that can be called: `run` gets it, the argument and the options.
 *
 * Returning a function from the base constructor makes every instance one; fields of the classes below are then put on
 * it.
 */
export class Callable {
  constructor(run: (self: never, x: never, options: object) => unknown) {
    const self = (x: never, options: object = {}) => run(self as never, x, options);
    // biome-ignore lint/correctness/noConstructorReturn: this is what makes it callable.
    return Object.setPrototypeOf(self, new.target.prototype);
  }
}
