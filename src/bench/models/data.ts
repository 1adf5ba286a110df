// The batches of models: tokens, features and targets.
import { integers, uniform } from './numbers.ts';
import { type ModelShape, outputRows } from './shapes.ts';

export const INPUT_SEED = 100;
export const TARGET_SEED = 101;
const LENGTH_SEED = 102;

/** Number of steps of each sequence. */
export const lengthsOf = ({ batch, time, masked }: ModelShape): Int32Array<ArrayBuffer> =>
  masked
    ? integers(LENGTH_SEED, batch, time >> 1).map((length) => length + (time >> 1))
    : new Int32Array(batch).fill(time);

/** Tokens `[B, T]`. */
export const tokensOf = ({ batch, time, layers: [first] }: ModelShape): Int32Array<ArrayBuffer> =>
  integers(INPUT_SEED, batch * time, first!.kind === 'embedding' ? first.words : 1);

/** Features `[B, T, F]`. What a mask hides is 0. */
export function featuresOf(model: ModelShape): Float32Array<ArrayBuffer> {
  const { time, features = 0 } = model;
  const x = uniform(INPUT_SEED, model.batch * time * features, 1);
  lengthsOf(model).forEach((length, i) => x.fill(0, (i * time + length) * features, (i + 1) * time * features));
  return x;
}

/** Classes `[B, T]`, or `[B]` if the model has one output a sequence; for the other losses numbers `[B, 1]`. */
export function targetsOf(model: ModelShape): Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  const { units } = model.layers.at(-1) as { units: number };
  if (model.loss === 'classes') return integers(TARGET_SEED, outputRows(model), units);
  if (model.loss === 'binary') return Float32Array.from(integers(TARGET_SEED, model.batch, 2));
  return uniform(TARGET_SEED, model.batch, 1);
}
