// A Scan or a Loop whose body is a cell, as one LSTM, GRU or RNN over the whole sequence. What else the body computes
// stays in a smaller loop, which reads the outputs of the cell.
import { attributeProtos } from '../format/attributes.ts';
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from '../format/messages.ts';
import { type Cell, cellAt } from './cells.ts';
import type { Emitter } from './emit.ts';
import { attributeOf, intOf, Scope, usesOf } from './scope.ts';

/** An initializer of a body under another name in the graph around it. */
export interface AliasProto extends TensorProto {
  readonly of?: TensorProto | undefined;
}

/** What replaces a loop. */
export interface Replacement {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly cells: readonly Cell[];
}

/** What the body of a loop takes and gives. */
interface Body {
  readonly scope: Scope;
  readonly states: readonly string[];
  readonly nextStates: readonly string[];
}

const MAX_SIZE = 2 ** 31;
/** A broken file may pass a value in a circle. */
const MOST_HOPS = 16;
const bodyOf = (node: NodeProto): GraphProto | undefined => attributeOf(node, 'body')?.g;
const namesOf = (list: readonly ValueInfoProto[] = []): string[] => list.map(({ name = '' }) => name);

/** The value that a name stands for, behind nodes that only pass it. */
function behind(scope: Scope, name: string): string {
  let at = name;
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    const node = scope.maker(at, 'Identity');
    if (!node) break;
    at = node.input?.[0] ?? '';
  }
  return at;
}

/** A cell whose states are states of the loop, with their places. */
interface Placed {
  readonly cell: Cell;
  readonly h: number;
  readonly c: number | undefined;
}

function cellsOf({ scope, states, nextStates }: Body): Placed[] {
  const isState = (name: string): boolean => states.includes(name);
  const next = nextStates.map((name) => behind(scope, name));
  const outputs = namesOf(scope.graph.output).map((name) => behind(scope, name));
  return next.flatMap((name, h): Placed[] => {
    const cell = cellAt(scope, name, isState);
    if (!cell || behind(scope, cell.h) !== states[h]) return [];
    const rank = scope.declaredRank(states[h]!);
    if (rank !== undefined && rank !== 2) return [];
    const c = cell.c === undefined ? undefined : states.indexOf(cell.c);
    if (c === undefined) return [{ cell, h, c }];
    // c of each step exists in the loop only.
    const isPlain = c >= 0 && next[c] === cell.nextC && outputs.filter((each) => each === cell.nextC).length === 1;
    return isPlain ? [{ cell, h, c }] : [];
  });
}

/** Makes fixed values of a body known to the graph around it. */
class Hoist {
  readonly initializers: AliasProto[] = [];
  readonly #names = new Map<string, string>();
  readonly #body: Scope;
  readonly #to: Emitter;

  constructor(body: Scope, to: Emitter) {
    this.#body = body;
    this.#to = to;
  }

  name(name: string): string {
    if (name === '' || !this.#body.owns(name)) return name;
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const made = this.#to.name('W');
    this.#names.set(name, made);
    const proto = this.#body.initializer(name) as AliasProto | undefined;
    if (proto) {
      this.initializers.push({ ...proto, name: made, of: proto.of ?? proto });
      return made;
    }
    const node = this.#body.maker(name)!;
    const output = node.output!.map((each) => (each === name ? made : each && this.#to.name('unused')));
    this.#to.nodes.push({ ...node, input: (node.input ?? []).map((each) => this.name(each)), output });
    return made;
  }

  cell(cell: Cell): Cell {
    const own = <T extends { name: string }>(part: T): T => ({ ...part, name: this.name(part.name) });
    const gates = cell.gates.map(({ w, r, inputBiases, recurrentBiases }) => ({
      ...{ w: own(w), r: own(r) },
      ...{ inputBiases: inputBiases.map(own), recurrentBiases: recurrentBiases.map(own) },
    }));
    return { ...cell, gates };
  }
}

/** The outputs of a recurrence: a sequence `[T, B, H]` and the last states. */
interface Made extends Placed {
  readonly sequence: string;
  readonly lastH: string;
  readonly lastC: string | undefined;
}

/** Writes the recurrences of a body whose inputs are sequences. Later cells read the outputs of earlier ones. */
function writeCells(
  body: Body,
  initial: readonly string[],
  sequences: Map<string, string>,
  to: Emitter,
  hoist: Hoist,
  isReverse: boolean,
): Made[] {
  const made: Made[] = [];
  let open = cellsOf(body);
  for (;;) {
    const ready = open.filter(({ cell }) => sequences.has(behind(body.scope, cell.x)));
    if (ready.length === 0) return made;
    open = open.filter((each) => !ready.includes(each));
    for (const { cell, h, c } of ready) {
      const [y, lastH, lastC] = ['Y', 'H', 'C'].map((each) => to.name(each)) as [string, string, string];
      const own = hoist.cell(cell);
      to.recurrence(
        own,
        {
          x: sequences.get(behind(body.scope, cell.x))!,
          h: to.unsqueeze(initial[h]!),
          c: c === undefined ? undefined : to.unsqueeze(initial[c]!),
          weights: to.weights(own),
        },
        [y, lastH, ...(c === undefined ? [] : [lastC])],
        isReverse,
      );
      const sequence = to.add('Squeeze', [y], { axes: [1] });
      sequences.set(cell.nextH, sequence);
      made.push({ cell, h, c, sequence, lastH, lastC: c === undefined ? undefined : lastC });
    }
  }
}

/** The body without its cells: their outputs are inputs, or made by `given`. Undefined if it needs what is gone. */
function restOf(
  { scope }: Body,
  made: readonly Made[],
  inputs: readonly ValueInfoProto[],
  outputs: readonly ValueInfoProto[],
  given: readonly NodeProto[] = [],
): GraphProto | undefined {
  const gone = new Set(made.flatMap(({ cell }) => [scope.maker(cell.nextH), scope.maker(cell.nextC ?? '')]));
  const makers = new Map<string, NodeProto>();
  const nodes = [...given, ...(scope.graph.node ?? []).filter((node) => !gone.has(node))];
  for (const node of nodes) for (const name of node.output ?? []) makers.set(name, node);
  const kept = new Set<NodeProto>();
  const open = namesOf(outputs);
  const read = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    read.add(name);
    const node = makers.get(name);
    if (!node || kept.has(node)) continue;
    kept.add(node);
    open.push(...usesOf({ node: [node] }).keys());
  }
  const taken = namesOf(inputs);
  const missing = made
    .flatMap(({ cell }) => [cell.h, cell.c ?? '', cell.nextC ?? ''])
    .filter((name) => name !== '' && !taken.includes(name) && !makers.has(name));
  if (missing.some((name) => read.has(name))) return undefined;
  return { ...scope.graph, node: nodes.filter((node) => kept.has(node)), input: [...inputs], output: [...outputs] };
}

/** Elements in the order of time, if a loop has gathered them backwards. */
function reversed(to: Emitter, x: string): string {
  const [start, end, axis, step] = [-1, -MAX_SIZE, 0, -1].map((n) => to.numbers([n])) as [
    string,
    string,
    string,
    string,
  ];
  return to.add('Slice', [x, start, end, axis, step]);
}

/** Exchanges axis 0 and another one of `[T, B, F]`. */
const swapped = (to: Emitter, x: string, axis: number): string =>
  axis === 0 ? x : to.add('Transpose', [x], { perm: [1, 0, 2] });

const pass = (to: Emitter, from: string, name: string): void => {
  to.add('Identity', [from], {}, name);
};

export function scanAsRecurrence(outer: Scope, node: NodeProto, to: Emitter): Replacement | undefined {
  const graph = bodyOf(node);
  const inputs = node.input ?? [];
  if (!graph || inputs.length !== graph.input?.length || node.output?.length !== graph.output?.length) return undefined;
  const scope = new Scope(graph, outer);
  const count = intOf(node, 'num_scan_inputs', 1);
  if (!(count >= 1 && count <= inputs.length)) return undefined;
  const first = inputs.length - count;
  const [names, results] = [namesOf(graph.input), namesOf(graph.output)];
  const body: Body = { scope, states: names.slice(0, first), nextStates: results.slice(0, first) };
  const listOf = (name: string, length: number): number[] =>
    Array.from({ length }, (_, i) => attributeOf(node, name)?.ints?.[i] ?? 0);
  const [inAxes, inDirections] = [listOf('scan_input_axes', count), listOf('scan_input_directions', count)];
  const outCount = results.length - first;
  const [outAxes, outDirections] = [listOf('scan_output_axes', outCount), listOf('scan_output_directions', outCount)];
  if (attributeOf(node, 'directions') || [...inAxes, ...outAxes].some((axis) => axis !== 0 && axis !== 1))
    return undefined;
  // Sequences of one direction only: that of the inputs of the cells.
  const found = cellsOf(body);
  const isRead = (name: string): boolean => found.some(({ cell }) => behind(scope, cell.x) === name);
  const direction = names.slice(first).findIndex((name) => isRead(name));
  if (direction < 0) return undefined;
  const isReverse = inDirections[direction] === 1;
  const sequences = new Map<string, string>();
  names.slice(first).forEach((name, i) => {
    if ((inDirections[i] === 1) !== isReverse) return;
    if (isRead(name)) sequences.set(name, swapped(to, inputs[first + i]!, inAxes[i]!));
  });
  const hoist = new Hoist(scope, to);
  const made = writeCells(body, inputs, sequences, to, hoist, isReverse);
  const uses = usesOf(outer.graph);
  const left: number[] = [];
  results.forEach((result, i) => {
    const name = node.output![i] ?? '';
    if (name === '' || !uses.has(name)) return;
    const own = made.find((each) => i < first && (each.h === i || each.c === i));
    if (own) {
      to.squeeze(own.h === i ? own.lastH : own.lastC!, name);
      return;
    }
    const shown = i >= first ? made.find(({ cell }) => cell.nextH === behind(scope, result)) : undefined;
    if (!shown) {
      left.push(i);
      return;
    }
    const isBack = (outDirections[i - first] === 1) !== isReverse;
    const y = isBack ? reversed(to, shown.sequence) : shown.sequence;
    pass(to, swapped(to, y, outAxes[i - first]!), name);
  });
  if (left.length > 0) {
    const isOwn = (i: number): boolean => made.some(({ h, c }) => h === i || c === i);
    const states = [...Array(first).keys()].filter((i) => !isOwn(i));
    const scans = left.filter((i) => i >= first);
    const places = [...states, ...Array.from({ length: count }, (_, i) => first + i)];
    const kept = restOf(
      body,
      made,
      [...places.map((i) => graph.input![i]!), ...made.map(({ cell }) => ({ name: cell.nextH }))],
      [...states, ...scans].map((i) => graph.output![i]!),
    );
    if (!kept) return undefined;
    const more = made.map(() => 0);
    const attribute = attributeProtos({
      num_scan_inputs: count + made.length,
      scan_input_axes: [...inAxes, ...more],
      scan_input_directions: [...inDirections, ...made.map(() => (isReverse ? 1 : 0))],
      scan_output_axes: scans.map((i) => outAxes[i - first]!),
      scan_output_directions: scans.map((i) => outDirections[i - first]!),
      body: { graph: kept },
    });
    to.nodes.push({
      ...node,
      input: [...places.map((i) => inputs[i]!), ...made.map(({ sequence }) => sequence)],
      output: [...states, ...scans].map((i) => node.output![i]!),
      attribute,
    });
  }
  return { nodes: to.nodes, initializers: hoist.initializers, cells: made.map(({ cell }) => cell) };
}

/** What is known of the steps of a Loop. */
class Steps {
  /** The value that counts the steps from 0, and states that do. */
  readonly #counters: ReadonlySet<string>;
  readonly #scope: Scope;

  constructor(scope: Scope, iteration: string, { states, nextStates }: Body, initial: readonly string[], outer: Scope) {
    this.#scope = scope;
    const counting = states.filter((name, i) => {
      const next = scope.maker(behind(scope, nextStates[i]!), 'Add')?.input ?? [];
      const [a, b] = next.map((each) => behind(scope, each)) as [string, string];
      const isNext = (a === name && scope.isNumber(b, 1)) || (b === name && scope.isNumber(a, 1));
      return isNext && outer.isNumber(initial[i]!, 0);
    });
    this.#counters = new Set([iteration, ...counting]);
  }

  /** The number of axes of a value that is the index of the step; undefined if it is another value. */
  rankOfIndex(name: string): number | undefined {
    let [at, rank] = [name, 0];
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      if (this.#counters.has(at)) return Math.max(rank, this.#scope.declaredRank(at) ?? 0);
      const node = this.#scope.maker(at, 'Identity', 'Cast', 'Unsqueeze', 'Reshape');
      if (!node) return undefined;
      if (node.opType === 'Unsqueeze' || node.opType === 'Reshape') rank = 1;
      at = node.input?.[0] ?? '';
    }
    return undefined;
  }

  isNext(name: string): boolean {
    const [a = '', b = ''] = this.#scope.maker(behind(this.#scope, name), 'Add')?.input ?? [];
    const isOne = (one: string, other: string): boolean =>
      this.#counters.has(behind(this.#scope, one)) && this.#scope.isNumber(other, 1);
    return isOne(a, b) || isOne(b, a);
  }

  /** The names whose least one is the number of steps, from the condition of the body; undefined if it is another. */
  limits(condition: string): string[] | undefined {
    const name = behind(this.#scope, condition);
    const node = this.#scope.maker(name, 'And', 'Less', 'Cast');
    const [a = '', b = ''] = node?.input ?? [];
    if (node?.opType === 'Cast') return this.limits(a);
    if (node?.opType === 'Less') return this.isNext(a) && !this.#scope.owns(b) ? [b] : undefined;
    const [left, right] = node ? [this.limits(a), this.limits(b)] : [];
    return left && right ? [...left, ...right] : undefined;
  }

  /** The value of which an element of each step is read. */
  sequenceOf(name: string): string | undefined {
    const at = behind(this.#scope, name);
    const squeezed = this.#scope.maker(at, 'Squeeze');
    const axes = squeezed && (attributeOf(squeezed, 'axes')?.ints ?? this.#scope.numbersOf(squeezed.input?.[1] ?? ''));
    const isSqueezed = axes?.length === 1 && axes[0] === 0;
    const gather = this.#scope.maker(isSqueezed ? behind(this.#scope, squeezed!.input![0]!) : at, 'Gather');
    const [from = '', index = ''] = gather?.input ?? [];
    if (!gather || intOf(gather, 'axis', 0) !== 0 || this.#scope.owns(from)) return undefined;
    return this.rankOfIndex(index) === (isSqueezed ? 1 : 0) ? from : undefined;
  }
}

export function loopAsRecurrence(outer: Scope, node: NodeProto, to: Emitter): Replacement | undefined {
  const graph = bodyOf(node);
  const [trips = '', start = '', ...initial] = node.input ?? [];
  const [names, results] = [namesOf(graph?.input), namesOf(graph?.output)];
  if (!graph || names.length !== initial.length + 2 || results.length < initial.length + 1) return undefined;
  const scope = new Scope(graph, outer);
  const [iteration = '', condition = '', ...states] = names;
  const body: Body = { scope, states, nextStates: results.slice(1, 1 + states.length) };
  const steps = new Steps(scope, iteration, body, initial, outer);
  const isTrue = (numbers: readonly number[] | undefined): boolean => numbers?.length === 1 && numbers[0] !== 0;
  const goesOn = behind(scope, results[0]!);
  const isEndless = goesOn === condition || isTrue(scope.numbersOf(goesOn));
  if (isEndless && start !== '' && !isTrue(outer.numbersOf(start))) return undefined;
  const own = isEndless ? [] : steps.limits(goesOn);
  if (!own) return undefined;
  const limits = [...own, ...(trips === '' ? [] : [trips])].filter(
    (name) => !((outer.numbersOf(name)?.[0] ?? 0) >= MAX_SIZE),
  );
  const sequences = new Map<string, string>();
  for (const { cell } of cellsOf(body)) {
    const from = steps.sequenceOf(cell.x);
    if (from === undefined) continue;
    const cut = limits.reduce((x, limit) => {
      const end = to.add('Reshape', [limit], { shape: [1] });
      return to.add('Slice', [x, to.numbers([0]), end, to.numbers([0])]);
    }, from);
    sequences.set(behind(scope, cell.x), cut);
  }
  if (sequences.size === 0) return undefined;
  const hoist = new Hoist(scope, to);
  const made = writeCells(body, initial, sequences, to, hoist, false);
  const uses = usesOf(outer.graph);
  const left: number[] = [];
  results.slice(1).forEach((result, i) => {
    const name = node.output?.[i] ?? '';
    if (name === '' || !uses.has(name)) return;
    const state = made.find(({ h, c }) => h === i || c === i);
    if (state) {
      to.squeeze(state.h === i ? state.lastH : state.lastC!, name);
      return;
    }
    const shown = i >= states.length ? made.find(({ cell }) => cell.nextH === behind(scope, result)) : undefined;
    if (shown) pass(to, shown.sequence, name);
    else left.push(i);
  });
  if (left.length > 0) {
    const kept = [...states.keys()].filter((i) => !made.some(({ h, c }) => h === i || c === i));
    const scans = left.filter((i) => i >= states.length);
    const given = made.map(({ cell, sequence }): NodeProto => {
      return {
        opType: 'Gather',
        input: [sequence, `${sequence}/i`],
        output: [cell.nextH],
        attribute: attributeProtos({ axis: 0 }),
      };
    });
    const indices = made.map(({ sequence }): NodeProto => {
      return {
        opType: 'Reshape',
        input: [iteration],
        output: [`${sequence}/i`],
        attribute: attributeProtos({ shape: [] }),
      };
    });
    const rest = restOf(
      body,
      made,
      [graph.input![0]!, graph.input![1]!, ...kept.map((i) => graph.input![i + 2]!)],
      [graph.output![0]!, ...[...kept, ...scans].map((i) => graph.output![i + 1]!)],
      [...indices, ...given],
    );
    if (!rest) return undefined;
    to.nodes.push({
      ...node,
      input: [trips, start, ...kept.map((i) => initial[i]!)],
      output: [...kept, ...scans].map((i) => node.output![i]!),
      attribute: attributeProtos({ body: { graph: rest } }),
    });
  }
  return { nodes: to.nodes, initializers: hoist.initializers, cells: made.map(({ cell }) => cell) };
}
