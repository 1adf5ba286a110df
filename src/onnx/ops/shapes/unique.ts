import { sizeOf } from '../../../checks/shape.ts';
import type { Operator } from '../../graph/node.ts';
import { int64, type Value } from '../../graph/value.ts';
import { axisOf, rowMajor } from '../broadcast.ts';
import { axisPlaces, pick } from './places.ts';

/** The different parts along an axis; without an axis the different elements. */
interface Parts {
  /** The first of each different part, in the order in which they come. */
  readonly firsts: number[];
  /** For each part the place of its equal among `firsts`. */
  readonly which: number[];
  readonly counts: number[];
}

function partsOf(x: Value, axis: number, isSorted: boolean): Parts {
  const [count, step] = [x.shape[axis]!, rowMajor(x.shape)[axis]!];
  const [outer, whole] = [sizeOf(x.shape.slice(0, axis)), count * step];
  const elementsOf = (part: number): (number | string)[] =>
    Array.from({ length: outer * step }, (_, i) => x.host[Math.floor(i / step) * whole + part * step + (i % step)]!);
  const parts = Array.from({ length: count }, (_, part) => elementsOf(part));
  const known = new Map<string, number>();
  const [firsts, which, counts]: [number[], number[], number[]] = [[], [], []];
  parts.forEach((part, i) => {
    const key = JSON.stringify(part.map((each) => (typeof each === 'number' ? each + 0 : each)));
    const at = known.get(key) ?? known.size;
    known.set(key, at);
    if (at === firsts.length) [firsts[at], counts[at]] = [i, 0];
    counts[at]!++;
    which.push(at);
  });
  if (!isSorted) return { firsts, which, counts };
  const order = [...firsts.keys()].sort((a, b) => compare(parts[firsts[a]!]!, parts[firsts[b]!]!));
  const rank = order.map((_, i) => order.indexOf(i));
  return {
    firsts: order.map((at) => firsts[at]!),
    which: which.map((at) => rank[at]!),
    counts: order.map((at) => counts[at]!),
  };
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const i = a.findIndex((each, at) => each !== b[at]);
  return i < 0 ? 0 : a[i]! < b[i]! ? -1 : 1;
}

const kernel =
  (axis: number | undefined, isSorted: boolean) =>
  (given: Value): [y: Value, firsts: Value, which: Value, counts: Value] => {
    const x = axis === undefined ? given.reshaped([given.size]) : given;
    const at = axisOf(axis ?? 0, x.shape.length);
    const { firsts, which, counts } = partsOf(x, at, isSorted);
    const y = pick(x, axisPlaces(x.shape, at, firsts), x.shape.with(at, firsts.length));
    return [y, int64(firsts), int64(which), int64(counts)];
  };

export const unique: Operator = {
  isOpen: true,
  make(node) {
    const run = kernel(node.has('axis') ? node.int('axis', 0) : undefined, node.flag('sorted', true));
    return ([x]) => run(x!);
  },
};

/** That of com.microsoft: elements in the order in which they come, their places, and their counts. */
export const uniqueInOrder: Operator = {
  isOpen: true,
  make: () => {
    const run = kernel(undefined, false);
    return ([x]) => {
      const [y, , which, counts] = run(x!);
      return [y, which, counts];
    };
  },
};
