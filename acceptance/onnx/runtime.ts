// onnxruntime-node, as the checks use it.
import * as ort from 'onnxruntime-node';
import type { ArraySpec } from '../../test/onnx/model-of.ts';

const types = {
  Float32Array: 'float32',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  Uint8Array: 'uint8',
  Int8Array: 'int8',
};

export const Session = {
  /** Runs a model once. Returns its outputs by name. */
  async run(
    bytes: Uint8Array,
    feeds: Readonly<Record<string, ArraySpec>>,
  ): Promise<Record<string, { dims: readonly number[]; data: ArrayLike<number> }>> {
    const session = await ort.InferenceSession.create(bytes, {
      graphOptimizationLevel: 'disabled',
      intraOpNumThreads: 1,
    });
    const tensors = Object.fromEntries(
      Object.entries(feeds).map(([name, { dims, data }]) => [
        name,
        new ort.Tensor(types[data.constructor.name as 'Int32Array'] as 'int32', data as Int32Array, dims as number[]),
      ]),
    );
    const outputs = await session.run(tensors);
    await session.release();
    return outputs as never;
  },
};
