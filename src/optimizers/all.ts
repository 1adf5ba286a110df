import { adadelta, adagrad, adam, adamax, adamw, lion, nadam, rmsprop, sgd } from './index.ts';

/**
 * Every maker of a optimizer, for its table. Spelt out, since bundlers keep a namespace that is used as a value whole.
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
