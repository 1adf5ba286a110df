import type { Tensor } from '../autograd/tensor.ts';
import type { Ptr } from '../engine/abi.ts';

/**
 * Columns [from, from + count) of a row-major matrix, packed as the right operand of `gemm`.
 *
 * @param kept a parameter keeps them, until its values change: where weights stay as they are from call to call. Else they are packed in scratch.
 */
export function packedColumns(matrix: Tensor, from: number, count: number, kept: boolean): Ptr {
  const { engine, parameter } = matrix;
  const { kernels } = engine;
  const [rows, columns] = matrix.shape as [number, number];
  const floats = kernels.gemm_packed_size(rows, count);
  const write = (to: Ptr): void => kernels.gemm_pack_b(rows, count, matrix.ptr + 4 * from, columns, 1, to);
  if (kept && parameter) return parameter.copyAs(`columns ${from} to ${from + count} packed`, floats, write);
  const at = engine.allocateScratch(floats);
  write(at);
  return at;
}
