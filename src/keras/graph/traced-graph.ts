// The layer calls of a model whose `forward` is code: what it calls on a sample of zeros.
import { type DType, Tensor, zeros } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { asNested, entriesOf, type Nested, type NestedKey } from '../../data/nested.ts';
import { engine } from '../../engine/engine.ts';
import { type BatchShape, isShape } from '../../layers/base/batch-shape.ts';
import { observeCalls } from '../../layers/base/custom-checks.ts';
import { type InputSpec, isInputSpec } from '../../layers/base/input-spec.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { Network } from '../../layers/base/network.ts';
import type { LayerCall, Nest, Value } from './graph.ts';
import { GraphNetwork } from './graph-network.ts';
import { undone } from './undone.ts';

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** Lengths that are tried where one varies: some layers want more steps than one. */
const LENGTHS = [2, 16, 128];

/**
 * The graph of a network that calls layers and computes nothing between them. It shares the layers.
 *
 * @throws ArgumentError if a layer reads what no layer has made.
 */
export function tracedGraph(network: Network): GraphNetwork {
  const shapes = shapesOf(network);
  let failure: unknown;
  for (const length of LENGTHS) {
    try {
      return traced(network, shapes, length);
    } catch (error) {
      failure ??= error;
      if (shapes.every(([, shape]) => shape.slice(1).every((n) => n !== null))) break;
    }
  }
  throw failure;
}

/** The shapes of the inputs: declared, or as the network was built. */
function shapesOf(network: Network): [NestedKey, BatchShape][] {
  const specs = entriesOf<InputSpec>(network.inputs, isInputSpec);
  if (specs.every(([, { shape }]) => shape)) return specs.map(([key, { shape }]) => [key, [null, ...shape!]]);
  const built = network.builtShape as Nested<BatchShape> | undefined;
  if (built === undefined) throw new ArgumentError(`${network.name}: expected a built model`);
  return entriesOf<BatchShape>(built, isShape).map(([key, shape]) => [key, [null, ...shape.slice(1)]]);
}

function traced(network: Network, shapes: readonly (readonly [NestedKey, BatchShape])[], length: number): GraphNetwork {
  const layers = network.layers as readonly AnyLayer[];
  const sources = new Map<Tensor, Value>();
  const calls: LayerCall[] = [];
  const unknown = (layer: AnyLayer): ArgumentError =>
    new ArgumentError(
      `${network.name}: layer '${layer.name}' expected what layers have made, got the result of an op: use layers such as add() and concatenate()`,
    );
  const valuesOf = (layer: AnyLayer, tensors: readonly Tensor[]): Value[] =>
    tensors.map((tensor) => {
      const value = sources.get(tensor);
      if (value) return value;
      throw unknown(layer);
    });
  const restores = network.tree().map((layer) => layer.carried?.suspend());
  const dtypeOf = (key: NestedKey): DType =>
    entriesOf<InputSpec>(network.inputs, isInputSpec).find(([each]) => each === key)?.[1].dtype ?? 'f32';
  try {
    // In training a layer such as dropout returns another tensor than its input, so that each tensor has one origin.
    const graph = undone(network.weights[0]?.tensor.engine ?? engine(), () => {
      const inputs = shapes.map(([key, shape], i) => {
        const x = zeros([1, ...shape.slice(1).map((n) => n ?? length)], { dtype: dtypeOf(key), name: 'x' });
        sources.set(x, [i, 0]);
        return [key, x] as const;
      });
      const y = observeCalls(
        (layer, x, made, options) => {
          const index = layers.indexOf(layer);
          if (index < 0) return;
          const list = isTensor(x) ? [x] : Object.values(x as readonly Tensor[]);
          const state = options.initialState;
          const states = state === undefined ? [] : isTensor(state) ? [state] : state;
          const { mask } = options;
          calls.push({
            layer: index,
            x: valuesOf(layer, list),
            isList: !isTensor(x),
            ...(states.length > 0 && { initialState: valuesOf(layer, states) }),
            ...(isTensor(mask) && { mask: valuesOf(layer, [mask])[0]! }),
          });
          const source = shapes.length + calls.length - 1;
          const outputs = isTensor(made) ? [made] : Object.values(made as readonly Tensor[]);
          outputs.forEach((output, i) => sources.set(output, [source, i]));
        },
        () => network(asNested(inputs), { training: true }) as Nested<Tensor>,
      );
      const outputs = entriesOf<Tensor>(y, isTensor);
      const values = outputs.map(([, output]) => {
        const value = sources.get(output);
        if (value) return value;
        throw new ArgumentError(`${network.name}: output expected what a layer has made, got the result of an op`);
      });
      return {
        inputs: shapes.map(([key, shape], i) => ({ name: nameOf(key, i, shapes.length), shape })),
        inputNest: nestOf(shapes.map(([key]) => key)),
        calls,
        outputs: values,
        outputNest: nestOf(outputs.map(([key]) => key)),
      };
    });
    return new GraphNetwork(graph, layers, network.name);
  } finally {
    for (const restore of restores) restore?.();
  }
}

const nameOf = (key: NestedKey, i: number, count: number): string =>
  typeof key === 'string' ? key : count === 1 ? 'input_layer' : `input_layer_${i}`;

const nestOf = (keys: readonly NestedKey[]): Nest =>
  keys[0] === undefined ? 'one' : typeof keys[0] === 'number' ? 'list' : (keys as readonly string[]);
