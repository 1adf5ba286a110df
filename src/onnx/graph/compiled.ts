// A graph of a file, checked: every node has its kernel, and every name has a number.
import type { GraphProto, TensorProto } from '../format/messages.ts';
import { type ExternalData, tensorData } from '../format/tensor-data.ts';
import type { VersionedNode } from './functions.ts';
import { type Kernel, NodeView, type Operator, Refusal } from './node.ts';
import { Source, Value } from './value.ts';

/** The place of an input that is left out. */
export const NONE = -1;

export interface CompiledNode {
  readonly view: NodeView;
  readonly operator: Operator;
  readonly kernel: Kernel;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly bodies: ReadonlyMap<string, CompiledGraph>;
}

/** A name of an outer graph that a subgraph reads. */
export interface Capture {
  readonly inner: number;
  readonly outer: number;
}

export interface CompiledGraph {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly outputNames: readonly string[];
  /** Values of initializers. That of a parameter exists once the layer has made its weights. */
  readonly initializers: readonly (readonly [place: number, value: () => Value])[];
  readonly captures: readonly Capture[];
  readonly nodes: readonly CompiledNode[];
}

/** One node that cannot be imported. */
export interface Missing {
  readonly op: string;
  readonly node: string;
  readonly why: string | undefined;
}

export interface CompileContext {
  readonly operators: Readonly<Record<string, Operator>>;
  /** Version of the operator set of a domain; undefined if the file does not import it. */
  versionOf(domain: string): number | undefined;
  readonly external: ExternalData | undefined;
  /** Gives the value of an initializer that is a parameter of the model; undefined for a constant. */
  parameter(proto: TensorProto): (() => Value) | undefined;
  readonly missing: Missing[];
}

/** Domains whose operators are those of ONNX, or are known by the same names. */
const domainPrefix: Readonly<Record<string, string>> = {
  '': '',
  'ai.onnx': '',
  'com.microsoft': 'com.microsoft.',
};

const DEEPEST = 32;

/** Compiles a graph. What cannot be imported is added to `context.missing`. Throws an `Error` for a broken graph. */
export function compileGraph(
  graph: GraphProto,
  context: CompileContext,
  outerPlace?: (name: string) => number | undefined,
  depth = 0,
): CompiledGraph {
  if (depth > DEEPEST) throw new Error(`subgraphs are nested more than ${DEEPEST} deep`);
  const places = new Map<string, number>();
  const captures: Capture[] = [];
  const define = (name: string): number => {
    if (name === '') return NONE;
    if (places.has(name)) throw new Error(`value '${name}' is defined twice`);
    const place = places.size;
    places.set(name, place);
    return place;
  };
  const placeOf = (name: string): number | undefined => {
    const own = places.get(name);
    if (own !== undefined) return own;
    const outer = outerPlace?.(name);
    if (outer === undefined) return undefined;
    const inner = define(name);
    captures.push({ inner, outer });
    return inner;
  };
  const read = (name: string, where: string): number => {
    if (name === '') return NONE;
    const place = placeOf(name);
    if (place === undefined) throw new Error(`${where} reads '${name}', which nothing before it makes`);
    return place;
  };

  if (graph.sparseInitializer?.length) throw new Error('it has sparse initializers, which are not supported');
  const initializers: [number, () => Value][] = [];
  const isInitializer = new Set<string>();
  for (const proto of graph.initializer ?? []) {
    const { name = '' } = proto;
    isInitializer.add(name);
    initializers.push([define(name), context.parameter(proto) ?? constantOf(proto, context.external)]);
  }
  // Old files list initializers among the inputs, too.
  const inputs = (graph.input ?? [])
    .filter(({ name = '' }) => !isInitializer.has(name))
    .map(({ name = '' }) => define(name));

  const nodes: CompiledNode[] = [];
  for (const proto of graph.node ?? []) {
    const prefix = domainPrefix[proto.domain ?? ''];
    const version = (proto as VersionedNode).version ?? context.versionOf(proto.domain ?? '');
    const view = new NodeView(proto, version ?? 0, context.external);
    const key = `${prefix ?? `${proto.domain}.`}${view.op}`;
    const operator = Object.hasOwn(context.operators, key) ? context.operators[key] : undefined;
    const where = `node '${view.name}'`;
    const ins = view.inputs.map((name) => read(name, where));
    const bodies = new Map(
      view.graphs().map(([name, body]) => [name, compileGraph(body, context, placeOf, depth + 1)] as const),
    );
    const kernel = operator && kernelOf(operator, view, context.missing);
    if (!operator) context.missing.push({ op: key, node: view.name, why: undefined });
    const outs = view.outputs.map(define);
    if (operator && kernel) nodes.push({ view, operator, kernel, inputs: ins, outputs: outs, bodies });
  }
  // Some exporters name outputs that no node makes. ONNX Runtime refuses such a file; here they are left out.
  const outputNames = (graph.output ?? []).flatMap(({ name = '' }) => (placeOf(name) === undefined ? [] : [name]));
  const outputs = outputNames.map((name) => placeOf(name)!);
  return { inputs, outputs, outputNames, initializers, captures, nodes };
}

function constantOf(proto: TensorProto, external: ExternalData | undefined): () => Value {
  try {
    const { type, shape, data } = tensorData(proto, external);
    const value = Value.ofHost(type, shape, data);
    value.source = Source.Constant;
    return () => value;
  } catch (error) {
    throw new Error(`initializer '${proto.name}' ${(error as Error).message}`);
  }
}

function kernelOf(operator: Operator, view: NodeView, missing: Missing[]): Kernel | undefined {
  try {
    const kernel = operator.make(view);
    view.expectAllRead();
    return kernel;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    missing.push({ op: view.op, node: view.name, why: error.message });
    return undefined;
  }
}

/** One sentence with every operator and attribute that is missing, and the nodes that need it. */
export function missingText(missing: readonly Missing[]): string {
  const nodes = new Map<string, string[]>();
  for (const { op, node, why } of missing) {
    const what = why === undefined ? op : `${op} with ${why}`;
    if (!nodes.has(what)) nodes.set(what, []);
    nodes.get(what)!.push(`'${node}'`);
  }
  const list = [...nodes].map(([what, names]) => {
    const shown = names.slice(0, 5).join(', ');
    return `${what} (node${names.length > 1 ? 's' : ''} ${shown}${names.length > 5 ? `, and ${names.length - 5} more` : ''})`;
  });
  return `what it uses is not supported: ${list.join('; ')}`;
}
