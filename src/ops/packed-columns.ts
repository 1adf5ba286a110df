import type { Tensor } from '../autograd/tensor.ts';
import { type Kernels, MOST_GEMV_ROWS, type Ptr } from '../engine/abi.ts';

/** Columns of a row-major matrix, packed as the right operand of products. */
export class PackedColumns {
  readonly #rows: number;
  readonly #count: number;
  readonly #isGemv: boolean;
  readonly #at: Ptr;

  /**
   * Packs columns [from, from + count).
   *
   * @param most rows of the left operand, at most, in each product: one or two are multiplied by another kernel, which wants B packed in a way of its own.
   * @param kept a parameter keeps them, until its values change: where weights stay as they are from call to call. Else they are packed in scratch.
   */
  constructor(matrix: Tensor, from: number, count: number, most: number, kept: boolean) {
    const { engine, parameter } = matrix;
    const { kernels } = engine;
    const [rows, columns] = matrix.shape as [number, number];
    this.#rows = rows;
    this.#count = count;
    this.#isGemv = most <= MOST_GEMV_ROWS;
    const floats = kernels.gemm_packed_size(rows, count);
    const form = this.#isGemv ? 'gemv_pack_b' : 'gemm_pack_b';
    const write = (to: Ptr): void => kernels[form](rows, count, matrix.ptr + 4 * from, columns, 1, to);
    if (kept && parameter) this.#at = parameter.copyOf(`columns ${from} to ${from + count}`, form, floats, write);
    else write((this.#at = engine.allocateScratch(floats)));
  }

  /** to ← init + left·columns, for `m` dense rows of `left`, by a part's own kernels and scratch; `to` has row stride `stride`. */
  multiply(
    kernels: Kernels,
    scratch: Ptr,
    m: number,
    left: Ptr,
    to: Ptr,
    stride: number,
    init: number,
    bias: Ptr,
  ): void {
    const [n, k, b] = [this.#count, this.#rows, this.#at];
    if (this.#isGemv) kernels.gemv(m, n, k, left, k, b, to, stride, init, bias);
    else kernels.gemm(m, n, k, left, k, 1, b, to, stride, init, bias, scratch);
  }
}
