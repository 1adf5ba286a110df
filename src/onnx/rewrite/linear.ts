// Sums of products with weights, read from a graph: what an exporter makes of x·W + h·R + b.
import type { NodeProto } from '../format/messages.ts';
import { attributeOf, floatOf, intOf, type Scope } from './scope.ts';

/** Part of a fixed matrix that maps K features to N: columns [from, to) of N, and maybe rows [first, last) of K. */
export interface Matrix {
  readonly name: string;
  /** Whether it is stored as `[N, K]`. */
  readonly isTurned: boolean;
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly last: number;
}

/** Part [from, to) of a fixed vector. */
export interface Bias {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface Term {
  readonly source: string;
  readonly matrix: Matrix;
}

export interface Linear {
  readonly width: number;
  readonly terms: readonly Term[];
  readonly biases: readonly Bias[];
}

/** A gate has two products, and a few biases. */
const MOST_PARTS = 6;
const DEEPEST = 12;
const known = new WeakMap<Scope, Map<string, Linear | undefined>>();

/** Reads a value `[…, N]` as a sum of products; undefined if it is none. */
export function linearOf(scope: Scope, name: string, depth = 0): Linear | undefined {
  const here = known.get(scope) ?? new Map<string, Linear | undefined>();
  known.set(scope, here);
  if (!here.has(name)) here.set(name, depth > DEEPEST ? undefined : readLinear(scope, name, depth));
  return here.get(name);
}

function readLinear(scope: Scope, name: string, depth: number): Linear | undefined {
  if (scope.isFixed(name)) return biasOf(scope, name);
  const node = scope.maker(name);
  if (!node) return undefined;
  const inputs = node.input ?? [];
  const of = (i: number): Linear | undefined => linearOf(scope, inputs[i] ?? '', depth + 1);
  switch (node.opType) {
    case 'Identity':
      return of(0);
    case 'Add':
      return sum(of(0), of(1));
    case 'MatMul':
      return product(scope, inputs, false);
    case 'Gemm': {
      if (floatOf(node, 'alpha', 1) !== 1 || floatOf(node, 'beta', 1) !== 1 || intOf(node, 'transA', 0) !== 0)
        return undefined;
      const own = product(scope, inputs, intOf(node, 'transB', 0) !== 0);
      return inputs[2] ? sum(own, of(2)) : own;
    }
    case 'Split':
    case 'Slice': {
      const whole = of(0);
      const range = whole && partOf(scope, node, name, whole.width);
      return range && sliced(whole, ...range);
    }
    default:
      return undefined;
  }
}

function biasOf(scope: Scope, name: string): Linear | undefined {
  const shape = scope.shapeOf(name);
  const width = shape?.at(-1);
  if (!shape || !width || !shape.slice(0, -1).every((n) => n === 1)) return undefined;
  return { width, terms: [], biases: [{ name, from: 0, to: width }] };
}

function product(scope: Scope, [source = '', weight = '']: readonly string[], isTurned: boolean): Linear | undefined {
  if (scope.isFixed(source) || !scope.isFixed(weight)) return undefined;
  const shape = scope.shapeOf(weight);
  if (shape?.length !== 2) return undefined;
  const [rows, width] = (isTurned ? [shape[1], shape[0]] : shape) as [number, number];
  const matrix: Matrix = { name: weight, isTurned, from: 0, to: width, first: 0, last: rows };
  return { width, terms: [{ source, matrix }], biases: [] };
}

function sum(a: Linear | undefined, b: Linear | undefined): Linear | undefined {
  if (!a || !b || a.width !== b.width) return undefined;
  if (a.terms.length + b.terms.length + a.biases.length + b.biases.length > MOST_PARTS) return undefined;
  return { width: a.width, terms: [...a.terms, ...b.terms], biases: [...a.biases, ...b.biases] };
}

/** The range that a node cuts out of the last axis of its input; `name` is its output. */
export function partOf(
  scope: Scope,
  node: NodeProto,
  name: string,
  width: number,
): readonly [from: number, to: number] | undefined {
  const listOf = (attribute: string, place: number): readonly number[] | undefined =>
    attributeOf(node, attribute)?.ints ?? scope.numbersOf(node.input?.[place] ?? '');
  const isLast = (axis: number | undefined): boolean => axis === 1 || axis === -1;
  if (node.opType === 'Split') {
    const outputs = node.output ?? [];
    if (!isLast(intOf(node, 'axis', 0))) return undefined;
    const given = listOf('split', 1);
    if ((node.input?.[1] ?? '') !== '' && !given) return undefined;
    const lengths = given ?? outputs.map(() => width / outputs.length);
    const at = outputs.indexOf(name);
    const from = lengths.slice(0, at).reduce((total, n) => total + n, 0);
    return Number.isInteger(from) ? [from, from + lengths[at]!] : undefined;
  }
  const [starts, ends, axes] = [listOf('starts', 1), listOf('ends', 2), listOf('axes', 3)];
  const steps = scope.numbersOf(node.input?.[4] ?? '') ?? [1];
  if (starts?.length !== 1 || ends?.length !== 1 || !isLast(axes?.[0]) || steps[0] !== 1) return undefined;
  if ((node.input?.[4] ?? '') !== '' && !scope.isFixed(node.input![4]!)) return undefined;
  const place = (n: number): number => Math.min(n < 0 ? n + width : n, width);
  const [from, to] = [place(starts[0]!), place(ends[0]!)];
  return from >= 0 && to > from ? [from, to] : undefined;
}

export function sliced({ terms, biases }: Linear, from: number, to: number): Linear {
  const cut = <T extends Bias>(part: T): T => ({ ...part, from: part.from + from, to: part.from + to });
  return {
    width: to - from,
    terms: terms.map(({ source, matrix }) => ({ source, matrix: cut(matrix) })),
    biases: biases.map(cut),
  };
}

/** Terms of x and h in place of one of both side by side, as TensorFlow's cells have it. h has as many numbers as a gate. */
export function separated(scope: Scope, linear: Linear, isState: (name: string) => boolean): Linear {
  const units = linear.width;
  const terms = linear.terms.flatMap((term): Term[] => {
    const parts = scope.maker(term.source, 'Concat');
    const axis = parts && intOf(parts, 'axis', 1);
    const [left = '', right = ''] = parts?.input ?? [];
    if (parts?.input?.length !== 2 || (axis !== 1 && axis !== -1) || isState(left) === isState(right)) return [term];
    const { matrix } = term;
    const middle = isState(left) ? matrix.first + units : matrix.last - units;
    if (middle <= matrix.first || middle >= matrix.last) return [term];
    return [
      { source: left, matrix: { ...matrix, last: middle } },
      { source: right, matrix: { ...matrix, first: middle } },
    ];
  });
  return { ...linear, terms };
}

/** What tells whether two parts are the same. */
export const keyOf = ({ terms, biases }: Linear): string => JSON.stringify([terms, biases]);
