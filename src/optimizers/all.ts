import { adadelta, adagrad, adam, adamax, adamw, lion, nadam, rmsprop, sgd } from './index.ts';

/**
 * The functions that make optimizers, by name. They are listed one by one, because bundlers keep a whole namespace if
 * it is used as a value.
 */
export const optimizers = {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  lion,
  nadam,
  rmsprop,
  sgd,
} satisfies Record<keyof typeof import('./index.ts'), unknown>;
