import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';

/** Throws `ArgumentError` for ids outside [0, limit). The error names the first one. @internal */
export function expectIds(what: string, ids: Tensor, limit: number): void {
  const { engine } = ids;
  const at = engine.kernels.first_invalid_id(ids.size, ids.ptr, limit);
  if (at < 0) return;
  const id = engine.i32(ids.ptr, ids.size)[at];
  const batch = ids.shape[0] ?? 1;
  const place = ids.timeMajor ? `[${at % batch}, ${Math.floor(at / batch)}]` : position(at, ids.shape);
  throw new ArgumentError(`${what} expected ids in [0, ${limit}), got ${id} at ${place} of ${formatShape(ids.shape)}`);
}

/** The index of a flat position, as code writes it. */
function position(flat: number, shape: readonly number[]): string {
  const index: number[] = [];
  let rest = flat;
  for (const length of [...shape].reverse()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return `[${index.join(', ')}]`;
}
