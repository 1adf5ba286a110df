// Cells that an exporter has taken apart: which nodes compute one step of an LSTM, a GRU or an RNN.
import type { NodeProto } from '../format/messages.ts';
import { type Bias, keyOf, type Linear, linearOf, type Matrix, partOf, separated, sliced } from './linear.ts';
import { floatOf, type Scope } from './scope.ts';

/** The sum of one gate: x·w + h·r + biases. */
export interface Gate {
  readonly w: Matrix;
  readonly r: Matrix;
  readonly inputBiases: readonly Bias[];
  /** Biases that the reset gate multiplies, in a GRU with `linear_before_reset`. */
  readonly recurrentBiases: readonly Bias[];
}

/** An activation with its alpha and beta, if it takes them. */
export interface Activation {
  readonly op: string;
  readonly alpha?: number;
  readonly beta?: number;
}

/** One step of a recurrence, with the names of its values. */
export interface Cell {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  readonly units: number;
  readonly x: string;
  readonly h: string;
  readonly c: string | undefined;
  readonly nextH: string;
  readonly nextC: string | undefined;
  /** In the order of ONNX. */
  readonly gates: readonly Gate[];
  readonly activations: readonly Activation[];
  readonly linearBeforeReset: boolean;
  /** Whether x and h have two axes for certain: a Gemm reads them. */
  readonly isFlat: boolean;
}

/** Names that are known to be states. In a graph without a loop none is. */
export type IsState = (name: string) => boolean;

const known: Readonly<Record<string, (node: NodeProto) => Activation>> = {
  ...Object.fromEntries(['Sigmoid', 'Tanh', 'Relu', 'Softsign', 'Softplus'].map((op) => [op, () => ({ op })])),
  LeakyRelu: (node) => ({ op: 'LeakyRelu', alpha: floatOf(node, 'alpha', 0.01) }),
  ThresholdedRelu: (node) => ({ op: 'ThresholdedRelu', alpha: floatOf(node, 'alpha', 1) }),
  Elu: (node) => ({ op: 'Elu', alpha: floatOf(node, 'alpha', 1) }),
  HardSigmoid: (node) => ({
    ...{ op: 'HardSigmoid', alpha: floatOf(node, 'alpha', 0.2), beta: floatOf(node, 'beta', 0.5) },
  }),
};

const isSame = (a: Activation, b: Activation): boolean => JSON.stringify(a) === JSON.stringify(b);

interface Activated {
  readonly activation: Activation;
  readonly sum: Linear;
}

function activationOf(node: NodeProto | undefined): Activation | undefined {
  const op = node?.opType ?? '';
  return node && Object.hasOwn(known, op) ? known[op]!(node) : undefined;
}

/** An activation of a sum of products, or a part of one. */
function gateOf(scope: Scope, name: string, isState: IsState): Activated | undefined {
  const node = scope.maker(name);
  const from = node?.input?.[0] ?? '';
  if (node?.opType === 'Split' || node?.opType === 'Slice') {
    const whole = gateOf(scope, from, () => false);
    const range = whole && partOf(scope, node, name, whole.sum.width);
    if (!range) return undefined;
    return { activation: whole.activation, sum: separated(scope, sliced(whole.sum, ...range), isState) };
  }
  const activation = activationOf(node);
  const sum = activation && linearOf(scope, from);
  return sum && { activation, sum: separated(scope, sum, isState) };
}

/** Both orders of the operands of a node. */
function orders(node: NodeProto | undefined): [string, string][] {
  const [a = '', b = ''] = node?.input ?? [];
  if (!node) return [];
  return [
    [a, b],
    [b, a],
  ];
}

/** A gate that has one product with x and one with h. */
function bound({ terms, biases }: Linear, x: string, h: string): Gate | undefined {
  const [w, r] = [x, h].map((source) => terms.filter((term) => term.source === source));
  if (terms.length !== 2 || w!.length !== 1 || r!.length !== 1) return undefined;
  return { w: w![0]!.matrix, r: r![0]!.matrix, inputBiases: biases, recurrentBiases: [] };
}

const rowsOf = ({ first, last }: Matrix): number => last - first;

/** Which of two sources is the state: the one that is known to be, or the second whose width is that of the gates. */
function sourcesOf(sum: Linear, isState: IsState): { x: string; h: string } | undefined {
  const [a, b] = sum.terms;
  if (!a || !b || sum.terms.length !== 2 || a.source === b.source) return undefined;
  const [first, second] = [a, b].map(({ source, matrix }) =>
    isState(source) ? 2 : rowsOf(matrix) === sum.width ? 1 : 0,
  ) as [number, number];
  if (first === 0 && second === 0) return undefined;
  return second >= first ? { x: a.source, h: b.source } : { x: b.source, h: a.source };
}

/** h' = o·act(c'), c' = f·c + i·g */
function lstmOf(scope: Scope, nextH: string, isState: IsState): Cell | undefined {
  for (const [outputName, activated] of orders(scope.maker(nextH, 'Mul'))) {
    const output = gateOf(scope, outputName, isState);
    const after = scope.maker(activated);
    const activation = activationOf(after);
    if (!output || !activation) continue;
    const nextC = after!.input![0]!;
    for (const [kept, added] of orders(scope.maker(nextC, 'Add'))) {
      for (const [forgetName, c] of orders(scope.maker(kept, 'Mul'))) {
        const forget = gateOf(scope, forgetName, isState);
        if (!forget || gateOf(scope, c, isState)) continue;
        for (const [inputName, candidateName] of orders(scope.maker(added, 'Mul'))) {
          const [input, candidate] = [inputName, candidateName].map((each) => gateOf(scope, each, isState));
          if (!input || !candidate) continue;
          const gates = [input, output, forget, candidate];
          const fit = [output, forget].every((gate) => isSame(gate.activation, input.activation));
          if (!fit || new Set(gates.map(({ sum }) => keyOf(sum))).size < 4) continue;
          const activations = [input.activation, candidate.activation, activation];
          const cell = cellOf(scope, 'LSTM', gates, activations, isState, { nextH, nextC, c });
          if (cell) return cell;
        }
      }
    }
  }
  return undefined;
}

function cellOf(
  scope: Scope,
  op: Cell['op'],
  gates: readonly Activated[],
  activations: readonly Activation[],
  isState: IsState,
  { nextH, nextC, c }: { nextH: string; nextC?: string; c?: string },
): Cell | undefined {
  const sources = sourcesOf(gates[0]!.sum, isState);
  if (!sources) return undefined;
  const { x, h } = sources;
  const units = gates[0]!.sum.width;
  const own = gates.map(({ sum }) => bound(sum, x, h));
  if (!own.every((gate) => gate !== undefined)) return undefined;
  if (
    !own.every(({ r, w }, i) => gates[i]!.sum.width === units && rowsOf(r) === units && rowsOf(w) === rowsOf(own[0]!.w))
  )
    return undefined;
  const isFlat = scope.readByGemm.has(x) || scope.readByGemm.has(h);
  return { ...{ op, units, x, h, c, nextH, nextC, gates: own, activations, isFlat }, linearBeforeReset: false };
}

/** h' = act(x·w + h·r + b) */
function rnnOf(scope: Scope, nextH: string, isState: IsState): Cell | undefined {
  const gate = gateOf(scope, nextH, isState);
  return gate && cellOf(scope, 'RNN', [gate], [gate.activation], isState, { nextH });
}

/** h' = (1 − z)·n + z·h, or n + z·(h − n) */
function gruOf(scope: Scope, nextH: string, isState: IsState): Cell | undefined {
  for (const [left, right] of orders(scope.maker(nextH, 'Add'))) {
    for (const [zName, h, nName] of mixtures(scope, left, right)) {
      const z = gateOf(scope, zName, isState);
      const after = scope.maker(nName);
      const activation = activationOf(after);
      const cell = z && activation && gruWith(scope, z, activation, after!.input![0]!, { nextH, h, isState });
      if (cell) return cell;
    }
  }
  return undefined;
}

/** The names of z, h and n that two addends may stand for. */
function mixtures(scope: Scope, left: string, right: string): [z: string, h: string, n: string][] {
  const found: [string, string, string][] = [];
  for (const [z, other] of orders(scope.maker(right, 'Mul'))) {
    // left = n, right = z·(h − n)
    const difference = scope.maker(other, 'Sub')?.input;
    if (difference?.[1] === left) found.push([z, difference[0]!, left]);
    // left = (1 − z)·n, right = z·h
    for (const [rest, n] of orders(scope.maker(left, 'Mul'))) {
      const [one, subtracted] = scope.maker(rest, 'Sub')?.input ?? [];
      if (one !== undefined && subtracted === z && scope.isNumber(one, 1)) found.push([z, other, n]);
    }
  }
  return found;
}

/** Addends of a sum. */
function leavesOf(scope: Scope, name: string, depth = 0): string[] {
  const node = scope.maker(name, 'Add');
  return node && depth < 8 ? node.input!.flatMap((each) => leavesOf(scope, each, depth + 1)) : [name];
}

function gruWith(
  scope: Scope,
  z: Activated,
  activation: Activation,
  candidate: string,
  { nextH, h, isState: given }: { nextH: string; h: string; isState: IsState },
): Cell | undefined {
  const isState: IsState = (name) => name === h || given(name);
  const units = z.sum.width;
  const update = separated(scope, z.sum, isState);
  const sources = sourcesOf(update, (name) => name === h);
  if (!sources || sources.h !== h) return undefined;
  const { x } = sources;
  const resetOf = (name: string): { reset: Activated; other: string } | undefined => {
    for (const [gate, other] of orders(scope.maker(name, 'Mul'))) {
      const reset = gateOf(scope, gate, isState);
      if (reset && isSame(reset.activation, z.activation)) return { reset, other };
    }
    return undefined;
  };
  const leaves = leavesOf(scope, candidate);
  const after = leaves.map(resetOf).find((each) => each);
  const rest = leaves.filter((leaf) => !after || resetOf(leaf) === undefined);
  const sums = rest.map((leaf) => linearOf(scope, leaf));
  if (sums.length < leaves.length - 1 || !sums.every((each) => each?.width === units)) return undefined;
  const terms = sums
    .flatMap((each) => each!.terms)
    .flatMap(
      (term) =>
        separated(scope, { width: units, terms: [term], biases: [] }, (name) => resetOf(name)?.other === h).terms,
    );
  const biases = sums.flatMap((each) => each!.biases);
  let own: Gate | undefined;
  let reset: Activated | undefined;
  if (after) {
    // r·(h·R + b), and x·W + b
    const inner = linearOf(scope, after.other);
    if (terms.length !== 1 || terms[0]!.source !== x || inner?.terms.length !== 1 || inner.terms[0]!.source !== h)
      return undefined;
    reset = after.reset;
    own = {
      ...{ w: terms[0]!.matrix, r: inner.terms[0]!.matrix },
      ...{ inputBiases: biases, recurrentBiases: inner.biases },
    };
  } else {
    // (r·h)·R + x·W + b
    const [w, r] = [terms.filter(({ source }) => source === x), terms.filter(({ source }) => source !== x)];
    const product = resetOf(r[0]?.source ?? '');
    if (terms.length !== 2 || w.length !== 1 || product?.other !== h) return undefined;
    reset = product.reset;
    own = { w: w[0]!.matrix, r: r[0]!.matrix, inputBiases: biases, recurrentBiases: [] };
  }
  const [updateGate, resetGate] = [update, separated(scope, reset.sum, isState)].map((each) => bound(each, x, h));
  if (!updateGate || !resetGate || keyOf(update) === keyOf(reset.sum)) return undefined;
  const gates = [updateGate, resetGate, own];
  if (!gates.every(({ r, w }) => rowsOf(r) === units && r.to - r.from === units && rowsOf(w) === rowsOf(own.w)))
    return undefined;
  return {
    ...{ op: 'GRU', units, x, h, c: undefined, nextH, nextC: undefined, gates, linearBeforeReset: after !== undefined },
    activations: [z.activation, activation],
    isFlat: scope.readByGemm.has(x) || scope.readByGemm.has(h),
  };
}

/** The cell whose next h is `name`. */
export function cellAt(scope: Scope, name: string, isState: IsState = () => false): Cell | undefined {
  const op = scope.maker(name)?.opType;
  if (op === 'Mul') return lstmOf(scope, name, isState);
  if (op === 'Add') return gruOf(scope, name, isState);
  return rnnOf(scope, name, isState);
}
