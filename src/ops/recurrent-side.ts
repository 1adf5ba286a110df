import type { Destination } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { BackwardStep, Cell, ForwardStep, RecurrentBlock } from '../cells/cell.ts';
import { Binary, Init, type Kernels, type Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import type { Part } from '../engine/threads.ts';
import { ColumnSums } from './column-sums.ts';
import { rowSum } from './product.ts';

/** Steps side by side in memory, by the addresses of the first of them. */
export interface Stretch {
  steps: number;
  /** h before each step, `[steps, B, H]`; 0 where it is all zeros. */
  hidden: Ptr;
  /** `[steps, B, G·H]` */
  gates: Ptr;
  /** `[steps, B, saved·H]` */
  saved: Ptr;
}

export interface RecurrentOperands {
  cell: Cell;
  /** U `[H, G·H]` */
  kernel: Tensor;
  /** The bias of the recurrent side, `[G·H]`, or 0. */
  bias: Ptr;
  /** Masks `[G, B, H]`, which what stands left of U is multiplied by before the columns of each gate. */
  dropout: Tensor | undefined;
  batch: number;
  /** Whether the scan walks, and so sums gradients, the other way. */
  reverse: boolean;
}

/** Columns of U that are multiplied as one matrix: a block's, or, under dropout, those of one gate. */
interface Slice {
  /** The first column in U, and how many. */
  from: number;
  columns: number;
  /** The first column in the block. */
  at: number;
  /** `[B, H]`, or 0. */
  mask: Ptr;
}

/** The recurrent side of a scan: the cell's products with U, its gradient, and dropout on what stands left of it. */
export class RecurrentSide {
  readonly #engine: Engine;
  readonly #o: RecurrentOperands;
  readonly #units: number;
  readonly #width: number;
  /** By block. */
  readonly #slices: Slice[][];

  constructor(operands: RecurrentOperands) {
    const { cell, kernel, dropout, batch } = operands;
    const units = kernel.shape[0]!;
    this.#engine = kernel.engine;
    this.#o = operands;
    this.#units = units;
    this.#width = cell.gates * units;
    this.#slices = cell.blocks.map(({ gate, gates }) => {
      if (!dropout) return [{ from: gate * units, columns: gates * units, at: 0, mask: 0 }];
      return Array.from({ length: gates }, (_, i) => ({
        ...{ from: (gate + i) * units, columns: units, at: i * units },
        mask: dropout.ptr + 4 * (gate + i) * batch * units,
      }));
    });
  }

  /** Packs U in scratch and gives each part of the batch its `project`. */
  begin(): (part: Part) => ForwardStep['project'] {
    const units = this.#units;
    const { bias } = this.#o;
    const packed = this.#pack(false);
    const zeroBias = this.#engine.zeroedScratch(this.#width);
    const dropped = this.#dropScratch();
    return ({ kernels, gemmScratch, from, to }) => {
      const rows = to - from;
      return (block, left, at, stride, init) => {
        const slices = this.#slices[block]!;
        for (let i = 0; i < slices.length; i++) {
          const slice = slices[i]!;
          const a = slice.mask ? this.#drop(kernels, slice, from, rows, left, dropped) : left;
          const offset = bias ? bias + 4 * slice.from : zeroBias;
          const [b, c] = [packed[block]![i]!, at + 4 * slice.at];
          kernels.gemm(rows, slice.columns, units, a, units, 1, b, c, stride, init, offset, gemmScratch);
        }
      };
    };
  }

  /** The same backwards, with Uᵀ. */
  beginBackward(): (part: Part) => BackwardStep['projectBack'] {
    const units = this.#units;
    const packed = this.#pack(true);
    const dropped = this.#dropScratch();
    return ({ kernels, gemmScratch, from, to }) => {
      const rows = to - from;
      return (block, left, stride, at, init) => {
        const slices = this.#slices[block]!;
        for (let i = 0; i < slices.length; i++) {
          const slice = slices[i]!;
          const [a, b, k] = [left + 4 * slice.at, packed[block]![i]!, slice.columns];
          if (!slice.mask) {
            kernels.gemm(rows, units, k, a, stride, 1, b, at, units, init, 0, gemmScratch);
            continue;
          }
          const place = dropped + 4 * from * units;
          kernels.gemm(rows, units, k, a, stride, 1, b, place, units, Init.Zero, 0, gemmScratch);
          this.#drop(kernels, slice, from, rows, place, dropped);
          if (i === 0 && init === Init.Zero) kernels.fill(rows * units, 0, at);
          kernels.axpy(rows * units, 1, place, at);
        }
      };
    };
  }

  /** In scratch: what sums up the gradients of U and of the recurrent bias over stretches, from the last one walked to the first. */
  gradients(dKernel: Destination | undefined, dBias: Destination | undefined): { add(s: Stretch): void; end(): void } {
    const { cell, batch, reverse } = this.#o;
    const sums = dBias && new ColumnSums(this.#engine, dBias, this.#width, this.#width);
    let init: number = dKernel?.accumulate ?? 0;
    return {
      add: (stretch) => {
        const rows = stretch.steps * batch;
        for (const [index, block] of cell.blocks.entries()) {
          const { at, stride } = this.#gradientOf(block, stretch);
          sums?.add(rows, block.gates * this.#units, at, stride, block.gate * this.#units, !reverse);
          if (!dKernel) continue;
          const left = this.#leftOf(block, stretch);
          if (left.at === 0) continue;
          for (const slice of this.#slices[index]!) {
            const right = { n: slice.columns, b: at + 4 * slice.at, ldB: stride };
            const to = { c: dKernel.ptr + 4 * slice.from, ldC: this.#width, init, backwards: !reverse };
            this.#engine.scratch(() => {
              const a = this.#dropSteps(slice, stretch.steps, left);
              rowSum(this.#engine, { rows, m: this.#units, a: a.at, ldA: a.stride, ...right, ...to });
            });
          }
        }
        init = Init.Accumulate;
      },
      end: () => sums?.end(),
    };
  }

  /** What stood left of a block in the forward product, and where backward left the gradient of the product. */
  #leftOf(block: RecurrentBlock, s: Stretch): Rows {
    if (block.input === 'saved') return { at: s.saved, stride: this.#o.cell.saved * this.#units };
    return { at: s.hidden, stride: this.#units };
  }

  #gradientOf(block: RecurrentBlock, s: Stretch): Rows {
    if (block.gradient === 'saved') return { at: s.saved, stride: this.#o.cell.saved * this.#units };
    return { at: s.gates + 4 * block.gate * this.#units, stride: this.#width };
  }

  #pack(transposed: boolean): Ptr[][] {
    return this.#slices.map((slices) =>
      slices.map(({ from, columns }) => packWhole(this.#engine, this.#o.kernel, from, columns, transposed)),
    );
  }

  #dropScratch(): Ptr {
    return this.#o.dropout ? this.#engine.allocateScratch(this.#o.batch * this.#units) : 0;
  }

  /** left ∘ mask for the rows of a part that start at `row`, at the part's own place in `dropped`; `left` may be that place. */
  #drop(kernels: Kernels, { mask }: Slice, row: number, rows: number, left: Ptr, dropped: Ptr): Ptr {
    const floats = rows * this.#units;
    const offset = 4 * row * this.#units;
    kernels.binary(Binary.Mul, 1, floats, left, floats, 1, mask + offset, floats, 1, dropped + offset);
    return dropped + offset;
  }

  /** left ∘ mask for whole steps, in scratch; `left` itself without dropout. */
  #dropSteps({ mask }: Slice, steps: number, left: Rows): Rows {
    if (!mask) return left;
    const floats = this.#o.batch * this.#units;
    const at = this.#engine.allocateScratch(steps * floats);
    this.#engine.kernels.binary(Binary.Mul, steps, floats, left.at, floats, 1, mask, 0, 1, at);
    return { at, stride: this.#units };
  }
}

/** Rows in memory, `stride` floats apart. */
interface Rows {
  at: Ptr;
  stride: number;
}

/** Columns [from, from + count) of a matrix, or their transpose, packed in scratch as the right operand of `gemm`. */
function packWhole(engine: Engine, matrix: Tensor, from: number, count: number, transposed: boolean): Ptr {
  const { kernels } = engine;
  const [rows, columns] = matrix.shape as [number, number];
  const [k, n] = transposed ? [count, rows] : [rows, count];
  const packed = engine.allocateScratch(kernels.gemm_packed_size(k, n));
  const [rs, cs] = transposed ? [1, columns] : [columns, 1];
  kernels.gemm_pack_b(k, n, matrix.ptr + 4 * from, rs, cs, packed);
  return packed;
}
