// A graph for inputs of known shapes. The first run with these shapes computes everything and notes which values the
// file and the shapes decide: those are computed once. Later runs visit the other nodes only.
import { isRecording } from '../../autograd/tape.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { type CompiledGraph, type CompiledNode, NONE } from './compiled.ts';
import { type Body, Refusal, type RunContext, type Step } from './node.ts';
import { Replays } from './replay.ts';
import { spend } from './room.ts';
import { Source, Value } from './value.ts';
import { versionOf } from './weights.ts';

interface PlanStep {
  readonly node: CompiledNode;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly source: Source;
  /** For each subgraph, the places of what it reads of this graph. */
  readonly captures: ReadonlyMap<string, readonly number[]>;
  readonly bodies: ReadonlyMap<string, Runner>;
}

/** Plans that are kept for one graph. */
const MOST_PLANS = 24;
/** What a node costs besides the elements that it makes. */
const WORK_OF_NODE = 128;
/** An input of so few integers decides the plan with its elements, such as a sampling rate that an `If` asks for. */
const FEW = 16;
/** So many different elements of such inputs are tried before they count as other inputs do. */
const MOST_VALUES = 8;

/** A graph with the plans for the shapes that it has seen. */
export class Runner {
  readonly #graph: CompiledGraph;
  readonly #isBody: boolean;
  readonly #plans = new Map<string, Plan>();
  readonly #seenValues = new Map<string, Set<string>>();
  readonly #replays = new Replays();

  constructor(graph: CompiledGraph, isBody = false) {
    this.#graph = graph;
    this.#isBody = isBody;
  }

  /** @param captured the values of `graph.captures`. */
  run(inputs: readonly Value[], captured: readonly Value[], context: RunContext): readonly Value[] {
    const shapes = [...inputs, ...captured].map(({ type, shape, source }) => `${type}[${shape}]${source}`).join();
    const key = this.#isBody ? shapes : `${shapes} ${this.#constantsAmong(inputs, shapes)}`;
    const known = this.#plans.get(key);
    if (known && this.#isBody) return known.run(inputs, captured, context);
    // A body is run within the run of its graph.
    if (known) return this.#replays.run(known, inputs, context, (given) => known.run(inputs, captured, given));
    this.#replays.drop();
    const before = this.#plans.size >= MOST_PLANS ? this.#plans.keys().next().value : undefined;
    if (before !== undefined) {
      this.#plans.get(before)!.dispose();
      this.#plans.delete(before);
    }
    const plan = new Plan();
    const outputs = plan.trace(this.#graph, inputs, captured, context);
    this.#plans.set(key, plan);
    return outputs;
  }

  /** Makes small integers constants, as long as they are often the same. Returns their elements as text. */
  #constantsAmong(inputs: readonly Value[], shapes: string): string {
    const few = inputs.filter((value) => value.isHost && !value.isFloat && value.size <= FEW);
    if (few.length === 0) return '';
    const seen = this.#seenValues.get(shapes) ?? new Set();
    this.#seenValues.set(shapes, seen);
    const text = few.map(({ host }) => `[${host.join()}]`).join();
    if (seen.size >= MOST_VALUES && !seen.has(text)) return '';
    seen.add(text);
    for (const value of few) value.source = Source.Constant;
    return text;
  }

  /** Frees what runs have kept; a later run makes it again. */
  dispose(): void {
    this.#replays.drop();
    for (const plan of this.#plans.values()) plan.dispose();
    this.#plans.clear();
    for (const { view } of this.#graph.nodes) for (const each of view.owned) each.dispose();
  }
}

class Plan {
  /** Values that need no computation, by place; undefined where a step computes them. */
  readonly #constants: (Value | undefined)[] = [];
  readonly #fromWeights: PlanStep[] = [];
  readonly #steps: PlanStep[] = [];
  #inputs: readonly number[] = [];
  #captured: readonly number[] = [];
  #outputs: readonly number[] = [];
  /** Results of `#fromWeights`, and the versions of the parameters then. */
  #cached: { readonly version: number; readonly values: readonly Value[] } | undefined;

  run(inputs: readonly Value[], captured: readonly Value[], context: RunContext): readonly Value[] {
    const values = this.#constants.slice();
    this.#inputs.forEach((place, i) => {
      values[place] ??= inputs[i];
    });
    this.#captured.forEach((place, i) => {
      values[place] ??= captured[i];
    });
    this.#placeWeights(values, context);
    for (const step of this.#steps) runStep(step, values, context);
    return this.#outputs.map((place) => values[place]!);
  }

  /** Values that the weights decide are computed again after the weights have changed, and for gradients. */
  #placeWeights(values: (Value | undefined)[], context: RunContext): void {
    if (this.#fromWeights.length === 0) return;
    const { parameters } = context;
    const run = (): void => {
      for (const step of this.#fromWeights) runStep(step, values, context);
    };
    if (isRecording(parameters.map(({ tensor }) => tensor))) {
      run();
      return;
    }
    const places = this.#fromWeights.flatMap(({ outputs }) => outputs.filter((place) => place !== NONE));
    const version = versionOf(parameters);
    if (this.#cached?.version !== version) {
      run();
      for (const value of this.#cached?.values ?? []) value.dispose();
      this.#cached = {
        version,
        values: places.map((place) => {
          const kept = values[place]!.parameter ? values[place]! : values[place]!.kept();
          kept.outlivesStep = true;
          return kept;
        }),
      };
    }
    places.forEach((place, i) => {
      values[place] = this.#cached!.values[i];
    });
  }

  /** Runs everything once and makes the plan. */
  trace(
    graph: CompiledGraph,
    inputs: readonly Value[],
    captured: readonly Value[],
    context: RunContext,
  ): readonly Value[] {
    const values: (Value | undefined)[] = [];
    const reserve = (value: Value): number => {
      const place = values.push(value) - 1;
      if (value.source === Source.Constant) this.#constants[place] = value;
      return place;
    };
    this.#inputs = inputs.map(reserve);
    this.#captured = captured.map(reserve);
    this.#outputs = this.#traceGraph(graph, { inputs: this.#inputs, captured: this.#captured, values }, context);
    this.#constants.length = values.length;
    return this.#outputs.map((place) => values[place]!);
  }

  #traceGraph(
    graph: CompiledGraph,
    given: { inputs: readonly number[]; captured: readonly number[]; values: (Value | undefined)[] },
    context: RunContext,
  ): number[] {
    const { values } = given;
    const placeOf: number[] = [];
    graph.inputs.forEach((inner, i) => {
      placeOf[inner] = given.inputs[i]!;
    });
    graph.captures.forEach(({ inner }, i) => {
      placeOf[inner] = given.captured[i]!;
    });
    for (const [inner, give] of graph.initializers) {
      const value = give();
      placeOf[inner] = values.push(value) - 1;
      this.#constants[placeOf[inner]] = value;
    }
    const outerOf = (inner: number): number => (inner === NONE ? NONE : placeOf[inner]!);
    for (const node of graph.nodes) {
      const ins = node.inputs.map(outerOf);
      const branch = branchOf(node, values[ins[0]!]);
      if (branch) {
        const capturedHere = branch.captures.map(({ outer }) => outerOf(outer));
        const outs = this.#traceGraph(branch, { inputs: [], captured: capturedHere, values }, context);
        node.outputs.forEach((inner, i) => {
          if (inner !== NONE) placeOf[inner] = outs[i]!;
        });
        continue;
      }
      const captures = new Map(
        [...node.bodies].map(([name, body]) => [name, body.captures.map(({ outer }) => outerOf(outer))]),
      );
      const outs = node.outputs.map((inner) => {
        if (inner === NONE) return NONE;
        placeOf[inner] = values.length;
        return values.push(undefined) - 1;
      });
      const read = [...ins, ...[...captures.values()].flat()].flatMap((place) =>
        place === NONE ? [] : [values[place]!],
      );
      const source = sourceOf(node, read);
      const bodies = new Map([...node.bodies].map(([name, body]) => [name, new Runner(body, true)]));
      const step: PlanStep = { node, inputs: ins, outputs: outs, source, captures, bodies };
      runStep(step, values, context);
      const isOpen = openShape(node, ins, values, read);
      for (const place of outs) {
        if (place === NONE) continue;
        const value = values[place]!;
        value.isOpen = isOpen;
        if (source === Source.Constant) values[place] = this.#constants[place] = constant(value);
      }
      if (source === Source.Weights) this.#fromWeights.push(step);
      else if (source === Source.Input) this.#steps.push(step);
    }
    return graph.outputs.map(outerOf);
  }

  dispose(): void {
    for (const value of [...(this.#cached?.values ?? []), ...this.#constants]) value?.dispose();
    for (const { bodies } of [...this.#fromWeights, ...this.#steps]) for (const body of bodies.values()) body.dispose();
  }
}

function constant(value: Value): Value {
  const kept = value.isHost ? value : value.kept();
  kept.source = Source.Constant;
  return kept;
}

/** The branch of an `If` whose condition is known. */
function branchOf(node: CompiledNode, condition: Value | undefined): CompiledGraph | undefined {
  if (node.view.op !== 'If' || condition?.source !== Source.Constant) return undefined;
  return node.bodies.get(condition.item ? 'then_branch' : 'else_branch');
}

function sourceOf({ operator }: CompiledNode, read: readonly Value[]): Source {
  if (operator.isRandom) return Source.Input;
  if (operator.readsShape && !read.some(({ isOpen }) => isOpen)) return Source.Constant;
  return Math.max(Source.Constant, ...read.map(({ source }) => source));
}

function openShape(
  { operator, bodies }: CompiledNode,
  inputs: readonly number[],
  values: readonly (Value | undefined)[],
  read: readonly Value[],
): boolean {
  const fromElements = operator.shapeFrom?.some((i) => values[inputs[i] ?? NONE]?.source === Source.Input) ?? false;
  const isOpenHere = (operator.isOpen || bodies.size > 0) && read.some(({ source }) => source === Source.Input);
  return fromElements || isOpenHere || read.some(({ isOpen }) => isOpen);
}

/** What a subgraph is given differs from run to run, even if the first is a constant. */
function asInput(value: Value): Value {
  if (value.source === Source.Input) return value;
  const { type, shape } = value;
  return value.isHost ? Value.ofHost(type, shape, value.host) : Value.ofTensor(value.tensor, type);
}

/** Whether training asks for a gradient that the operator does not give. Nodes of subgraphs answer for themselves. */
function losesGradient(
  { operator, bodies }: CompiledNode,
  given: readonly (Value | undefined)[],
  made: Value,
): boolean {
  if (!made.isHost || bodies.size > 0 || operator.hasNoGradient) return false;
  const isDue = made.isFloat || operator.gradientIsDue === true;
  return isDue && given.some((value) => value?.isFloat && value.isTracked);
}

function runStep(step: PlanStep, values: (Value | undefined)[], context: RunContext): void {
  const { node, inputs, outputs, source } = step;
  const given = inputs.map((place) => (place === NONE ? undefined : values[place]));
  const here: Step = {
    training: context.training,
    uniform: context.uniform,
    body(name): Body {
      const runner = step.bodies.get(name)!;
      const captured = step.captures.get(name)!.map((place) => values[place]!);
      return (args) => runner.run(args.map(asInput), captured, context);
    },
  };
  let made: Value | readonly (Value | undefined)[];
  try {
    spend(WORK_OF_NODE);
    made = node.kernel(given, here);
  } catch (error) {
    const where = `node '${node.view.name}' (${node.view.op})`;
    if (error instanceof ArgumentError || error instanceof Refusal)
      throw new ArgumentError(`${where}: ${error.message}`);
    // A file may leave out an input that the operator must have, or give one of another rank.
    if (error instanceof TypeError || error instanceof RangeError)
      throw new ArgumentError(`${where}: its inputs do not fit the operator: ${error.message}`);
    throw error;
  }
  const list = made instanceof Value ? [made] : made;
  outputs.forEach((place, i) => {
    if (place === NONE) return;
    const value = list[i];
    if (!value) throw new ArgumentError(`node '${node.view.name}' (${node.view.op}): output ${i} is not supported`);
    if (losesGradient(node, given, value))
      throw new ArgumentError(
        `node '${node.view.name}' (${node.view.op}): it has no gradient for these inputs; expected \`trainable\` without the parameters before it`,
      );
    // An operator may give an input as it is.
    values[place] = value;
    spend(value.size);
    if (!given.includes(value)) value.source = source;
  });
}
