// Reads the calls of a functional model, in the forms of Keras 1 and 2, of TF.js and of Keras 3.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Json, SavedLayer } from '../../io/model-file.ts';
import { describe, expectList, expectString, isObject, type Parsed } from '../../io/parsed-json.ts';
import { type BatchShape, isShape } from '../../layers/base/batch-shape.ts';
import type { Graph, GraphInput, LayerCall, Nest, SavedGraph, Value } from '../graph/graph.ts';
import type { Era } from './era.ts';
import { kerasLayer, type ReadContext, type ReadLayer } from './read-layer.ts';

/** A tensor as Keras names it: output `tensor` of call `node` of a layer. */
type KerasTensor = readonly [layer: string, node: number, tensor: number];

/** A call of a layer with its tensors by argument. */
interface KerasCall {
  readonly args: readonly (KerasTensor | readonly KerasTensor[])[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

interface GraphLayer {
  readonly read: ReadLayer;
  readonly name: string;
  readonly calls: readonly KerasCall[];
  /** How far the numbers of its calls are from 0. */
  first: number;
}

const isTensor = (value: unknown): value is KerasTensor =>
  Array.isArray(value) &&
  value.length >= 3 &&
  typeof value[0] === 'string' &&
  Number.isInteger(value[1]) &&
  Number.isInteger(value[2]);

/** A tensor of Keras 3, or the plain list of the others. */
function tensorOf(value: unknown): KerasTensor | undefined {
  if (isTensor(value)) return value;
  if (!isObject(value) || value.class_name !== '__keras_tensor__' || !isObject(value.config)) return undefined;
  const history = value.config.keras_history;
  return isTensor(history) ? history : undefined;
}

/** The tensors in an argument; undefined if it is no tensor. */
function argument(value: unknown): KerasTensor | readonly KerasTensor[] | undefined {
  const one = tensorOf(value);
  if (one) return one;
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const list = value.map(tensorOf);
  return list.every((each) => each !== undefined) ? list : undefined;
}

/** One call of `inbound_nodes`. */
function callOf(what: string, node: unknown): KerasCall {
  if (isObject(node)) {
    const args = expectList(`${what}: args`, node.args).map((arg) => {
      const found = argument(arg);
      if (found) return found;
      throw new ArgumentError(`${what}: expected tensors as arguments, got ${describe(arg)}, of an operation`);
    });
    return { args, kwargs: isObject(node.kwargs) ? node.kwargs : {} };
  }
  // A single tensor may stand without a list around it.
  const list = isTensor(node) ? [node] : expectList(what, node);
  const tensors = list.map((each) => {
    const tensor = tensorOf(each);
    if (tensor) return tensor;
    throw new ArgumentError(`${what} expected [layer, node, tensor], got ${describe(each)}`);
  });
  const [first] = list as unknown[][];
  const kwargs = isObject(first?.[3]) ? first[3] : {};
  return { args: tensors.length === 1 ? tensors : [tensors], kwargs };
}

/** The tensors of `input_layers` and `output_layers`, and how they are nested. */
function endsOf(what: string, value: unknown): { tensors: KerasTensor[]; nest: Nest } {
  if (isTensor(value)) return { tensors: [value], nest: 'one' };
  const entries = isObject(value)
    ? Object.entries(value)
    : expectList(what, value).map((each, i) => [i, each] as const);
  const tensors = entries.map(([, each]) => {
    if (isTensor(each)) return each;
    throw new ArgumentError(`${what} expected [layer, node, tensor], got ${describe(each)}`);
  });
  if (tensors.length === 0) throw new ArgumentError(`${what} expected one tensor or more, got none`);
  return {
    tensors,
    nest: isObject(value) ? Object.keys(value) : tensors.length === 1 ? 'one' : 'list',
  };
}

const recurrent = /^((CuDNN)?(LSTM|GRU)(V2)?|SimpleRNN|RNN|Bidirectional|ConvLSTM[12]D)$/;
// Operations of Keras 3 that make masks, which travel by themselves here.
const isMaskOperation = ({ className, json }: ReadLayer): boolean =>
  /^(NotEqual|Any)$/.test(className) && /ops/.test(String(json.module));
const isInput = ({ className }: ReadLayer): boolean => className === 'InputLayer';
const isNetwork = ({ className }: ReadLayer): boolean => /^(Functional|Model|Sequential)$/.test(className);

/** The number of a nested model's first call: Keras 1 and 2 and TF.js count the making of the model as a call. */
function firstCall(read: ReadLayer, era: Era): number {
  if (era === 'keras3' || !isNetwork(read)) return 0;
  if (read.className !== 'Sequential' || era !== 'keras2') return 1;
  const first = (Array.isArray(read.config.layers) ? read.config.layers[0] : undefined) as Parsed | undefined;
  const own = isObject(first?.config) ? first.config : {};
  return first?.class_name === 'InputLayer' || own.batch_input_shape != null ? 1 : 0;
}

/** Reads a functional model. */
export function readGraph(name: string, config: Parsed, context: ReadContext): SavedGraph {
  const what = `model '${name}'`;
  const layers = expectList(`${what}: layers`, config.layers).map((layer, i): GraphLayer => {
    const read = kerasLayer(`${what}: layers[${i}]`, layer);
    const { json } = read;
    const layerName = expectString(`${what}: layers[${i}].name`, json.name ?? read.config.name);
    const nodes = json.inbound_nodes ?? [];
    const calls = isMaskOperation(read)
      ? []
      : expectList(`layer '${layerName}': inbound_nodes`, nodes).map((node) =>
          callOf(`layer '${layerName}': inbound_nodes`, node),
        );
    return { read, name: layerName, calls, first: firstCall(read, context.era) };
  });
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  if (byName.size < layers.length) throw new ArgumentError(`${what}: two layers have one name`);
  const ends = [
    endsOf(`${what}: input_layers`, config.input_layers),
    endsOf(`${what}: output_layers`, config.output_layers),
  ] as const;
  settleFirstCalls(layers, byName, ends[1].tensors);
  return new GraphReader(name, layers, byName, context).read(...ends);
}

/** Corrects the number of a nested model's first call if calls refer to one that is not there. */
function settleFirstCalls(
  layers: readonly GraphLayer[],
  byName: ReadonlyMap<string, GraphLayer>,
  outputs: readonly KerasTensor[],
): void {
  const used = new Map<string, number[]>();
  const note = ([layer, node]: KerasTensor): void => {
    if (!used.has(layer)) used.set(layer, []);
    used.get(layer)!.push(node);
  };
  outputs.forEach(note);
  for (const { calls } of layers) for (const { args } of calls) for (const arg of args) listOf(arg).forEach(note);
  for (const [name, nodes] of used) {
    const layer = byName.get(name);
    if (!layer || !isNetwork(layer.read)) continue;
    if (nodes.includes(0)) layer.first = 0;
    else if (nodes.includes(layer.calls.length)) layer.first = 1;
  }
}

const listOf = (arg: KerasTensor | readonly KerasTensor[]): readonly KerasTensor[] =>
  isTensor(arg) ? [arg] : (arg as readonly KerasTensor[]);

/** A call that waits for the tensors that it reads. */
interface Waiting {
  readonly layer: GraphLayer;
  readonly number: number;
  readonly call: KerasCall;
  missing: number;
}

class GraphReader {
  readonly #name: string;
  readonly #layers: readonly GraphLayer[];
  readonly #byName: ReadonlyMap<string, GraphLayer>;
  readonly #context: ReadContext;
  readonly #saved: SavedLayer[] = [];
  readonly #indexOf = new Map<GraphLayer, number>();
  /** The source of each call that is placed, by the layer's name and the number of the call. */
  readonly #sources = new Map<string, number>();
  readonly #calls: LayerCall[] = [];

  constructor(
    name: string,
    layers: readonly GraphLayer[],
    byName: ReadonlyMap<string, GraphLayer>,
    context: ReadContext,
  ) {
    this.#name = name;
    this.#layers = layers;
    this.#byName = byName;
    this.#context = context;
  }

  read(from: ReturnType<typeof endsOf>, to: ReturnType<typeof endsOf>): SavedGraph {
    const inputs = from.tensors.map(([name]): GraphInput => {
      const layer = this.#byName.get(name);
      if (!layer || !isInput(layer.read))
        throw new ArgumentError(`model '${this.#name}': '${name}' expected an InputLayer`);
      this.#sources.set(`${name}/0`, this.#sources.size);
      return { name, shape: inputShape(layer) };
    });
    for (const layer of this.#layers) {
      if (isInput(layer.read) || isMaskOperation(layer.read)) continue;
      this.#indexOf.set(layer, this.#saved.length);
      const [first] = layer.calls;
      this.#saved.push(
        this.#context.read({ ...layer.read, config: withCallOptions(layer.read.config, first) }, this.#context),
      );
    }
    this.#place(inputs.length);
    const value = (tensor: KerasTensor): Value => this.#valueOf(tensor);
    const graph: Graph = {
      inputs,
      inputNest: from.nest,
      calls: this.#calls,
      outputs: to.tensors.map(value),
      outputNest: to.nest,
    };
    return { name: this.#name, layers: this.#saved, ...graph };
  }

  /** Puts the calls in an order in which each reads what was made before. */
  #place(inputs: number): void {
    const waiting = new Map<string, Waiting[]>();
    const ready: Waiting[] = [];
    for (const layer of this.#indexOf.keys()) {
      layer.calls.forEach((call, number) => {
        const keys = new Set(tensorsOf(call).map((tensor) => this.#keyOf(tensor)));
        const missing = [...keys].filter((key) => !this.#sources.has(key));
        const each = { layer, number, call, missing: missing.length };
        if (missing.length === 0) ready.push(each);
        for (const key of missing) {
          if (!waiting.has(key)) waiting.set(key, []);
          waiting.get(key)!.push(each);
        }
      });
    }
    for (let next = ready.shift(); next; next = ready.shift()) {
      const key = `${next.layer.name}/${next.number}`;
      this.#sources.set(key, inputs + this.#calls.length);
      this.#calls.push(this.#callOf(next.layer, next.call));
      for (const each of waiting.get(key) ?? []) if (--each.missing === 0) ready.push(each);
      waiting.delete(key);
    }
    const [left] = waiting.keys();
    if (left !== undefined)
      throw new ArgumentError(
        `model '${this.#name}': call '${left}' is read, but it is not there or reads its own output`,
      );
  }

  /** The name of the call that makes a tensor, with the calls of a layer from 0. */
  #keyOf([name, node]: KerasTensor): string {
    return `${name}/${node - (this.#byName.get(name)?.first ?? 0)}`;
  }

  #valueOf(tensor: KerasTensor): Value {
    const source = this.#sources.get(this.#keyOf(tensor));
    if (source === undefined)
      throw new ArgumentError(`model '${this.#name}': '${tensor[0]}' expected a layer that is called`);
    return [source, tensor[2]];
  }

  #callOf(layer: GraphLayer, { args, kwargs }: KerasCall): LayerCall {
    const what = `layer '${layer.name}' (${layer.read.className})`;
    const { training, mask, initial_state: state, constants, ...rest } = kwargs;
    const value = (tensor: KerasTensor): Value => this.#valueOf(tensor);
    const call = { layer: this.#indexOf.get(layer)! };
    const how = {
      ...(training === true && { training: true }),
      ...this.#maskOf(what, mask),
    };
    const named = Object.entries(rest).filter(
      ([key, each]) => each !== null && !(key in callOptions) && each !== false,
    );
    if (layer.read.className === 'MultiHeadAttention') {
      const byName = Object.fromEntries(named.map(([key, each]) => [key, argument(each)]));
      const [query, v = byName.value, k = byName.key ?? v] = args as KerasTensor[];
      const attention = byName.attention_mask as KerasTensor | undefined;
      const known = named.every(([key]) => ['value', 'key', 'attention_mask'].includes(key));
      if (known && isTensor(query) && isTensor(v) && isTensor(k)) {
        const x = [query, v, k, ...(isTensor(attention) ? [attention] : [])];
        return { ...call, ...how, x: x.map(value), isList: true };
      }
    }
    if (named.length > 0)
      throw new ArgumentError(`${what}: call expected no argument '${named[0]![0]}', which tapeloop does not have`);
    if (constants != null) throw new ArgumentError(`${what}: call expected no constants`);
    const given = args.flatMap(listOf);
    if (given.length === 0) throw new ArgumentError(`${what}: call expected a tensor, got none`);
    if (recurrent.test(layer.read.className)) {
      const states = [...given.slice(1), ...(state == null ? [] : listOf(argument(state) ?? []))];
      if (state != null && states.length === 0)
        throw new ArgumentError(`${what}: initial_state expected tensors, got ${describe(state)}`);
      const initialState = states.length > 0 ? { initialState: states.map(value) } : {};
      return { ...call, ...how, x: [value(given[0]!)], isList: false, ...initialState };
    }
    const isList = args.length > 1 || !isTensor(args[0]) || listLayers.test(layer.read.className);
    return { ...call, ...how, x: given.map(value), isList };
  }

  /** A mask that is given by name, unless a layer made it, as then it travels by itself. */
  #maskOf(what: string, mask: unknown): { mask?: Value } {
    if (mask == null || (Array.isArray(mask) && mask.every((each) => each === null))) return {};
    const tensor = tensorOf(mask);
    if (!tensor) throw new ArgumentError(`${what}: mask expected a tensor, got ${describe(mask)}`);
    const origin = this.#byName.get(tensor[0]);
    return origin && isMaskOperation(origin.read) ? {} : { mask: this.#valueOf(tensor) };
  }
}

/** Layers that read a list, even of one tensor. */
const listLayers = /^(Add|AdditiveAttention|Attention|Average|Concatenate|Merge|Multiply|Subtract|MultiHeadAttention)$/;

/** Arguments of a call that are options of a layer here. */
const callOptions: Readonly<Record<string, string>> = {
  use_causal_mask: 'use_causal_mask',
  return_attention_scores: 'return_attention_scores',
};

function withCallOptions(config: Parsed, call: KerasCall | undefined): Parsed {
  const given = Object.entries(call?.kwargs ?? {}).filter(([key, value]) => key in callOptions && value === true);
  return given.length === 0 ? config : { ...config, ...Object.fromEntries(given) };
}

/** The tensors that decide when a call can run. Masks that operations make do not. */
function tensorsOf({ args, kwargs }: KerasCall): KerasTensor[] {
  const named = Object.entries(kwargs).flatMap(([key, value]) => (key === 'mask' ? [] : [argument(value) ?? []]));
  return [...args, ...named].flatMap((each) => listOf(each as KerasTensor));
}

function inputShape({ name, read: { config } }: GraphLayer): BatchShape {
  const shape =
    config.batch_input_shape ?? config.batch_shape ?? (Array.isArray(config.shape) && [null, ...config.shape]);
  if (isShape(shape) && shape.length > 0) return shape;
  const other = config.ragged === true || config.sparse === true ? 'ragged or sparse' : describe(shape);
  throw new ArgumentError(`layer '${name}' (InputLayer): batch_shape expected a shape, got ${other}`);
}

/** A Sequential of the same layers for a graph that is a chain; undefined for any other. */
export function chainOf(graph: SavedGraph): SavedLayer | undefined {
  const { inputs, calls, outputs, layers, name } = graph;
  const isChain =
    inputs.length === 1 &&
    calls.length === layers.length &&
    calls.length > 0 &&
    layers[0]!.className !== 'Sequential' &&
    calls.every((call, i) => {
      const { x, isList, initialState, mask, training } = call;
      const isPlain = !isList && !initialState && !mask && training === undefined;
      return isPlain && call.layer === i && x[0]![0] === i && x[0]![1] === 0 && !returnsState(layers[i]!);
    }) &&
    outputs.length === 1 &&
    outputs[0]![0] === calls.length &&
    graph.inputNest === 'one' &&
    graph.outputNest === 'one';
  if (!isChain) return undefined;
  const [first, ...rest] = layers as [SavedLayer, ...SavedLayer[]];
  const head = { ...first, config: { ...first.config, batchInputShape: inputs[0]!.shape } };
  return { className: 'Sequential', config: { name, layers: [head, ...rest] as unknown as Json } };
}

const returnsState = ({ className, config }: SavedLayer): boolean =>
  config.returnState === true ||
  config.mergeMode === 'none' ||
  (className === 'Bidirectional' && isObject(config.layer) && (config.layer.config as Parsed).returnState === true) ||
  className === 'KerasFunctional';
