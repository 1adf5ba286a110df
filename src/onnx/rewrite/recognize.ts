// Finds LSTM, GRU and RNN that an exporter has taken apart, and puts them together again: single cells, cells after
// each other, and cells in the body of a Scan or a Loop. Weights stay as the file has them; new nodes join them.
import type { GraphProto, NodeProto, TensorProto } from '../format/messages.ts';
import type { ExternalData } from '../format/tensor-data.ts';
import { type Cell, cellAt } from './cells.ts';
import { Emitter } from './emit.ts';
import { loopAsRecurrence, scanAsRecurrence } from './loops.ts';
import { Scope, usesOf } from './scope.ts';

/** A recurrence that was found among simpler nodes. */
export interface RecognizedCell {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  /** Length of the state. */
  readonly units: number;
  /** What it was: one step, several steps after each other, or the body of a loop. */
  readonly form: 'cell' | 'unrolled' | 'Scan' | 'Loop';
  /** Number of steps, if the graph fixes it. */
  readonly steps: number | undefined;
  /** The value that was its last state h. */
  readonly output: string;
}

/** The graph with what was found. Throws nothing: what does not fit stays as it is. */
export function recognizeCells(
  graph: GraphProto,
  external: ExternalData | undefined,
): { graph: GraphProto; cells: RecognizedCell[] } {
  const cells: RecognizedCell[] = [];
  let count = 0;
  const emitter = (): Emitter => new Emitter(`recognized${count++}`);

  const visit = (given: GraphProto, parent: Scope | undefined): GraphProto => {
    let current = given;
    let outer: Scope | undefined;
    // Loops first: what is inside of one becomes one node.
    for (const node of given.node ?? []) {
      if (node.opType !== 'Scan' && node.opType !== 'Loop') continue;
      const scope: Scope = outer?.graph === current ? outer : new Scope(current, parent, external);
      outer = scope;
      const made = (node.opType === 'Scan' ? scanAsRecurrence : loopAsRecurrence)(scope, node, emitter());
      if (!made) continue;
      current = withNodes(current, new Set([node]), made.nodes, made.initializers);
      cells.push(
        ...made.cells.map(({ op, units, nextH }) => ({
          ...{ op, units, form: node.opType as 'Scan' | 'Loop', steps: undefined, output: nextH },
        })),
      );
    }
    const scope = new Scope(current, parent, external);
    const inner = (current.node ?? []).map((node) =>
      node.attribute?.some(({ g }) => g)
        ? { ...node, attribute: node.attribute.map((each) => (each.g ? { ...each, g: visit(each.g, scope) } : each)) }
        : node,
    );
    current = { ...current, node: inner };
    return plainCells(current, new Scope(current, parent, external));
  };

  /** Cells among the nodes of one graph. */
  const plainCells = (current: GraphProto, scope: Scope): GraphProto => {
    const found = new Map<string, Cell>();
    const outputs = new Set((current.output ?? []).map(({ name }) => name));
    for (const { output } of current.node ?? []) {
      const name = output?.[0] ?? '';
      const cell = name && cellAt(scope, name);
      if (!cell) continue;
      const rank = scope.declaredRank(cell.h) ?? scope.declaredRank(cell.x);
      if (!(cell.isFlat || rank === 2 || found.has(cell.h))) continue;
      found.set(name, cell);
    }
    // Any layer on two inputs looks like an RNN. A state goes in and out, or to the next step.
    const all = [...found.values()];
    const next = new Set(all.map((cell) => cell.h + weightsKey(cell)));
    for (const cell of all) {
      if (cell.op !== 'RNN' || (scope.declaredRank(cell.h) !== undefined && outputs.has(cell.nextH))) continue;
      const before = found.get(cell.h);
      const isChained = before && weightsKey(before) === weightsKey(cell);
      if (!isChained && !next.has(cell.nextH + weightsKey(cell))) found.delete(cell.nextH);
    }
    if (found.size === 0) return current;
    const removed = new Set<NodeProto>();
    const added: NodeProto[] = [];
    for (const chain of chainsOf(scope, found)) {
      const to = emitter();
      replaceChain(to, chain);
      added.push(...to.nodes);
      for (const { nextH, nextC } of chain) {
        removed.add(scope.maker(nextH)!);
        if (nextC) removed.add(scope.maker(nextC)!);
      }
      const { op, units, nextH } = chain.at(-1)!;
      const isOne = chain.length === 1;
      cells.push({ op, units, form: isOne ? 'cell' : 'unrolled', steps: chain.length, output: nextH });
    }
    return withNodes(current, removed, added);
  };

  return { graph: visit(graph, undefined), cells };
}

/** Tells whether two cells compute the same. */
const weightsKey = ({ op, units, gates, activations, linearBeforeReset }: Cell): string =>
  JSON.stringify([op, units, gates, activations, linearBeforeReset]);

/** Cells of which each reads the states of the one before, with the same weights. */
function chainsOf(scope: Scope, found: ReadonlyMap<string, Cell>): Cell[][] {
  const uses = usesOf(scope.graph);
  const chains: Cell[][] = [];
  const last = new Map<string, Cell[]>();
  for (const cell of found.values()) {
    const before = last.get(cell.h);
    const previous = before?.at(-1);
    const goesOn =
      before &&
      previous &&
      cell.c === previous.nextC &&
      weightsKey(cell) === weightsKey(previous) &&
      // What reads c of a step in the middle needs the step.
      (previous.nextC === undefined || (uses.get(previous.nextC) ?? 0) <= 2) &&
      !dependsOn(scope, cell.x, new Set(before.map(({ nextH }) => nextH)));
    if (goesOn) {
      before.push(cell);
      last.delete(cell.h);
      last.set(cell.nextH, before);
    } else {
      const chain = [cell];
      chains.push(chain);
      last.set(cell.nextH, chain);
    }
  }
  return chains;
}

/** Whether a value is computed from one of some others. */
function dependsOn(scope: Scope, name: string, others: ReadonlySet<string>): boolean {
  const seen = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (others.has(next)) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    const node = scope.maker(next);
    if (!node) continue;
    open.push(...(node.input ?? []));
    // A subgraph may read anything.
    if (node.attribute?.some(({ g }) => g)) return true;
  }
  return false;
}

/** One node in place of the steps of a chain. */
function replaceChain(to: Emitter, chain: readonly Cell[]): void {
  const [first] = chain as [Cell];
  const { nextH, nextC } = chain.at(-1)!;
  const steps = chain.map(({ x }) => to.unsqueeze(x));
  const x = steps.length === 1 ? steps[0]! : to.add('Concat', steps, { axis: 0 });
  const weights = to.weights(first);
  const [y, lastH, lastC] = ['Y', 'H', 'C'].map((each) => to.name(each)) as [string, string, string];
  const isOne = chain.length === 1;
  to.recurrence({ ...first, nextH }, { x, h: to.unsqueeze(first.h), c: first.c && to.unsqueeze(first.c), weights }, [
    isOne ? '' : y,
    lastH,
    ...(first.c ? [lastC] : []),
  ]);
  if (!isOne) {
    // Y is [T, 1, B, H].
    chain.slice(0, -1).forEach((cell, t) => {
      to.squeeze(to.squeeze(to.slice(y, [[0, t, t + 1]])), cell.nextH);
    });
  }
  to.squeeze(lastH, nextH);
  if (nextC) to.squeeze(lastC, nextC);
}

/** The graph with some nodes in place of others, without what nothing reads any more. */
function withNodes(
  graph: GraphProto,
  removed: ReadonlySet<NodeProto>,
  added: readonly NodeProto[],
  initializers: readonly TensorProto[] = [],
): GraphProto {
  const deadBefore = new Set(deadNodes(graph));
  let node = [...(graph.node ?? []).filter((each) => !removed.has(each)), ...added];
  for (;;) {
    const dead = new Set(deadNodes({ ...graph, node }).filter((each) => !deadBefore.has(each)));
    if (dead.size === 0) break;
    node = node.filter((each) => !dead.has(each));
  }
  return { ...graph, node: inOrder(node), initializer: [...(graph.initializer ?? []), ...initializers] };
}

function deadNodes(graph: GraphProto): NodeProto[] {
  const uses = usesOf(graph);
  return (graph.node ?? []).filter(({ output }) => !output?.some((name) => name && uses.has(name)));
}

/** Nodes in an order in which each comes after what it reads. */
function inOrder(nodes: readonly NodeProto[]): NodeProto[] {
  const makers = new Map(
    nodes.flatMap((node) => (node.output ?? []).filter((name) => name).map((name) => [name, node])),
  );
  const started = new Set<NodeProto>();
  const ordered: NodeProto[] = [];
  for (const root of nodes) {
    const open: (readonly [node: NodeProto, isReady: boolean])[] = [[root, false]];
    for (let next = open.pop(); next; next = open.pop()) {
      const [node, isReady] = next;
      if (isReady) ordered.push(node);
      if (isReady || started.has(node)) continue;
      started.add(node);
      open.push([node, true]);
      for (const name of usesOf({ node: [node] }).keys()) {
        const maker = makers.get(name);
        if (maker && !started.has(maker)) open.push([maker, false]);
      }
    }
  }
  return ordered;
}
