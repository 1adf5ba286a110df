import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, expectShape, expectTensor, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { expectIds } from '../ids.ts';
import { asRows, inOrder } from './layout.ts';

/**
 * Picks one element of each row: y[…] = x[…, ids[…]]
 *
 * @param input x [..., C] f32.
 * @param ids `[…]` i32, one for each row, each in [0, C).
 * @returns `[…]` f32.
 * @throws ArgumentError if `input` is not an f32 tensor, `ids` is not an i32 tensor with one id for each row, or an id
 *   is outside [0, C).
 * @see torch.gather
 */
export function pickRows(input: Weight, ids: Tensor): Tensor {
  input = floatsOf(input, 'pickRows: x');
  expectTensor('pickRows: ids', ids);
  if (ids.dtype !== 'i32') throw new ArgumentError(`pickRows: ids expected i32, got ${ids.dtype}`);
  expectShape('pickRows: ids', ids.shape, input.shape.slice(0, -1));
  const columns = input.shape.at(-1) ?? 0;
  expectIds('pickRows: ids', ids, columns);
  const x = asRows(input);
  const timeMajor = x.timeMajor && ids.shape.length > 1;
  const at = inOrder(ids, timeMajor);
  const { engine } = x;
  const rows = at.size;
  const y = empty(ids.shape, { name: 'pickRows', timeMajor, engine });
  const from = engine.f32(x.ptr, x.size);
  const to = engine.f32(y.ptr, rows);
  engine.i32(at.ptr, rows).forEach((id, i) => (to[i] = from[i * columns + id]!));
  record([x], [y], (tape) => {
    const dx = tape.intoZeroed(x)!;
    const dy = engine.f32(tape.gradientOf(y), rows);
    const into = engine.f32(dx, x.size);
    engine.i32(at.ptr, rows).forEach((id, i) => (into[i * columns + id]! += dy[i]!));
  });
  return y;
}
