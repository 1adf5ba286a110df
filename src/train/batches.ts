import { type DType, empty, type Tensor } from '../autograd/tensor.ts';
import type { NdArray } from '../data/array.ts';
import type { Engine } from '../engine/engine.ts';

/** Copies the samples `order[from … to)` of `array` into a tensor of the open step. */
export function uploadBatch(
  engine: Engine,
  array: NdArray,
  dtype: DType,
  order: Uint32Array,
  { from, to, name }: { from: number; to: number; name: string },
): Tensor {
  const sample = array.data.length / Math.max(array.shape[0]!, 1);
  const t = empty([to - from, ...array.shape.slice(1)], { dtype, name, engine });
  const view = dtype === 'f32' ? engine.f32(t.ptr, t.size) : engine.i32(t.ptr, t.size);
  const { data } = array;
  for (let i = from; i < to; i++) {
    const at = order[i]! * sample;
    const row = (i - from) * sample;
    for (let j = 0; j < sample; j++) view[row + j] = data[at + j]!;
  }
  return t;
}

/** 0, 1, …, count − 1. */
export const inTurn = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);
