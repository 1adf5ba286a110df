import { tensorOf, type Weight } from '../autograd/parameter.ts';
import { openTape, record } from '../autograd/tape.ts';
import { ArgumentError, empty, expectF32, formatShape, type Tensor } from '../autograd/tensor.ts';
import { expectIds } from './ids.ts';
import { inOrder } from './layout.ts';

/**
 * y[…, :] = table[ids[…], :]
 *
 * @param ids `[…]` i32, each in [0, V), in either memory order.
 * @param weight table `[V, E]` f32.
 * @returns `[…, E]`, in the memory order of `ids`.
 * @throws ArgumentError if an id is outside [0, V) or `ids` is not i32.
 */
export function embed(ids: Tensor, weight: Weight): Tensor {
  expectF32('embed: weight', tensorOf(weight));
  const table = inOrder(tensorOf(weight), false);
  const { engine } = table;
  const { kernels } = engine;
  if (ids.dtype !== 'i32') throw new ArgumentError(`embed: ids expected i32, got ${ids.dtype}`);
  if (table.shape.length !== 2) {
    throw new ArgumentError(`embed: weight expected [vocabulary, width], got ${formatShape(table.shape)}`);
  }
  const [vocabulary, width] = table.shape as [number, number];
  expectIds('embed: ids', ids, vocabulary);
  const y = empty([...ids.shape, width], { name: 'embed', timeMajor: ids.timeMajor, engine });
  kernels.gather(ids.size, width, table.ptr, ids.ptr, y.ptr, 0);
  // Outside a step the table may change before anyone reads this.
  if (engine.openStep !== 0) y.gatheredFrom = { table, ids, tape: openTape() };
  record([table], [y], (tape) => {
    const dTable = tape.intoZeroed(table)!;
    kernels.scatter_add(ids.size, width, ids.ptr, tape.gradientOf(y), dTable);
  });
  return y;
}
