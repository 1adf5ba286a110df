/**
 * An object that can be called: a call runs `run` with the object, the argument and the options.
 *
 * The base constructor returns a function, so that every instance is a function. The fields of subclasses are set on
 * it.
 */
export class Callable {
  constructor(run: (self: never, x: never, options: object) => unknown) {
    const self = (x: never, options: object = {}) => run(self as never, x, options);
    // biome-ignore lint/correctness/noConstructorReturn: the returned function makes the object callable.
    return Object.setPrototypeOf(self, new.target.prototype);
  }
}
