import { record } from '../autograd/tape.ts';
import { ArgumentError, empty, formatShape, type Shape, sizeOf, type Tensor } from '../autograd/tensor.ts';

function expectTimeAxes(what: string, x: Tensor): void {
  if (x.shape.length < 2)
    throw new ArgumentError(`${what} expected a tensor of two or more axes, got ${formatShape(x.shape)}`);
}

/**
 * Exchanges the first two axes, `[B, T, …]` ↔ `[T, B, …]`, without moving a byte.
 *
 * @returns a view of `x` that shares its memory and its life.
 */
export function swapTimeBatch(x: Tensor): Tensor {
  expectTimeAxes('swapTimeBatch: x', x);
  const [a, b, ...rest] = x.shape as [number, number, ...number[]];
  const y = x.view([b, a, ...rest], !x.timeMajor, x.name);
  y.gatheredFrom = x.gatheredFrom;
  record([x], [y], (tape) => tape.give(x, tape.gradientOf(y)));
  return y;
}

/** `x` with its first two axes in the wanted memory order: itself, or a copy whose gradient flows back. @internal */
export function inOrder(x: Tensor, timeMajor: boolean): Tensor {
  if (x.timeMajor === timeMajor) return x;
  // Axes of length one are in both orders at once.
  if (x.shape.length < 2 || x.shape[0] === 1 || x.shape[1] === 1) {
    const y = x.view(x.shape, timeMajor, x.name);
    record([x], [y], (tape) => tape.give(x, tape.gradientOf(y)));
    return y;
  }
  const { engine } = x;
  const [first, second] = physicalAxes(x);
  const inner = x.size / Math.max(first * second, 1);
  const y = empty(x.shape, { dtype: x.dtype, name: x.name, timeMajor, engine });
  engine.kernels.swap_axes(first, second, inner, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    const dx = engine.allocateScratch(x.size);
    engine.kernels.swap_axes(second, first, inner, dy, dx);
    tape.give(x, dx);
  });
  return y;
}

/** `x` with its last axis contiguous in memory, so that it is a stack of rows. @internal */
export const asRows = (x: Tensor): Tensor => (x.shape.length < 3 ? inOrder(x, false) : x);

/** Lengths of the first two axes as they stand in memory. */
function physicalAxes(x: Tensor): [number, number] {
  const [a, b] = x.shape as [number, number];
  return x.timeMajor ? [b, a] : [a, b];
}

/**
 * The same elements, row-major, under another shape.
 *
 * @param shape at most one entry may be −1, which is then worked out.
 * @returns a view of `x`, or of a copy where `x` is time-major.
 * @throws ArgumentError if the sizes differ.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((n) => n !== -1));
  const full = shape.map((n) => (n === -1 ? x.size / known : n));
  if (sizeOf(full) !== x.size || full.some((n) => !Number.isInteger(n)) || shape.filter((n) => n === -1).length > 1) {
    throw new ArgumentError(
      `reshape: shape ${formatShape(shape)} expected to hold the ${x.size} elements of ${formatShape(x.shape)}`,
    );
  }
  const source = inOrder(x, false);
  const y = source.view(full, false, x.name);
  record([source], [y], (tape) => tape.give(source, tape.gradientOf(y)));
  return y;
}

/**
 * Joins tensors along the last axis: `[…, F₁]`, `[…, F₂]`, … → `[…, F₁ + F₂ + …]`.
 *
 * @throws ArgumentError if there is none, or if leading axes differ.
 */
export function concatenate(parts: readonly Tensor[]): Tensor {
  const first = parts[0];
  if (!first) throw new ArgumentError('concatenate: parts expected one tensor or more, got none');
  const leading = first.shape.slice(0, -1);
  const rows = sizeOf(leading);
  const widths = parts.map((part, i) => {
    if (formatShape(part.shape.slice(0, -1)) !== formatShape(leading)) {
      throw new ArgumentError(
        `concatenate: parts[${i}] expected leading axes ${formatShape(leading)}, got ${formatShape(part.shape)}`,
      );
    }
    if (part.dtype !== first.dtype) {
      throw new ArgumentError(`concatenate: parts[${i}] expected ${first.dtype}, got ${part.dtype}`);
    }
    return part.shape.at(-1)!;
  });
  const { engine } = first;
  const { kernels } = engine;
  const timeMajor = first.timeMajor && first.shape.length > 2;
  const ordered = parts.map((part) => inOrder(part, timeMajor));
  const width = widths.reduce((sum, n) => sum + n, 0);
  const y = empty([...leading, width], { dtype: first.dtype, name: 'concatenate', timeMajor, engine });
  let at = 0;
  const offsets = widths.map((n) => (at += n) - n);
  for (const [i, part] of ordered.entries()) {
    kernels.copy_2d(rows, widths[i]!, part.ptr, widths[i]!, y.ptr + 4 * offsets[i]!, width);
  }
  record(ordered, [y], (tape) => {
    const dy = tape.gradientOf(y);
    for (const [i, part] of ordered.entries()) {
      if (!tape.tracks(part)) continue;
      const dPart = engine.allocateScratch(part.size);
      kernels.copy_2d(rows, widths[i]!, dy + 4 * offsets[i]!, width, dPart, widths[i]!);
      tape.give(part, dPart);
    }
  });
  return y;
}

/**
 * The last time step of a sequence, `[B, T, F]` → `[B, F]`.
 *
 * @returns a view where `x` is stored time-major, else a copy.
 */
export function lastStep(x: Tensor): Tensor {
  const [batch, time, features] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || time === 0) {
    throw new ArgumentError(`lastStep: x expected [B, T, F] with T ≥ 1, got ${formatShape(x.shape)}`);
  }
  const source = inOrder(x, true);
  const offset = (time - 1) * batch * features;
  const y = source.view([batch, features], false, `${x.name}[last]`, offset);
  record([source], [y], (tape) => {
    const dx = tape.intoZeroed(source)!;
    source.engine.kernels.axpy(y.size, 1, tape.gradientOf(y), dx + 4 * offset);
  });
  return y;
}
