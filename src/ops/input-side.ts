import { type Destination, openTape, type Tape } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { Init, type Kernels, type Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { product, rowProductBackward } from './product.ts';

/**
 * The input side of a scan: x·W + b for all T·B rows, G·H wide.
 *
 * Where x is rows of a table that has fewer rows than x (an embedding), the table is multiplied instead and the products are
 * gathered: the same bits for a fraction of the work.
 */
export interface InputSide {
  /** What its gradients flow to. */
  readonly tensors: readonly Tensor[];
  /** Prepares, in scratch, a function that writes rows [from, from + count) of x·W + b to `to`, with a part's own kernels and scratch. */
  begin(): (kernels: Kernels, gemmScratch: Ptr, from: number, count: number, to: Ptr) => void;
  /** Contributes the gradients of x and W, and to `dBias` that of the first row of b, given ∂L/∂(x·W + b) `[T·B, G·H]`. */
  backward(tape: Tape, dGates: Ptr, dBias: Destination | undefined): void;
}

interface Operands {
  engine: Engine;
  x: Tensor;
  kernel: Tensor;
  bias: Tensor | undefined;
  rows: number;
  inputs: number;
  width: number;
}

export function inputSide(x: Tensor, kernel: Tensor, bias: Tensor | undefined): InputSide {
  const [inputs, width] = kernel.shape as [number, number];
  const operands = { engine: x.engine, x, kernel, bias, rows: x.size / Math.max(inputs, 1), inputs, width };
  const { gatheredFrom } = x;
  // Gathered elsewhere than on this tape, x is a value of its own: its gradient is not the table's.
  return gatheredFrom && gatheredFrom.tape === openTape() && gatheredFrom.table.shape[0]! < operands.rows
    ? gatheredSide(operands, gatheredFrom.table, gatheredFrom.ids)
    : denseSide(operands);
}

function denseSide({ engine, x, kernel, bias, rows, inputs, width }: Operands): InputSide {
  const { kernels } = engine;
  return {
    tensors: [x, kernel, ...(bias ? [bias] : [])],
    begin() {
      const packed = engine.allocateScratch(kernels.gemm_packed_size(inputs, width));
      kernels.gemm_pack_b(inputs, width, kernel.ptr, width, 1, packed);
      const [init, offset] = bias ? [Init.Bias, bias.ptr] : [Init.Zero, 0];
      return (own, gemmScratch, from, count, to) => {
        const at = x.ptr + 4 * from * inputs;
        own.gemm(count, width, inputs, at, inputs, 1, packed, to, width, init, offset, gemmScratch);
      };
    },
    backward(tape, dGates, dBias) {
      if (dBias) kernels.col_sum(rows, width, dGates, width, dBias.ptr, dBias.accumulate);
      rowProductBackward(tape, { engine, left: x, kernel, rows, inputs, width }, dGates);
    },
  };
}

function gatheredSide(operands: Operands, table: Tensor, ids: Tensor): InputSide {
  const { engine, kernel, bias, rows, inputs, width } = operands;
  const { kernels } = engine;
  const entries = table.shape[0]!;
  return {
    tensors: [table, kernel, ...(bias ? [bias] : [])],
    begin() {
      const products = engine.allocateScratch(entries * width);
      product(engine, {
        ...{ m: entries, n: width, k: inputs, a: table.ptr, rsA: inputs, csA: 1 },
        ...{ b: kernel.ptr, rsB: width, csB: 1, c: products, rsC: width },
        ...(bias ? { init: Init.Bias, bias: bias.ptr } : {}),
      });
      return (own, _, from, count, to) => own.gather(count, width, products, ids.ptr + 4 * from, to, 0);
    },
    backward(tape, dGates, dBias) {
      for (const tensor of [kernel, table]) if (tape.tracks(tensor)) tape.intoZeroed(tensor);
      engine.scratch(() => {
        const dProducts = engine.allocateScratch(entries * width);
        kernels.fill(entries * width, 0, dProducts);
        kernels.scatter_add(rows, width, ids.ptr, dGates, dProducts);
        if (dBias) kernels.col_sum(entries, width, dProducts, width, dBias.ptr, dBias.accumulate);
        rowProductBackward(tape, { engine, left: table, kernel, rows: entries, inputs, width }, dProducts);
      });
    },
  };
}
