// A graph in float64: by the reference of its operator, or on the arrays of doubles that operators compute with outside
// linear memory.
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
} from '../../../src/onnx/format/messages.ts';
import { tensorData } from '../../../src/onnx/format/tensor-data.ts';
import { Value } from '../../../src/onnx/graph/value.ts';
import { OnnxGraph } from '../../../src/onnx/onnx-graph.ts';
import { type Array64, attributesOf, type Operator64 } from './arrays.ts';
import { images } from './images.ts';
import { normalizations } from './normalizations.ts';
import { products } from './products.ts';
import { recurrents } from './recurrent.ts';
import { windows } from './windows.ts';

const reference: Readonly<Record<string, Operator64>> = {
  ...products,
  ...windows,
  ...normalizations,
  ...images,
  ...recurrents,
};

const [FLOAT, DOUBLE] = [1, 11];

/** A float tensor with doubles. */
function doubled(proto: TensorProto): TensorProto {
  if (proto.dataType !== FLOAT) return proto;
  const { floatData: _, rawData: __, ...rest } = proto;
  return { ...rest, dataType: DOUBLE, doubleData: [...(tensorData(proto).data as Float32Array)] };
}

const doubledValues = (values: GraphProto['input'] = []): NonNullable<GraphProto['input']> =>
  values.map((value) => {
    const { elemType, shape } = value.type?.tensorType ?? {};
    return elemType === FLOAT
      ? { ...value, type: { tensorType: { elemType: DOUBLE, ...(shape && { shape }) } } }
      : value;
  });

const doubledAttribute = (each: AttributeProto): AttributeProto => ({
  ...each,
  ...(each.t && { t: doubled(each.t) }),
  ...(each.g && { g: doubledGraph(each.g) }),
  ...((each.name === 'to' || each.name === 'dtype') && each.i === FLOAT && { i: DOUBLE }),
});

/** The graph with doubles for floats. */
const doubledGraph = (graph: GraphProto): GraphProto => ({
  ...graph,
  initializer: (graph.initializer ?? []).map(doubled),
  input: doubledValues(graph.input),
  output: doubledValues(graph.output),
  node: (graph.node ?? []).map((node) => ({ ...node, attribute: (node.attribute ?? []).map(doubledAttribute) })),
});

/** Computes the outputs of a graph, by name, from its inputs and its float initializers. */
export type Evaluation = (values: ReadonlyMap<string, Array64>) => ReadonlyMap<string, Array64>;

/** The float initializers of a model, which an evaluation takes. */
export function initializersOf({ graph }: ModelProto): Map<string, Array64> {
  return new Map(
    (graph?.initializer ?? []).flatMap((proto) => {
      if (proto.dataType !== FLOAT) return [];
      const { shape, data } = tensorData(proto);
      return [[proto.name!, { dims: shape, data: Float64Array.from(data as Float32Array) }] as const];
    }),
  );
}

/** A graph of which some operators have a reference is computed node by node. */
export function inFloat64(model: ModelProto): Evaluation {
  const nodes = model.graph?.node ?? [];
  if (!nodes.some(({ opType }) => reference[opType!])) return onArrays(model);
  const steps = nodes.map((node) =>
    reference[node.opType!] ? byReference(model, node) : onArrays(alone(model, node)),
  );
  return (values) => {
    const all = new Map(values);
    for (const step of steps) for (const [name, value] of step(all)) all.set(name, value);
    return all;
  };
}

function byReference(model: ModelProto, node: NodeProto): Evaluation {
  const held = new Map(
    (model.graph!.initializer ?? []).map((proto) => {
      const { shape, data } = tensorData(proto);
      return [proto.name!, { dims: shape, data: Float64Array.from(data as Float32Array) }] as const;
    }),
  );
  const attributes = attributesOf(node, model.opsetImport![0]!.version!);
  return (values) => {
    const outputs = reference[node.opType!]!(
      node.input!.map((name) => values.get(name) ?? held.get(name)),
      attributes,
    );
    return new Map(node.output!.flatMap((name, i) => (outputs[i] ? [[name, outputs[i]] as const] : [])));
  };
}

/** The model of one node. What other nodes make is an input. */
function alone(model: ModelProto, node: NodeProto): ModelProto {
  const initializer = (model.graph!.initializer ?? []).filter(({ name }) => node.input!.includes(name!));
  const made = node.input!.filter((name) => name && !initializer.some((each) => each.name === name));
  const input = made.map((name) => ({ name, type: { tensorType: { elemType: FLOAT } } }));
  return {
    ...model,
    graph: { name: 'alone', node: [node], initializer, input, output: node.output!.map((name) => ({ name })) },
  };
}

/** The arrays of doubles that operators compute with outside linear memory. */
function onArrays(model: ModelProto): Evaluation {
  const whole = doubledGraph(model.graph!);
  const isDouble = ({ dataType }: TensorProto): boolean => dataType === DOUBLE;
  const inputs = whole.initializer!.filter(isDouble).map(({ name = '', dims = [] }) => ({
    name,
    type: { tensorType: { elemType: DOUBLE, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  }));
  const graph = new OnnxGraph(
    {
      ...model,
      graph: {
        ...whole,
        initializer: whole.initializer!.filter((proto) => !isDouble(proto)),
        input: [...whole.input!, ...inputs],
      },
    },
    { states: {} },
  );
  return (values) => {
    const names = graph.graphInputs.map(({ name }) => name);
    const feeds = new Map(
      names.map((name) => {
        const { dims, data } = values.get(name)!;
        return [name, Value.ofHost('float64', dims, data)] as const;
      }),
    );
    return new Map(
      [...graph.run(feeds)].map(([name, value]) => {
        if (!value.isHost || value.type === 'float32')
          throw new Error(`'${name}' expected doubles outside linear memory, got ${value.type}`);
        return [name, { dims: value.shape, data: value.host as Float64Array }];
      }),
    );
  };
}
