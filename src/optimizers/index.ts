// Every optimizer that has a name, exported under that name.
export { type AdadeltaOptions, adadelta } from './adadelta.ts';
export { type AdagradOptions, adagrad } from './adagrad.ts';
export { type AdamOptions, type AdamwOptions, adam, adamw, type MomentsOptions } from './adam.ts';
export { adamax } from './adamax.ts';
export { type LionOptions, lion } from './lion.ts';
export { nadam } from './nadam.ts';
export { type RmspropOptions, rmsprop } from './rmsprop.ts';
export { type SgdOptions, sgd } from './sgd.ts';
