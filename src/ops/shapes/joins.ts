import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList } from '../../checks/argument-error.ts';
import { formatShape } from '../../checks/shape.ts';
import { axisBlock, expectAxis } from './axis.ts';
import { expandDims, inOrder } from './layout.ts';

/** The parts as tensors. Throws `ArgumentError` unless there is one or more, all of one data type. */
function tensorsOf(what: string, given: readonly Weight[]): [Tensor, ...Tensor[]] {
  const parts = expectList(`${what}: parts`, given).map((part, i) => tensorOf(part as Weight, `${what}: parts[${i}]`));
  const [first] = parts;
  if (!first) throw new ArgumentError(`${what}: parts expected one tensor or more, got none`);
  for (const [i, part] of parts.entries()) {
    const { dtype } = part;
    if (dtype !== first.dtype) throw new ArgumentError(`${what}: parts[${i}] expected ${first.dtype}, got ${dtype}`);
  }
  return parts as [Tensor, ...Tensor[]];
}

/**
 * Joins tensors along one axis: `[…, F₁]`, `[…, F₂]`, … → `[…, F₁ + F₂ + …]`.
 *
 * @param parts tensors or parameters `[…]`, f32 or i32, alike in all other axes.
 * @param axis default the last; negative ones count from the end.
 * @returns a tensor in the memory order of the first part.
 * @throws ArgumentError if `parts` is not a list or is empty, a part is not a tensor, there is no such axis, or other
 *   axes or the data types differ.
 * @see numpy.concatenate
 */
export function concatenate(parts: readonly Weight[], axis = -1): Tensor {
  const tensors = tensorsOf('concatenate', parts);
  const [first] = tensors;
  const at = axisBlock('concatenate', first, axis).axis;
  for (const [i, part] of tensors.entries()) {
    const fits =
      part.shape.length === first.shape.length && part.shape.every((n, j) => j === at || n === first.shape[j]);
    if (!fits) {
      const expected = formatShape(first.shape.map((n, j) => (j === at ? null : n)));
      throw new ArgumentError(`concatenate: parts[${i}] expected ${expected}, got ${formatShape(part.shape)}`);
    }
  }
  const { engine, timeMajor } = first;
  const { kernels } = engine;
  const ordered = tensors.map((part) => inOrder(part, timeMajor));
  const lengths = tensors.map((part) => part.shape[at]!);
  const shape = first.shape.with(
    at,
    lengths.reduce((sum, n) => sum + n, 0),
  );
  const y = empty(shape, { dtype: first.dtype, name: 'concatenate', timeMajor, engine });
  const { outer, length, inner } = axisBlock('concatenate', y, at);
  let place = 0;
  const blocks = ordered.map((part, i) => {
    const [offset, width] = [4 * place * inner, lengths[i]! * inner];
    place += lengths[i]!;
    return { part, offset, width };
  });
  const row = length * inner;
  for (const { part, offset, width } of blocks) kernels.copy_2d(outer, width, part.ptr, width, y.ptr + offset, row);
  record(ordered, [y], (tape) => {
    const dy = tape.gradientOf(y);
    for (const { part, offset, width } of blocks) {
      if (!tape.tracks(part)) continue;
      const dPart = engine.allocateScratch(part.size);
      kernels.copy_2d(outer, width, dy + offset, row, dPart, width);
      tape.give(part, dPart);
    }
  });
  return y;
}

/**
 * Joins tensors of one shape along a new axis: T steps `[B, F]` along axis 1 → `[B, T, F]`.
 *
 * @param parts tensors or parameters `[…]` of one shape and data type.
 * @param axis of the result; default 0; negative ones count from the end.
 * @returns along axis 1 a tensor that is stored time-major, so that each part is copied as a whole; along other axes a
 *   row-major one.
 * @throws ArgumentError if `parts` is not a list or is empty, a part is not a tensor, there is no such axis, or shapes
 *   or data types differ.
 * @see numpy.stack
 */
export function stack(parts: readonly Weight[], axis = 0): Tensor {
  const tensors = tensorsOf('stack', parts);
  const [first] = tensors;
  const at = expectAxis(`stack: axis for parts ${formatShape(first.shape)}`, axis, first.shape.length + 1);
  for (const [i, { shape }] of tensors.entries()) expectShape(`stack: parts[${i}]`, shape, first.shape);
  const layers = tensors.map((part) => inOrder(expandDims(inOrder(part, false), at), at === 1));
  return concatenate(layers, at);
}
