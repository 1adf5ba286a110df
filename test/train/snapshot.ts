// Everything that a failed training step must not change, to compare to the bit.
import type { Model } from '../../src/models/model.ts';
import { expectSameBits } from '../kernels/compare.ts';

export interface Snapshot {
  arrays: Record<string, ArrayLike<number>>;
  counts: Record<string, unknown>;
}

/** Weights, optimizer state, carried states, every stream of random numbers, and the optimizer's count. */
export function snapshotOf(model: Model): Snapshot {
  const { optimizer } = model;
  const arrays: Snapshot['arrays'] = {};
  const counts: Snapshot['counts'] = { iterations: optimizer.iterations, shuffle: model.trainer.random.state };
  for (const weight of model.weights) {
    arrays[weight.name] = weight.toArray();
    counts[`version of ${weight.name}`] = weight.version;
  }
  for (const [name, slot] of optimizer.state(model.weights)) arrays[`optimizer/${name}`] = slot.toArray();
  for (const layer of model.layers) {
    counts[`random of ${layer.name}`] = layer.random.state;
    layer.carried?.values?.forEach((state, i) => {
      arrays[`state ${layer.name} ${i}`] = state;
    });
  }
  return { arrays, counts };
}

export function expectSameSnapshot(got: Snapshot, expected: Snapshot): void {
  const names = Object.keys(expected.arrays);
  if (String(Object.keys(got.arrays)) !== String(names)) {
    throw new Error(`tensors: got ${Object.keys(got.arrays)}, expected ${names}`);
  }
  for (const name of names) expectSameBits(got.arrays[name]!, expected.arrays[name]!, name);
  const [a, b] = [got.counts, expected.counts].map((counts) => JSON.stringify(counts, null, 1));
  if (a !== b) throw new Error(`counts: got ${a}, expected ${b}`);
}
