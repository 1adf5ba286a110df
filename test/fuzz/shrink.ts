import type { Plain } from './target.ts';

/**
 * A smaller input that fails in the same way: parts are left out, strings halved and numbers put nearer to 0 as long as
 * it does.
 *
 * @param fails whether an input still fails so.
 * @param budget milliseconds to spend.
 */
export async function shrink(input: Plain, fails: (input: Plain) => Promise<boolean>, budget: number): Promise<Plain> {
  const end = performance.now() + budget;
  let best = input;
  for (let changed = true; changed; ) {
    changed = false;
    for (const smaller of reductions(best)) {
      if (performance.now() > end) return best;
      if (!(await fails(smaller))) continue;
      best = smaller;
      changed = true;
      break;
    }
  }
  return best;
}

/** Inputs that are smaller in one place, the greatest steps first. */
function* reductions(value: Plain): Generator<Plain> {
  if (typeof value === 'string') {
    const half = value.length >> 1;
    if (half > 0) yield* [value.slice(0, half), value.slice(half)];
    if (value.length > 0 && value.length < 40) {
      for (let i = 0; i < value.length; i++) yield value.slice(0, i) + value.slice(i + 1);
    }
  } else if (Array.isArray(value)) {
    for (let step = value.length >> 1; step >= 1; step >>= 1) {
      for (let i = 0; i + step <= value.length; i += step) yield [...value.slice(0, i), ...value.slice(i + step)];
    }
    if (value.length === 1) yield [];
    for (const [i, part] of value.entries()) for (const smaller of reductions(part)) yield value.with(i, smaller);
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      const { [key]: part, ...rest } = value;
      yield rest;
      for (const smaller of reductions(part!)) yield { ...value, [key]: smaller };
    }
  } else if (typeof value === 'number' && Number.isInteger(value) && value > 1) {
    yield* [0, 1, value >> 1];
  }
}
