import type { Tensor } from '../../autograd/tensor.ts';
import { type Kernels, MOST_GEMV_ROWS, type Ptr } from '../../engine/abi.ts';
import { packShared } from './product.ts';

/**
 * to ← init + left·columns for `m` dense rows of `left`, with the kernels and the scratch of a part. `to` has row
 * stride `stride`.
 */
export type TimesColumns = (
  ...call: [kernels: Kernels, scratch: Ptr, m: number, left: Ptr, to: Ptr, stride: number, init: number, bias: Ptr]
) => void;

/**
 * Address of a weight in another form of `floats` floats. With `kept` its parameter, if it has one, keeps this copy
 * until the values change; `key` and `form` are those of `Parameter.copyOf`. Otherwise the copy is made in scratch.
 */
export function packedForm(
  weight: Tensor,
  kept: boolean,
  key: string,
  form: unknown,
  floats: number,
  write: (to: Ptr) => void,
): Ptr {
  if (kept && weight.parameter) return weight.parameter.copyOf(key, form, floats, write);
  const at = weight.engine.allocateScratch(floats);
  write(at);
  return at;
}

/**
 * Packs columns [from, from + count) of a row-major matrix as the right operand of products.
 *
 * @param most the largest number of rows of the left operand. For one or two rows there is a kernel with its own
 *   packing.
 * @param kept whether the parameter keeps the packed columns until its values change, for weights that stay the same
 *   from call to call. Otherwise they are packed in scratch.
 */
export function packColumns(matrix: Tensor, from: number, count: number, most: number, kept: boolean): TimesColumns {
  const { engine } = matrix;
  const { kernels } = engine;
  const [rows, columns] = matrix.shape as [number, number];
  const first = matrix.ptr + 4 * from;
  const isFew = most <= MOST_GEMV_ROWS;
  const write = (to: Ptr): void => {
    if (isFew) kernels.gemv_pack_b(rows, count, first, columns, to);
    else packShared(engine, rows, count, first, columns, 1, to);
  };
  const floats = kernels.gemm_packed_size(rows, count);
  const at = packedForm(matrix, kept, `columns ${from} to ${from + count}`, isFew, floats, write);
  return isFew
    ? (own, _, m, left, to, stride, init, bias) => own.gemv(m, count, rows, left, rows, at, to, stride, init, bias)
    : (own, scratch, m, left, to, stride, init, bias) =>
        own.gemm(m, count, rows, left, rows, 1, at, to, stride, init, bias, scratch);
}
