// An imported graph as a layer: its parameters, and the runs of its nodes.
import type { Parameter } from '../autograd/parameter.ts';
import { type DType, Tensor, zeros } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { entriesOf, leavesOf, mapNested, type Nested } from '../data/nested.ts';
import { engine } from '../engine/engine.ts';
import { OutOfMemoryError } from '../engine/memory.ts';
import { decodeBase64, encodeBase64 } from '../host/base64.ts';
import type { LayerConfig } from '../io/model-file.ts';
import { type BatchShape, isShape } from '../layers/base/batch-shape.ts';
import { CarriedStates } from '../layers/base/carried-states.ts';
import type { InputSpec } from '../layers/base/input-spec.ts';
import { type CallOptions, Layer } from '../layers/base/layer.ts';
import { swapAxes } from './batch-axis.ts';
import { elementType, hostArray, isFloat } from './format/element-types.ts';
import { isInLayer, withoutValues, withValues } from './format/initializers.ts';
import {
  type GraphProto,
  type ModelProto,
  readModelProto,
  type TensorProto,
  writeModelProto,
} from './format/messages.ts';
import { type ExternalData, tensorData } from './format/tensor-data.ts';
import { type CompiledGraph, compileGraph, type Missing, missingText } from './graph/compiled.ts';
import { inlineFunctions } from './graph/functions.ts';
import { Runner } from './graph/plan.ts';
import { sizeOf, sparingly, withRoomFor } from './graph/room.ts';
import { boundLengths, guessStates, type OnnxValue, signatureOf } from './graph/signature.ts';
import { GraphState } from './graph/states.ts';
import { Value } from './graph/value.ts';
import { parametersOf } from './graph/weights.ts';
import { operators } from './ops/index.ts';
import type { AliasProto } from './rewrite/loops.ts';
import { type RecognizedCell, recognizeCells } from './rewrite/recognize.ts';

/** What a saved graph holds besides its parameters. */
export interface GraphSettings {
  /** The input that takes each state, and the output that gives its next value. */
  states: Readonly<Record<string, string>>;
  /** Inputs with fixed elements. */
  constants: Readonly<Record<string, readonly number[]>>;
  /** The axis of the batch, for inputs and outputs where it is not the first. */
  batchAxes: Readonly<Record<string, number>>;
  /** Whether a batch starts from the last states of the batch before. */
  stateful: boolean;
}

/** Elements that a run on zeros may compute, besides some for each parameter. */
const MOST_ON_ZEROS = 2 ** 23;

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** Tensors, shapes or specifications by name; one alone stands for itself. */
const byName = <T>(entries: readonly (readonly [string, T])[]): Nested<T> =>
  entries.length === 1 ? entries[0]![1] : Object.fromEntries(entries);

export class OnnxGraph extends Layer<Nested<Tensor>, Nested<Tensor>> {
  readonly className = 'OnnxGraph';
  readonly proto: ModelProto;
  readonly graphInputs: readonly OnnxValue[];
  readonly graphOutputs: readonly OnnxValue[];
  readonly settings: GraphSettings;
  /** Recurrences that the file has in parts. */
  readonly recognized: readonly RecognizedCell[];
  readonly #external: ExternalData | undefined;
  readonly #parameterProtos: ReadonlyMap<string, TensorProto>;
  /** Values of the parameters until they are made. */
  readonly #values = new Map<TensorProto, Float32Array>();
  /** Output shapes, by the shapes of the inputs. */
  readonly #outputShapes = new Map<string, Nested<BatchShape>>();
  /** Inputs that the caller of the layer gives: neither states nor constants. */
  readonly given: readonly OnnxValue[];
  /** Outputs that the layer returns: no states, if there is another one. */
  readonly shown: readonly OnnxValue[];
  readonly #runner: Runner;
  /** The inputs, states behind the others. */
  readonly #statesLast: readonly OnnxValue[];
  /** Names of nodes with a state of their own. */
  readonly recurrentNodes: readonly string[];
  #states: readonly GraphState[] | undefined;
  #carried: CarriedStates | undefined;
  /** The parameters as values, once they are made. */
  readonly #made = new Map<TensorProto, Value>();
  #parameters: readonly Parameter[] = [];

  /** Throws an `Error` for a broken graph, with all operators that are missing. */
  constructor(
    proto: ModelProto,
    options: {
      name?: string | undefined;
      external?: ExternalData | undefined;
      states?: GraphSettings['states'] | undefined;
      constants?: GraphSettings['constants'] | undefined;
      batchAxes?: GraphSettings['batchAxes'] | undefined;
      stateful?: boolean | undefined;
    } = {},
  ) {
    super('onnx_graph', { name: options.name });
    this.proto = proto;
    if (!proto.graph) throw new Error('it has no graph');
    const { inputs, outputs } = signatureOf(proto.graph);
    this.graphInputs = inputs;
    this.#external = options.external;
    const inlined = inlineFunctions(proto);
    const protos = parametersOf(inlined).filter((each) => this.#readValues(each));
    this.#parameterProtos = new Map(protos.map((each) => [each.name!, each]));
    // Parameters are those of the file: what is put together is made of them.
    const { graph: whole, cells } = recognizeCells(inlined, options.external);
    this.recognized = cells;
    const graph = this.#compile(whole);
    this.#runner = new Runner(graph);
    this.recurrentNodes = graph.nodes
      .filter(({ view }) => ['LSTM', 'GRU', 'RNN', 'Scan', 'Loop'].includes(view.op))
      .map(({ view }) => view.name);
    this.graphOutputs = outputs.filter(({ name }) => graph.outputNames.includes(name));
    const {
      states = guessStates(inputs, this.graphOutputs),
      constants = {},
      batchAxes = {},
      stateful = false,
    } = options;
    this.settings = { states, constants, batchAxes, stateful };
    const isState = ({ name }: OnnxValue): boolean => Object.hasOwn(states, name);
    this.#statesLast = [...inputs.filter((input) => !isState(input)), ...inputs.filter(isState)];
    this.given = inputs.filter(({ name }) => !Object.hasOwn(states, name) && !Object.hasOwn(constants, name));
    const next = Object.values(states);
    const shown = this.graphOutputs.filter(({ name }) => !next.includes(name));
    this.shown = shown.length > 0 ? shown : this.graphOutputs;
  }

  /** Reads the values of a parameter. A parameter is finite: an initializer that is not is a constant. */
  #readValues(proto: TensorProto): boolean {
    if (isInLayer(proto)) return true;
    try {
      const values = new Float32Array(tensorData(proto, this.#external).data as Float32Array);
      this.#values.set(proto, values);
      for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
      return true;
    } catch (error) {
      throw new Error(`initializer '${proto.name}' ${(error as Error).message}`);
    }
  }

  static fromConfig({ name, graph, settings }: LayerConfig): OnnxGraph {
    try {
      const proto = readModelProto(decodeBase64(String(graph)));
      return new OnnxGraph(proto, { name: String(name), ...(settings as Partial<GraphSettings>) });
    } catch (error) {
      if (error instanceof ArgumentError) throw error;
      throw new ArgumentError(`OnnxGraph: ${(error as Error).message}`);
    }
  }

  override config(): LayerConfig {
    return {
      ...this.baseConfig(),
      graph: encodeBase64(writeModelProto(withoutValues(this.proto, (proto) => this.#isParameter(proto)))),
      settings: this.settings as unknown as LayerConfig,
    };
  }

  /** The file with the values that the parameters have now, without outputs that nothing computes. */
  filled(): ModelProto {
    const parameters = new Map([...this.#parameterProtos.values()].map((proto, i) => [proto, this.#parameters[i]!]));
    const filled = withValues(this.proto, (proto) => parameters.get(proto)?.toArray());
    const made = this.graphOutputs.map(({ name }) => name);
    const output = filled.graph!.output?.filter(({ name }) => made.includes(name!));
    return { ...filled, graph: { ...filled.graph!, ...(output && { output }) } };
  }

  #isParameter(proto: TensorProto): boolean {
    return this.#parameterProtos.get(proto.name ?? '') === proto;
  }

  #compile(graph: GraphProto): CompiledGraph {
    const missing: Missing[] = [];
    const versions = new Map((this.proto.opsetImport ?? []).map(({ domain = '', version = 1 }) => [domain, version]));
    const compiled = compileGraph(graph, {
      operators,
      versionOf: (domain) => versions.get(domain) ?? (domain === '' ? versions.get('ai.onnx') : undefined),
      external: this.#external,
      parameter: (given) => {
        const proto = (given as AliasProto).of ?? given;
        return this.#isParameter(proto) ? () => this.#made.get(proto)! : undefined;
      },
      missing,
    });
    if (missing.length > 0) throw new Error(missingText(missing));
    return compiled;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override makeWeights(): void {
    this.#parameters = Array.from(this.#parameterProtos, ([name, proto]) => {
      const parameter = this.addWeight(name, proto.dims ?? [], () => this.#values.get(proto)!);
      this.#values.delete(proto);
      this.#made.set(proto, Value.ofParameter(parameter, elementType(proto.dataType)!));
      return parameter;
    });
  }

  /** The axis of the batch of an input or output. */
  batchAxisOf(name: string): number {
    return this.settings.batchAxes[name] ?? 0;
  }

  /** The states. Throws `ArgumentError` for one that is not made of rows of floats. */
  graphStates(): readonly GraphState[] {
    const first = this.given[0];
    const batch = first?.dims?.[this.batchAxisOf(first.name)];
    this.#states ??= Object.entries(this.settings.states).map(([name, next]) => {
      const input = this.graphInputs.find((each) => each.name === name)!;
      return new GraphState(input, next, batch, this.settings.batchAxes[name]);
    });
    return this.#states;
  }

  override get carried(): CarriedStates | undefined {
    if (!this.settings.stateful) return undefined;
    this.#carried ??= new CarriedStates(this.graphStates(), () => this.name);
    return this.#carried;
  }

  /** The shape of the only input with its batch first, one step long. */
  frameShape(batch: number): readonly number[] {
    const [{ name, dims = [] }] = this.given as [OnnxValue];
    const rest = dims.toSpliced(this.batchAxisOf(name), 1);
    return [batch, ...rest.map((n) => (typeof n === 'number' ? n : 1))];
  }

  override get inputs(): Nested<InputSpec> {
    const specs = this.given.map(({ name, type, dims }) => {
      const dtype: DType = isFloat(type) ? 'f32' : 'i32';
      const batch = this.batchAxisOf(name);
      const shape =
        dims && dims.length > 0 ? dims.toSpliced(batch, 1).map((n) => (typeof n === 'number' ? n : null)) : undefined;
      return [name, { dtype, shape }] as const;
    });
    return byName<InputSpec>(specs);
  }

  override get inputDtype(): DType {
    return (this.inputs as InputSpec).dtype ?? 'f32';
  }

  override outputShape(inputShape: Nested<BatchShape>): BatchShape {
    return this.outputShapes(inputShape) as BatchShape;
  }

  /** Runs the graph on zeros, once for each shape of its inputs, with lengths that vary set to 1. */
  override outputShapes(inputShape: Nested<BatchShape>): Nested<BatchShape> {
    const key = JSON.stringify(inputShape);
    const shapes = this.#outputShapes.get(key) ?? this.#shapesOnZeros(inputShape) ?? this.#declaredShapes();
    this.#outputShapes.set(key, shapes);
    const batch = leavesOf<BatchShape>(inputShape, isShape)[0]?.[0] ?? null;
    return mapNested<BatchShape, BatchShape>(shapes, isShape, (shape) => [batch, ...shape.slice(1)]);
  }

  #shapesOnZeros(inputShape: Nested<BatchShape>): Nested<BatchShape> | undefined {
    const given = new Map(
      entriesOf<BatchShape>(inputShape, isShape).map(([key, shape]) => [key ?? this.given[0]?.name, shape]),
    );
    if (!this.given.every(({ name }) => given.has(name))) return undefined;
    const held = [...this.#parameterProtos.values()].reduce((sum, { dims = [] }) => sum + sizeOf(dims), 0);
    const { heap } = engine();
    const restore = this.carried?.suspend();
    const run = (): Nested<BatchShape> =>
      engine().step(() => {
        const x = this.given.map(({ name, type, dims }) => {
          const batch = dims?.[this.batchAxisOf(name)];
          const shape = given
            .get(name)!
            .map((n, axis) => (axis === 0 ? (typeof batch === 'number' ? batch : 1) : (n ?? 1)));
          sizeOf(shape);
          return [name, zeros(shape, { dtype: isFloat(type) ? 'f32' : 'i32', name })] as const;
        });
        const y = this.call(byName(x), { training: false });
        return mapNested<Tensor, BatchShape>(y, isTensor, ({ shape }) => [null, ...shape.slice(1)]);
      });
    // The file decides the lengths, so it gets no more room than a model of its size needs.
    try {
      return sparingly(MOST_ON_ZEROS / 4 + held, MOST_ON_ZEROS + 4 * held, () =>
        withRoomFor(heap, 4 * (MOST_ON_ZEROS + 4 * held), run),
      );
    } catch (error) {
      // A convolution may not fit into one step.
      if (error instanceof ArgumentError || error instanceof OutOfMemoryError) return undefined;
      throw error;
    } finally {
      restore?.();
    }
  }

  #declaredShapes(): Nested<BatchShape> {
    const shapes = this.shown.map(({ name, dims }) => {
      const rest = (dims ?? [1]).toSpliced(this.batchAxisOf(name), 1);
      return [name, [null, ...rest.map((n) => (typeof n === 'number' ? n : null))] as BatchShape] as const;
    });
    return byName(shapes);
  }

  protected override call(x: Nested<Tensor>, { training = false }: CallOptions): Nested<Tensor> {
    const given = new Map(entriesOf<Tensor>(x, isTensor).map(([key, each]) => [key ?? this.given[0]!.name, each]));
    const batch = [...given.values()][0]?.shape[0] ?? 1;
    const feeds = new Map<string, Value>();
    for (const { name, type } of this.given) {
      const tensor = given.get(name);
      if (!tensor) throw new ArgumentError(`${this.name}: input '${name}' is missing`);
      const turned = swapAxes(tensor, this.batchAxisOf(name));
      feeds.set(
        name,
        tensor.dtype === 'i32' ? Value.ofHost(type, turned.shape, hostOf(type, turned)) : Value.ofTensor(turned, type),
      );
    }
    const { carried } = this;
    const before = carried?.begin(batch);
    before?.forEach((rows, i) => {
      const state = this.graphStates()[i]!;
      feeds.set(state.name, state.given(rows));
    });
    const outputs = this.run(feeds, { training, batch });
    carried?.keep(this.graphStates().map((state) => state.rows(outputs.get(state.next)!)));
    const shown = this.shown.map(
      ({ name }) => [name, swapAxes(outputs.get(name)!.tensor, this.batchAxisOf(name))] as const,
    );
    return byName(shown);
  }

  /**
   * Runs the graph. States that `feeds` does not give are zeros, and constants are those of the settings. To be called
   * in a step.
   *
   * @param options.batch the length of an axis of a state that no name binds to an axis of another input; default 1.
   */
  run(
    feeds: ReadonlyMap<string, Value>,
    { training = false, batch = 1 }: { training?: boolean; batch?: number } = {},
  ): Map<string, Value> {
    const { states, constants } = this.settings;
    const lengths = boundLengths(this.name, this.#statesLast, feeds, {
      batchAxisOf: (name) => this.batchAxisOf(name),
      isState: (name) => Object.hasOwn(states, name),
    });
    const inputs = this.graphInputs.map(({ name, type, dims = [] }) => {
      const fed = feeds.get(name);
      if (fed) return fed;
      const shape = dims.map((n) => (typeof n === 'number' ? n : (lengths.get(n) ?? batch)));
      if (Object.hasOwn(constants, name)) return Value.ofHost(type, shape, fill(type, constants[name]!, sizeOf(shape)));
      if (Object.hasOwn(states, name)) return Value.ofHost(type, shape, hostArray(type, sizeOf(shape)));
      throw new ArgumentError(`${this.name}: input '${name}' is missing`);
    });
    if (!this.isBuilt) this.build({});
    const values = this.#runner.run(inputs, [], {
      training,
      uniform: () => this.random.nextUniform(),
      parameters: this.#parameters,
    });
    return new Map(this.graphOutputs.map(({ name }, i) => [name, values[i]!]));
  }

  override dispose(): void {
    super.dispose();
    this.#runner.dispose();
  }
}

const hostOf = (type: OnnxValue['type'], tensor: Tensor) => fill(type, tensor.toArray(), tensor.size);

function fill(type: OnnxValue['type'], values: ArrayLike<number>, size: number) {
  const data = hostArray(type, size);
  for (let i = 0; i < size; i++) data[i] = values[values.length === 1 ? 0 : i]!;
  return data;
}
