// Functions that a file defines: each node that calls one is replaced by the nodes of the function.
// https://github.com/onnx/onnx/blob/main/docs/IR.md#functions
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from '../format/messages.ts';

/** A node of a function, with the version of the operator set that the function imports. */
export interface VersionedNode extends NodeProto {
  readonly version?: number | undefined;
}

/** Functions may call functions, so a small file can ask for any number of nodes. */
const MOST_NAMES = 200_000;
const DEEPEST = 32;

const keyOf = ({ domain = '', overload = '' }: NodeProto | FunctionProto, name = ''): string =>
  [domain === 'ai.onnx' ? '' : domain, name, overload].join('\n');

/** What the nodes of a function get from the node that calls it. */
interface Call {
  /** A name of the function in the graph of the caller. */
  rename(name: string): string;
  readonly attributes: ReadonlyMap<string, AttributeProto>;
  versionOf(domain: string): number | undefined;
}

/** The graph of a model without calls of its functions. Throws an `Error` if functions call each other in a circle. */
export function inlineFunctions({ graph = {}, functions = [] }: ModelProto): GraphProto {
  if (functions.length === 0) return graph;
  const known = new Map(functions.map((each) => [keyOf(each, each.name), each]));
  let [count, calls] = [0, 0];

  const add = (names: number): void => {
    count += names;
    if (count > MOST_NAMES) throw new Error(`its functions stand for more than ${MOST_NAMES} names`);
  };

  const nodesOf = (nodes: readonly NodeProto[], call: Call | undefined, depth: number): NodeProto[] =>
    nodes.flatMap((proto) => {
      add(1 + (proto.input?.length ?? 0) + (proto.output?.length ?? 0));
      const node = call ? boundNode(proto, call, depth) : withSubgraphs(proto, undefined, depth);
      const called = known.get(keyOf(proto, proto.opType));
      return called ? bodyOf(called, node, depth + 1) : [node];
    });

  const withSubgraphs = (node: NodeProto, call: Call | undefined, depth: number): NodeProto => {
    if (!node.attribute?.some(({ g }) => g)) return node;
    return {
      ...node,
      attribute: node.attribute.map((each) => (each.g ? { ...each, g: inner(each.g, call, depth) } : each)),
    };
  };

  const inner = (body: GraphProto, call: Call | undefined, depth: number): GraphProto => {
    if (depth > DEEPEST) throw new Error(`its functions and subgraphs are nested more than ${DEEPEST} deep`);
    const node = nodesOf(body.node ?? [], call, depth + 1);
    if (!call) return { ...body, node };
    add(body.initializer?.length ?? 0);
    const renamed = <T extends { name?: string }>(list: readonly T[] = []): T[] =>
      list.map((each) => ({ ...each, name: call.rename(each.name ?? '') }));
    return {
      ...body,
      node,
      initializer: renamed(body.initializer),
      input: renamed(body.input),
      output: renamed(body.output),
    };
  };

  /** A node of a function as one of the graph that calls it. */
  const boundNode = (node: NodeProto, call: Call, depth: number): VersionedNode => {
    const attribute = (node.attribute ?? []).flatMap((each) => {
      if (!each.refAttrName) return [each];
      const given = call.attributes.get(each.refAttrName);
      return given ? [{ ...given, name: each.name ?? '' }] : [];
    });
    return {
      ...withSubgraphs({ ...node, attribute }, call, depth),
      name: call.rename(node.name ?? ''),
      input: (node.input ?? []).map(call.rename),
      output: (node.output ?? []).map(call.rename),
      version: call.versionOf(node.domain ?? ''),
    };
  };

  const bodyOf = (called: FunctionProto, caller: NodeProto, depth: number): NodeProto[] => {
    if (depth > DEEPEST) throw new Error(`its functions call each other more than ${DEEPEST} deep`);
    const prefix = `${caller.name || called.name}#${++calls}/`;
    const names = new Map((called.input ?? []).map((name, i) => [name, caller.input?.[i] ?? '']));
    // An output that is an input takes a node of its own.
    const passed: NodeProto[] = [];
    (called.output ?? []).forEach((name, i) => {
      const outer = caller.output?.[i] ?? '';
      if (outer === '') return;
      if (!names.has(name)) names.set(name, outer);
      else passed.push({ opType: 'Identity', input: [names.get(name)!], output: [outer] });
    });
    const versions = new Map((called.opsetImport ?? []).map(({ domain = '', version = 1 }) => [domain, version]));
    const call: Call = {
      rename: (name) => names.get(name) ?? (name === '' ? '' : prefix + name),
      attributes: new Map(
        [...(called.attributeProto ?? []), ...(caller.attribute ?? [])].map((each) => [each.name ?? '', each]),
      ),
      versionOf: (domain) => versions.get(domain) ?? (domain === '' ? versions.get('ai.onnx') : undefined),
    };
    return [...nodesOf(called.node ?? [], call, depth), ...passed];
  };

  return { ...graph, node: nodesOf(graph.node ?? [], undefined, 0) };
}
