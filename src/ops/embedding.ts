import { floatsOf, tensorOf, type Weight } from '../autograd/parameter.ts';
import { openTape, record } from '../autograd/tape.ts';
import { empty, expectEngine, expectTensor, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectNoMore } from '../checks/argument-error.ts';
import { formatShape, sizeOf } from '../checks/shape.ts';
import { ELEMENTWISE_GRAIN } from '../engine/threads.ts';
import { expectIds } from './ids.ts';
import { inOrder, viewAs } from './shapes/layout.ts';

/**
 * Looks up rows of a table: y[…, :] = table[ids[…], :]
 *
 * @param ids `[…]` i32, each in [0, V), in either memory order.
 * @param weight table `[V, E]` f32.
 * @returns `[…, E]` f32, in the memory order of `ids`.
 * @throws ArgumentError if `ids` is not an i32 tensor, an id is outside [0, V), or `weight` is not an f32 tensor `[V,
 *   E]`.
 * @see keras.layers.Embedding, torch.nn.functional.embedding
 */
export function embed(ids: Tensor, weight: Weight): Tensor {
  expectTensor('embed: ids', ids);
  const table = inOrder(floatsOf(weight, 'embed: weight'), false);
  const { engine } = table;
  if (ids.dtype !== 'i32')
    throw new ArgumentError(`embed: ids expected i32, got ${ids.dtype}; model() wants inputs: { dtype: 'i32' }`);
  if (table.shape.length !== 2) {
    throw new ArgumentError(`embed: weight expected [vocabulary, width], got ${formatShape(table.shape)}`);
  }
  const [vocabulary, width] = table.shape as [number, number];
  expectIds('embed: ids', ids, vocabulary);
  const y = rowsOf('embed', table, ids, width);
  // Outside a step the table may change before this result is read.
  if (engine.openStep !== 0) y.gatheredFrom = { table, ids, tape: openTape() };
  return y;
}

/** Rows of a row-major table with rows of `width` elements, as `[…ids, width]`. */
function rowsOf(name: string, table: Tensor, ids: Tensor, width: number): Tensor {
  const { engine, dtype } = table;
  expectEngine(ids, table);
  const y = empty([...ids.shape, width], { dtype, name, timeMajor: ids.timeMajor, engine });
  const [tableAt, idsAt, to] = [table.ptr, ids.ptr, y.ptr];
  engine.parallel(ids.size, ELEMENTWISE_GRAIN / Math.max(width, 1), ({ kernels: own, from, to: end }) => {
    own.gather(end - from, width, tableAt, idsAt + 4 * from, to + 4 * from * width, 0);
  });
  record([table], [y], (tape) => {
    const dTable = tape.intoZeroed(table)!;
    engine.kernels.scatter_add(ids.size, width, ids.ptr, tape.gradientOf(y), dTable);
  });
  return y;
}

/**
 * Takes rows of a tensor: y[…, :] = x[ids[…], :]
 *
 * @param x `[N, …]` f32 or i32.
 * @param ids `[…]` i32, each in [0, N).
 * @returns the axes of `ids`, then the axes of `x` after its first.
 * @throws ArgumentError if `x` is not a tensor or has no axis, `ids` is not an i32 tensor, an id is outside [0, N), or
 *   there are more arguments.
 * @see numpy.take (axis=0)
 */
export function gather(x: Weight, ids: Tensor, ...others: never[]): Tensor {
  expectNoMore('gather', others);
  x = tensorOf(x, 'gather: x');
  expectTensor('gather: ids', ids);
  const [rows, ...rest] = x.shape;
  if (rows === undefined) throw new ArgumentError('gather: x expected one axis or more, got []');
  if (ids.dtype !== 'i32') throw new ArgumentError(`gather: ids expected i32, got ${ids.dtype}`);
  expectIds('gather: ids', ids, rows);
  const width = sizeOf(rest);
  const y = rowsOf('gather', inOrder(x, false), ids, width);
  return viewAs(y, [...ids.shape, ...rest], y.timeMajor);
}
