import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { asNested, leavesOf, type Nested, type NestedKey } from '../../data/nested.ts';
import type { Json, LayerConfig } from '../../io/model-file.ts';
import { type BatchShape, isShape } from '../../layers/base/batch-shape.ts';
import { type InputSpec, isInputSpec } from '../../layers/base/input-spec.ts';
import { type AnyLayer, type CallOptions, inNetwork, takesWeights } from '../../layers/base/layer.ts';
import { nameLayers } from '../../layers/base/layer-names.ts';
import { Network } from '../../layers/base/network.ts';
import { saveLayer } from '../../layers/base/saved-layer.ts';
import { type Graph, type LayerCall, type Nest, readsOf, type Value } from './graph.ts';

/** A functional model of Keras as one layer: the calls of its layers, which a model file can hold. */
export class GraphNetwork extends Network {
  override readonly className = GraphNetwork.savedAs;
  readonly #graph: Graph;

  /** The class name under which a saved model has it. */
  static get savedAs(): string {
    return 'KerasFunctional';
  }

  constructor(graph: Graph, layers: readonly AnyLayer[], name?: string) {
    const specs = graph.inputs.map((input, i) => specOf(graph, layers, i, input));
    super({ layers, name, inputs: nested(graph.inputNest, specs) }, (x, _, options) =>
      run(graph, layers, leavesOf<Tensor>(x, isTensor), options),
    );
    this.#graph = graph;
    if (!takesWeights() && specs.every(({ shape }) => shape)) {
      this.build(
        nested(
          graph.inputNest,
          graph.inputs.map(({ shape }) => shape),
        ),
      );
    }
  }

  get graph(): Graph {
    return this.#graph;
  }

  override config(): LayerConfig {
    const { name, graph } = this;
    return { name, className: this.className, layers: this.layers.map(saveLayer), graph: graph as unknown as Json };
  }

  override get outputActivation(): string | undefined {
    return this.activationOf(undefined);
  }

  override activationOf(key: NestedKey): string | undefined {
    const { outputNest, outputs, calls, inputs } = this.graph;
    const at = key === undefined ? 0 : typeof key === 'number' ? key : outputNest.indexOf(key);
    const [source, output] = outputs[at] ?? [0, 0];
    const call = calls[source - inputs.length];
    return output === 0 && call ? this.layers[call.layer]!.outputActivation : undefined;
  }

  override outputShape(inputShape: Nested<BatchShape>): BatchShape {
    const shapes = this.outputShapes(inputShape);
    if (isShape(shapes)) return shapes;
    throw new ArgumentError(`${this.name}: outputShape() expected one output, got several`);
  }

  override outputShapes(inputShape: Nested<BatchShape>): Nested<BatchShape> {
    // The constructor of the base class asks before there is a graph.
    if (!(#graph in this)) return [];
    const shapes = this.#shapes(inputShape);
    const { outputs, outputNest } = this.graph;
    return nested(
      outputNest,
      outputs.map(([source, output]) => shapes[source]![output]!),
    );
  }

  /** The shapes of every source, for a batch; `visit` gets the input shapes of each call first. */
  #shapes(
    inputShape: Nested<BatchShape>,
    visit: (layer: AnyLayer, shape: Nested<BatchShape>) => void = () => {},
  ): (readonly BatchShape[])[] {
    const shapes: (readonly BatchShape[])[] = leavesOf<BatchShape>(inputShape, isShape).map((shape) => [shape]);
    for (const { layer: index, x, isList } of this.graph.calls) {
      const layer = this.layers[index]!;
      const given = x.map(([source, output]) => shapes[source]![output] ?? []);
      const shape = isList ? given : given[0]!;
      visit(layer, shape);
      shapes.push(leavesOf<BatchShape>(layer.outputShapes(shape), isShape));
    }
    return shapes;
  }

  /** The shapes of every source of the graph, for the shapes that its inputs declare. */
  valueShapes(): (readonly BatchShape[])[] {
    const { inputs, inputNest } = this.graph;
    const shapes = inputs.map(({ shape }) => [null, ...shape.slice(1)]);
    return this.#shapes(nested(inputNest, shapes));
  }

  override sublayerShapes(): (Nested<BatchShape> | undefined)[] {
    const { inputs, calls } = this.graph;
    const shapes = this.valueShapes();
    return this.layers.map((_, i) => {
      const made = shapes[inputs.length + calls.findIndex(({ layer }) => layer === i)] ?? [];
      return made.length === 1 ? made[0] : made;
    });
  }

  /** The names are those of the file, or of the network that was traced. */
  protected override nameSublayers(seen: ReadonlySet<AnyLayer>): void {
    nameLayers(this.name, this.layers, seen, ({ name }) => name);
  }

  protected override makeWeights(inputShape: Nested<BatchShape>): void {
    inNetwork(this, () => {
      this.#shapes(inputShape, (layer, shape) => layer.build(shape));
    });
  }
}

const isTensor = (x: unknown): x is Tensor => !Array.isArray(x) && (x as Tensor | undefined)?.shape !== undefined;

/** Values nested as inputs or outputs are. */
function nested<T>(nest: Nest, values: readonly T[]): Nested<T> {
  const keyOf = (i: number): NestedKey => (nest === 'one' ? undefined : nest === 'list' ? i : nest[i]!);
  return asNested(values.map((value, i) => [keyOf(i), value] as const));
}

/** What an input takes: ids if a layer of ids reads it. */
function specOf(graph: Graph, layers: readonly AnyLayer[], at: number, input: Graph['inputs'][number]): InputSpec {
  const specs = graph.calls.flatMap(({ layer, x }) => {
    const own = leavesOf<InputSpec>(layers[layer]!.inputs, isInputSpec);
    return x.flatMap(([source], i) => (source === at ? [own[own.length === 1 ? 0 : i] ?? {}] : []));
  });
  const shape = input.shape.slice(1);
  const ids = specs.filter(({ dtype }) => dtype === 'i32');
  if (ids.length === 0) return { shape };
  if (ids.length < specs.length)
    throw new ArgumentError(`input '${input.name}' expected to be either ids or numbers, but layers read it as both`);
  return { dtype: 'i32', shape, limit: Math.min(...ids.map(({ limit = 2 ** 31 }) => limit)) };
}

function run(
  graph: Graph,
  layers: readonly AnyLayer[],
  inputs: readonly Tensor[],
  options: CallOptions,
): Nested<Tensor> {
  const values: (readonly Tensor[])[] = inputs.map((x) => [x]);
  const at = ([source, output]: Value): Tensor => values[source]![output]!;
  for (const { layer, x, isList, initialState, mask, training = options.training } of graph.calls) {
    const given = x.map(at);
    const y = layers[layer]!(isList ? given : given[0]!, {
      training,
      ...(initialState && { initialState: initialState.map(at) }),
      ...(mask && { mask: at(mask) }),
    });
    values.push(leavesOf<Tensor>(y, isTensor));
  }
  return nested(graph.outputNest, graph.outputs.map(at));
}

/** Throws `ArgumentError` unless every value that a graph reads is made before, and every call has a layer. */
export function checkGraph(what: string, graph: Graph, layers: number): void {
  const isValue = (value: unknown, below: number): boolean =>
    Array.isArray(value) && value.length === 2 && isIndex(value[0], below) && isIndex(value[1], 2 ** 16);
  const isCall = (call: LayerCall, i: number): boolean =>
    isIndex(call?.layer, layers) &&
    call.x.length > 0 &&
    (call.isList || call.x.length === 1) &&
    readsOf(call).every((value) => isValue(value, graph.inputs.length + i));
  const isNest = (nest: Nest, count: number): boolean =>
    nest === 'one' ? count === 1 : nest === 'list' || (Array.isArray(nest) && nest.length === count);
  const { inputs, calls, outputs, inputNest, outputNest } = graph;
  if (
    inputs.length > 0 &&
    inputs.every(({ name, shape }) => typeof name === 'string' && isShape(shape) && shape.length > 0) &&
    calls.every(isCall) &&
    outputs.length > 0 &&
    outputs.every((value) => isValue(value, inputs.length + calls.length)) &&
    isNest(inputNest, inputs.length) &&
    isNest(outputNest, outputs.length)
  )
    return;
  throw new ArgumentError(`${what} expected a graph of layer calls, each of which reads what was made before`);
}

const isIndex = (n: unknown, below: number): boolean =>
  Number.isInteger(n) && (n as number) >= 0 && (n as number) < below;
