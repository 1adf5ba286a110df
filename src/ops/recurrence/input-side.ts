import { type DeferredRows, type Destination, openTape, type Tape } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { Binary, Init, type Kernels, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { ColumnSums } from '../products/column-sums.ts';
import { packColumns } from '../products/packed-columns.ts';
import { kernelBackward, leftGradient, product, type RowProduct, rowSum } from '../products/product.ts';

/**
 * The input side of a scan: x·W + b for all T·B rows, G·H wide.
 *
 * If x is rows of a table (an embedding) that has fewer rows than x, the table is multiplied and the products are
 * gathered. This gives the same bits for a fraction of the work.
 */
export interface InputSide {
  /** The tensors that its gradients flow to. */
  readonly tensors: readonly Tensor[];
  /**
   * Prepares, in scratch, the projection of at most `most` rows at a time. With `kept`, W is packed once for many
   * calls.
   */
  begin(most: number, kept: boolean): ProjectInput;
  /**
   * Makes room for the gradients of x and W, and of the first row of b at `dBias`. Room outside of scratch is made now,
   * room in scratch by the returned function. With `defersX` the gradient of x is computed by `defer`.
   */
  beginBackward(tape: Tape, dBias: Destination | undefined, defersX: boolean): () => InputGradients;
  /**
   * Defers the gradient of x. It is called outside of scratch, after the last step, with ∂L/∂(x·W + b) of all rows,
   * `[T·B, G·H]`, which stay until the step ends.
   */
  defer(tape: Tape, dGates: Ptr): void;
}

/**
 * Writes rows [from, from + count) of x·W + b to `to`, with the kernels and the scratch of a part. The rows are some of
 * one step, or all of several steps.
 */
export type ProjectInput = (kernels: Kernels, gemmScratch: Ptr, from: number, count: number, to: Ptr) => void;

export interface InputGradients {
  /**
   * Adds steps [low, low + steps), given their ∂L/∂(x·W + b) `[steps·B, G·H]`. Calls run from the last steps of the
   * scan to the first.
   */
  add(low: number, steps: number, dGates: Ptr): void;
  /** Completes the gradients; called once, after the last `add`. */
  end(): void;
}

export interface InputOperands {
  /** `[T, B, I]` */
  x: Tensor;
  kernel: Tensor;
  bias: Tensor | undefined;
  /** Masks `[G, B, I]`; x is multiplied by mask g before the columns of gate g. */
  dropout: Tensor | undefined;
  /** Whether the scan runs backwards in time, so that sums over steps do too. */
  reverse: boolean;
}

interface Operands extends InputOperands {
  engine: Engine;
  batch: number;
  rows: number;
  inputs: number;
  width: number;
}

/** The input side for the given operands. */
export function inputSide(given: InputOperands): InputSide {
  const { x, kernel, dropout } = given;
  const [inputs, width] = kernel.shape as [number, number];
  const [time, batch] = x.shape as [number, number];
  const operands = { ...given, engine: x.engine, batch, rows: time * batch, inputs, width };
  if (dropout) return droppedSide(operands, dropout);
  const { gatheredFrom } = x;
  // If x was gathered on another tape, the gradient of x is not added to that of the table.
  return gatheredFrom && gatheredFrom.tape === openTape() && gatheredFrom.table.shape[0]! < operands.rows
    ? gatheredSide(operands, gatheredFrom.table, gatheredFrom.ids)
    : denseSide(operands);
}

const trackedOf = (x: Tensor, { kernel, bias }: Operands): Tensor[] => [x, kernel, ...(bias ? [bias] : [])];

function denseSide(operands: Operands): InputSide {
  const { engine, x, kernel, bias, batch, inputs, width, reverse } = operands;
  const gradientOfX = (rows: number, dGates: Ptr): DeferredRows =>
    leftGradient({ engine, left: x, kernel, rows, inputs, width }, dGates);
  return {
    tensors: trackedOf(x, operands),
    begin(most, kept) {
      const times = packColumns(kernel, 0, width, most, kept);
      const [init, offset] = bias ? [Init.Bias, bias.ptr] : [Init.Zero, 0];
      return (own, gemmScratch, from, count, to) => {
        times(own, gemmScratch, count, x.ptr + 4 * from * inputs, to, width, init, offset);
      };
    },
    beginBackward(tape, dBias, defersX) {
      const dKernel = tape.into(kernel);
      const dX = defersX ? undefined : tape.intoZeroed(x);
      return () => {
        const sums = dBias && new ColumnSums(engine, dBias, 0, width);
        let init: number = dKernel?.accumulate ?? 0;
        return {
          add(low, steps, dGates) {
            const rows = steps * batch;
            const at = 4 * low * batch * inputs;
            sums?.add(rows, width, dGates, width, 0, !reverse);
            if (dKernel) {
              const [left, right] = [
                { m: inputs, a: x.ptr + at, ldA: inputs },
                { n: width, b: dGates, ldB: width },
              ];
              const to = { c: dKernel.ptr, ldC: width, init, backwards: !reverse };
              rowSum(engine, { rows, ...left, ...right, ...to });
              init = Init.Accumulate;
            }
            if (dX) gradientOfX(rows, dGates).make({ ptr: dX + at, accumulate: 1 });
          },
          end: () => sums?.end(),
        };
      };
    },
    defer: (tape, dGates) => tape.defer(x, gradientOfX(operands.rows, dGates)),
  };
}

function gatheredSide(operands: Operands, table: Tensor, ids: Tensor): InputSide {
  const { engine, kernel, bias, batch, inputs, width, reverse } = operands;
  const { kernels } = engine;
  const entries = table.shape[0]!;
  return {
    tensors: trackedOf(table, operands),
    begin() {
      const products = engine.allocateScratch(entries * width);
      product(engine, {
        m: entries,
        n: width,
        k: inputs,
        a: table.ptr,
        rsA: inputs,
        csA: 1,
        b: kernel.ptr,
        rsB: width,
        csB: 1,
        c: products,
        rsC: width,
        ...(bias ? { init: Init.Bias, bias: bias.ptr } : {}),
      });
      return (own, _, from, count, to) => own.gather(count, width, products, ids.ptr + 4 * from, to, 0);
    },
    beginBackward(tape, dBias) {
      for (const tensor of [kernel, table]) if (tape.tracks(tensor)) tape.intoZeroed(tensor);
      return () => {
        const dProducts = engine.zeroedScratch(entries * width);
        return {
          add(low, steps, dGates) {
            const from = ids.ptr + 4 * low * batch;
            for (let i = 0; i < steps; i++) {
              const row = (reverse ? i : steps - 1 - i) * batch;
              kernels.scatter_add(batch, width, from + 4 * row, dGates + 4 * row * width, dProducts);
            }
          },
          end() {
            if (dBias) kernels.col_sum(entries, width, dProducts, width, dBias.ptr, dBias.accumulate);
            const operands: RowProduct = { engine, left: table, kernel, rows: entries, inputs, width };
            kernelBackward(tape, operands, dProducts);
            const dTable = tape.into(table);
            if (dTable) leftGradient(operands, dProducts).make(dTable);
          },
        };
      };
    },
    // The gradient of the table is computed as steps are added.
    defer() {},
  };
}

/** The input side with dropout: each gate reads x with a mask of its own. */
function droppedSide(operands: Operands, dropout: Tensor): InputSide {
  const { engine, x, kernel, bias, batch, inputs, width, reverse } = operands;
  const gates = dropout.shape[0]!;
  const units = width / gates;
  const step = batch * inputs;
  /** y ← x ∘ mask of a gate, for whole steps or for some rows of one step. */
  const drop = (kernels: Kernels, gate: number, row: number, count: number, from: Ptr, to: Ptr): void => {
    const [steps, floats] = count < batch ? [1, count * inputs] : [count / batch, step];
    const mask = dropout.ptr + 4 * (gate * batch + row) * inputs;
    kernels.binary(Binary.Mul, steps, floats, from, floats, 1, mask, 0, 1, to);
  };
  return {
    tensors: trackedOf(x, operands),
    begin(most, kept) {
      const packed = Array.from({ length: gates }, (_, gate) => packColumns(kernel, gate * units, units, most, kept));
      const dropped = engine.allocateScratch(Math.max(most, batch) * inputs);
      return (own, gemmScratch, from, count, to) => {
        const row = from % batch;
        const place = dropped + 4 * row * inputs;
        for (const [gate, times] of packed.entries()) {
          drop(own, gate, row, count, x.ptr + 4 * from * inputs, place);
          const at = to + 4 * gate * units;
          const [init, offset] = bias ? [Init.Bias, bias.ptr + 4 * gate * units] : [Init.Zero, 0];
          times(own, gemmScratch, count, place, at, width, init, offset);
        }
      };
    },
    beginBackward(tape, dBias) {
      const dKernel = tape.into(kernel);
      const dX = tape.intoZeroed(x);
      return () => {
        const sums = dBias && new ColumnSums(engine, dBias, 0, width);
        let init: number = dKernel?.accumulate ?? 0;
        const addGate = (gate: number, low: number, steps: number, dGates: Ptr): void => {
          const rows = steps * batch;
          const column = 4 * gate * units;
          const at = 4 * low * step;
          const dropped = engine.allocateScratch(rows * inputs);
          if (dKernel) {
            drop(engine.kernels, gate, 0, rows, x.ptr + at, dropped);
            const left = { m: inputs, a: dropped, ldA: inputs };
            const right = { n: units, b: dGates + column, ldB: width };
            rowSum(engine, {
              rows,
              ...left,
              ...right,
              c: dKernel.ptr + column,
              ldC: width,
              init,
              backwards: !reverse,
            });
          }
          if (dX !== undefined) {
            product(engine, {
              m: rows,
              n: inputs,
              k: units,
              a: dGates + column,
              rsA: width,
              csA: 1,
              b: kernel.ptr + column,
              rsB: 1,
              csB: width,
              c: dropped,
              rsC: inputs,
            });
            drop(engine.kernels, gate, 0, rows, dropped, dropped);
            engine.kernels.axpy(rows * inputs, 1, dropped, dX + at);
          }
        };
        return {
          add(low, steps, dGates) {
            sums?.add(steps * batch, width, dGates, width, 0, !reverse);
            for (let gate = 0; gate < gates; gate++) engine.scratch(() => addGate(gate, low, steps, dGates));
            init = Init.Accumulate;
          },
          end: () => sums?.end(),
        };
      };
    },
    defer() {},
  };
}
