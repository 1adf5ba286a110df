/**
 * An object that can be called: a call runs `run` with the object, the argument and the options.
 *
 * The base constructor returns a function, so every instance is a function, on which subclasses set their fields.
 */
export class Callable {
  constructor(run: (self: never, x: never, options: object) => unknown) {
    const self = (x: never, options: object = {}) => run(self as never, x, options);
    // biome-ignore lint/correctness/noConstructorReturn: the returned function makes the object callable.
    return Object.setPrototypeOf(self, new.target.prototype);
  }
}
