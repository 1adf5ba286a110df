import type { Destination } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { BackwardStep, Cell, CellSizes, ForwardStep } from '../../cells/cell.ts';
import { type Block, forwardBlocks } from '../../cells/layout.ts';
import { Binary, Init, type Kernels, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Part } from '../../engine/threads.ts';
import { ColumnSums } from '../products/column-sums.ts';
import { packColumns } from '../products/packed-columns.ts';
import { packShared, rowSum } from '../products/product.ts';

/** Neighbouring steps in memory. The addresses are those of the first of them. */
export interface StepRange {
  steps: number;
  /** h before each step, `[steps, B, P]`; 0 if it is all zeros. */
  hidden: Ptr;
  /** `[steps, B, G·H]` */
  gates: Ptr;
  /** `[steps, B, saved·H]` */
  saved: Ptr;
  /** ∂L/∂h of each step, `[steps, B, P]`. */
  dHidden: Ptr;
}

export interface RecurrentOperands {
  cell: Cell;
  sizes: CellSizes & { readonly batch: number };
  /** U `[P, G·H]` */
  kernel: Tensor;
  /** The extra weights, in the order of `Cell.extraWeights`. */
  extra: readonly Tensor[];
  /** The bias of the recurrent side, `[G·H]`, or 0. */
  bias: Ptr;
  /** Masks `[G, B, P]`; the left operand of U is multiplied by mask g before the columns of gate g. */
  dropout: Tensor | undefined;
  /** Whether the scan runs backwards in time, so that sums over steps do too. */
  reverse: boolean;
}

/** Columns of a matrix that are multiplied in one product: those of a block, or with dropout those of one gate. */
interface Slice {
  matrix: Tensor;
  rows: number;
  /** Index of its first column in the matrix. */
  from: number;
  /** Number of columns. */
  columns: number;
  /** Index of its first column in the block. */
  at: number;
  /** `[B, rows]`, or 0. */
  mask: Ptr;
}

/** Rows in memory, `stride` floats apart. */
interface Rows {
  at: Ptr;
  stride: number;
}

/** Where gradients go; undefined for a gradient that is not needed. */
export interface RecurrentDestinations {
  kernel: Destination | undefined;
  /** Addresses to add to; 0 for a gradient that is not needed. */
  extra: readonly Ptr[];
  /** The whole bias; its second row is that of the recurrent side. */
  bias: Destination | undefined;
}

/** The recurrent side of a scan: products with the blocks of the cell, and their gradients. */
export interface RecurrentProducts {
  /**
   * Packs the blocks of a forward step, in scratch unless they are `kept`. The returned function gives each part of the
   * batch its `project`.
   */
  begin(kept: boolean): (part: Part) => ForwardStep['project'];
  /**
   * Packs the transposed blocks for backward steps, in scratch; those of U are packed at `room` if they fit into the
   * size of U. The returned function gives each part of the batch its `projectBack`.
   */
  beginBackward(room: Ptr): (part: Part) => BackwardStep['projectBack'];
  /**
   * In scratch: sums for the gradients of the blocks and of the recurrent bias. Ranges are added from the last one of
   * the scan to the first.
   */
  gradients(to: RecurrentDestinations): { add(s: StepRange): void; end(): void };
}

/** Matrix products, with dropout on the left operand of U. */
export class RecurrentSide implements RecurrentProducts {
  readonly #engine: Engine;
  readonly #o: RecurrentOperands;
  /** Floats of all gates of one row: G·H. */
  readonly #width: number;
  /** The slices of each block. */
  readonly #slices: Slice[][];

  constructor(operands: RecurrentOperands) {
    this.#engine = operands.kernel.engine;
    this.#o = operands;
    this.#width = operands.cell.gates * operands.sizes.units;
    this.#slices = operands.cell.blocks.map((block) => slicesOf(block, operands));
  }

  begin(kept: boolean): (part: Part) => ForwardStep['project'] {
    const { cell, bias, sizes } = this.#o;
    const blocks = forwardBlocks(cell.blocks).map((block) =>
      slicesOf(block, this.#o).map((slice) => ({
        slice,
        times: packColumns(slice.matrix, slice.from, slice.columns, sizes.batch, kept),
      })),
    );
    const zeroBias = this.#engine.zeroedScratch(this.#width);
    const dropped = this.#dropScratch();
    return ({ kernels, gemmScratch, from, to }) => {
      const m = to - from;
      return (block, left, at, stride, init) => {
        const slices = blocks[block]!;
        for (let i = 0; i < slices.length; i++) {
          const { slice, times } = slices[i]!;
          const a = slice.mask ? this.#drop(kernels, slice, from, m, left, dropped) : left;
          const offset = bias ? bias + 4 * slice.from : zeroBias;
          times(kernels, gemmScratch, m, a, at + 4 * slice.at, stride, init, offset);
        }
      };
    };
  }

  beginBackward(room: Ptr): (part: Part) => BackwardStep['projectBack'] {
    const packed = this.#packTransposed(room);
    const dropped = this.#dropScratch();
    return ({ kernels, gemmScratch, from, to }) => {
      const m = to - from;
      return (block, left, stride, at, init) => {
        const slices = this.#slices[block]!;
        for (let i = 0; i < slices.length; i++) {
          const slice = slices[i]!;
          const [n, k, a, b] = [slice.rows, slice.columns, left + 4 * slice.at, packed[block]![i]!];
          if (!slice.mask) {
            kernels.gemm(m, n, k, a, stride, 1, b, at, n, init, 0, gemmScratch);
            continue;
          }
          const place = dropped + 4 * from * n;
          kernels.gemm(m, n, k, a, stride, 1, b, place, n, Init.Zero, 0, gemmScratch);
          this.#drop(kernels, slice, from, m, place, dropped);
          if (i === 0 && init === Init.Zero) kernels.fill(m * n, 0, at);
          kernels.axpy(m * n, 1, place, at);
        }
      };
    };
  }

  gradients(to: RecurrentDestinations): { add(s: StepRange): void; end(): void } {
    const { cell, sizes, reverse } = this.#o;
    const sums = to.bias && new ColumnSums(this.#engine, to.bias, this.#width, this.#width);
    let first = true;
    return {
      add: (range) => {
        for (const [index, block] of cell.blocks.entries()) {
          const right = this.#gradientOf(block, range);
          if (sums && !('extra' in block)) {
            const [from, columns] = [block.gate * sizes.units, block.gates * sizes.units];
            sums.add(range.steps * sizes.batch, columns, right.at, right.stride, from, !reverse);
          }
          const left = this.#leftOf(block, range);
          const at = 'extra' in block ? to.extra[block.extra] : to.kernel?.ptr;
          if (!at || left.at === 0) continue;
          const init = first && !('extra' in block) ? to.kernel!.accumulate : Init.Accumulate;
          for (const slice of this.#slices[index]!) this.#addSlice(slice, range.steps, left, right, at, init);
        }
        first = false;
      },
      end: () => sums?.end(),
    };
  }

  #addSlice(slice: Slice, steps: number, left: Rows, right: Rows, to: Ptr, init: number): void {
    this.#engine.scratch(() => {
      const a = this.#dropSteps(slice, steps, left);
      rowSum(this.#engine, {
        rows: steps * this.#o.sizes.batch,
        m: slice.rows,
        a: a.at,
        ldA: a.stride,
        n: slice.columns,
        b: right.at + 4 * slice.at,
        ldB: right.stride,
        c: to + 4 * slice.from,
        ldC: slice.matrix.shape[1]!,
        init,
        backwards: !this.#o.reverse,
      });
    });
  }

  /** The left operand of a block in the forward product. */
  #leftOf({ input }: Block, s: StepRange): Rows {
    const { cell, sizes } = this.#o;
    return input === 'saved'
      ? { at: s.saved, stride: cell.saved * sizes.units }
      : { at: s.hidden, stride: sizes.hidden };
  }

  /** Where backward has written the gradient of the product. */
  #gradientOf(block: Block, s: StepRange): Rows {
    const { cell, sizes } = this.#o;
    if (block.gradient === 'hidden') return { at: s.dHidden, stride: sizes.hidden };
    if (block.gradient === 'saved') return { at: s.saved, stride: cell.saved * sizes.units };
    return { at: s.gates + 4 * block.gate * sizes.units, stride: this.#width };
  }

  #packTransposed(room: Ptr): Ptr[][] {
    const { kernel } = this.#o;
    const { kernels } = this.#engine;
    let next = room;
    const placeFor = (matrix: Tensor, floats: number): Ptr => {
      const at = next;
      if (room === 0 || matrix !== kernel || at + 4 * floats > room + 4 * kernel.size) {
        return this.#engine.allocateScratch(floats);
      }
      next += 4 * floats;
      return at;
    };
    return this.#slices.map((slices) =>
      slices.map(({ matrix, rows, from, columns }) => {
        const packed = placeFor(matrix, kernels.gemm_packed_size(columns, rows));
        packShared(this.#engine, columns, rows, matrix.ptr + 4 * from, 1, matrix.shape[1]!, packed);
        return packed;
      }),
    );
  }

  #dropScratch(): Ptr {
    const { dropout, sizes } = this.#o;
    return dropout ? this.#engine.allocateScratch(sizes.batch * sizes.hidden) : 0;
  }

  /**
   * left ∘ mask for the rows of a part that start at `row`, written to the place of the part in `dropped`. `left` may
   * be that place.
   */
  #drop(kernels: Kernels, { mask, rows }: Slice, row: number, count: number, left: Ptr, dropped: Ptr): Ptr {
    const floats = count * rows;
    const offset = 4 * row * rows;
    kernels.binary(Binary.Mul, 1, floats, left, floats, 1, mask + offset, floats, 1, dropped + offset);
    return dropped + offset;
  }

  /** left ∘ mask for whole steps, in scratch; `left` itself without dropout. */
  #dropSteps({ mask, rows }: Slice, steps: number, left: Rows): Rows {
    if (!mask) return left;
    const floats = this.#o.sizes.batch * rows;
    const at = this.#engine.allocateScratch(steps * floats);
    this.#engine.kernels.binary(Binary.Mul, steps, floats, left.at, floats, 1, mask, 0, 1, at);
    return { at, stride: rows };
  }
}

function slicesOf(block: Block, { kernel, extra, dropout, sizes }: RecurrentOperands): Slice[] {
  if ('extra' in block) {
    const matrix = extra[block.extra]!;
    const [rows, columns] = matrix.shape as [number, number];
    return [{ matrix, rows, from: 0, columns, at: 0, mask: 0 }];
  }
  const { gate, gates } = block;
  const { units, hidden, batch } = sizes;
  const slice = { matrix: kernel, rows: hidden, from: gate * units, columns: gates * units, at: 0, mask: 0 };
  if (!dropout) return [slice];
  return Array.from({ length: gates }, (_, i) => ({
    ...slice,
    from: (gate + i) * units,
    columns: units,
    at: i * units,
    mask: dropout.ptr + 4 * (gate + i) * batch * hidden,
  }));
}
