import { NdArray } from '../data/array.ts';
import { leavesOf, mapNested, type Nested } from '../data/nested.ts';
import { type BatchShape, isShape } from '../layers/base/batch-shape.ts';
import { type Column, isColumn } from './feeds/samples.ts';
import type { Trainer } from './trainer.ts';

/** The outputs for no samples: `[0, …]`, with 0 for lengths that vary; `[0]` if the model is not built. */
export function emptyOutputs({ network }: Trainer, x: Nested<Column>): Nested<NdArray<Float32Array>> {
  const empty = (...shape: BatchShape): NdArray<Float32Array> =>
    new NdArray(new Float32Array(0), [0, ...shape.map((n) => n ?? 0)]);
  if (!network.isBuilt) return empty();
  // A list without elements has no shape of a sample.
  const isBare = leavesOf(x, isColumn).some(({ shape }) => shape.length === 1);
  const shapes: Nested<BatchShape> = isBare ? network.builtShape! : mapNested(x, isColumn, ({ shape }) => shape);
  return mapNested(network.outputShapes(shapes), isShape, ([, ...shape]) => empty(...shape));
}
