import { type Tensor, tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList, expectType, shown, shownForeign } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { entriesOf, leavesOf, mapNested, type Nested } from '../../data/nested.ts';
import { engine } from '../../engine/engine.ts';
import { RandomStream } from '../../engine/random.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { type InputSpec, isInputSpec } from '../../layers/base/input-spec.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { AnyModel } from '../../models/model.ts';
import { writeModelProto } from '../format/messages.ts';
import { importOnnx } from '../import.ts';
import { OnnxGraph } from '../onnx-graph.ts';
import { onnxSession } from '../session.ts';
import { FLOAT, GraphBuilder, INT32, Names, valueInfo } from './graph-builder.ts';
import { layerExporters } from './layers.ts';
import { exporterOfOp } from './ops.ts';
import { exportRecurrent, isRecurrent } from './recurrent.ts';
import { isTensor, trace } from './trace.ts';
import { type ExportedState, type Exporters, type Pair, Writer } from './writer.ts';

/** Options of `exportOnnx`. */
export interface ExportOnnxOptions {
  /** Name of the graph. Default: that of the model. */
  name?: string | undefined;
  /**
   * Whether the states of all recurrent layers are inputs and outputs, so that the model runs in chunks: `lstm_h_in`
   * and `lstm_h_out`, one pair for each state. Default: those of layers with `stateful: true`.
   */
  states?: boolean | undefined;
  /** Names of the inputs, in their order. Default: the keys of the model's inputs; `input` for one alone. */
  inputNames?: readonly string[] | undefined;
  /** Names of the outputs, in their order. Default: the keys of the model's outputs; `output` for one alone. */
  outputNames?: readonly string[] | undefined;
}

/** The operator set and the version of the file format that `exportOnnx` writes. */
export const [OPSET, IR_VERSION] = [17, 8];

/**
 * Writes a model as an ONNX file, operator set 17, which ONNX Runtime and other engines run. Batch and lengths that vary
 * in the model vary in the file.
 *
 * Every layer and op of the package is written, as far as ONNX has its equal. Masks become lengths of sequences, custom
 * layers and the code of `model(…)` become the ops that they run, a cell of `rnn` becomes the body of a `Scan`. The
 * result is read by `importOnnx` and compared with the model on random input. A model that `importOnnx` made is written
 * as its file said it, with its weights of now.
 *
 * @param model a built model.
 * @returns the bytes of the file; the caller owns them.
 * @throws ArgumentError if an option is unknown or a name is given twice, the model is not built, or it computes what
 *   ONNX cannot express: the message names the layer and the op.
 * @see https://onnx.ai/onnx/operators
 *
 * @example
 * await writeFile('model.onnx', exportOnnx(model));
 */
export function exportOnnx(model: AnyModel, options: ExportOnnxOptions = {}): Uint8Array {
  const known = { name: 1, states: true, inputNames: 1, outputNames: 1 };
  const {
    name,
    states = false,
    inputNames,
    outputNames,
  } = checkOptions('exportOnnx', options, known as never) as ExportOnnxOptions;
  const network = model?.network as AnyLayer | undefined;
  if (!network) throw new ArgumentError(`exportOnnx: model expected a model, got ${shownForeign(model, 'layers')}`);
  if (name !== undefined) expectType('exportOnnx: name', name, 'a string');
  const graph = network.sublayers[0];
  if (network.sublayers.length === 1 && graph instanceof OnnxGraph) return writeModelProto(graph.filled());
  if (!network.isBuilt) throw new ArgumentError(`exportOnnx: model '${network.name}' expected to be built, as by fit`);
  const inputs = describeInputs(
    network,
    expectNames('inputNames', inputNames, entriesOf<InputSpec>(network.inputs, isInputSpec).length),
  );
  return (network.weights[0]?.tensor.engine ?? engine()).step(() => {
    const bytes = written(network, inputs, { name: name ?? network.name, states, outputNames });
    checkFile(network, inputs, bytes);
    return bytes;
  });
}

/** Throws `ArgumentError` unless the names, if there are any, are `count` different ones. */
function expectNames(
  option: string,
  names: readonly string[] | undefined,
  count: number,
): readonly string[] | undefined {
  if (names === undefined) return undefined;
  const what = `exportOnnx: ${option} expected`;
  expectList(`exportOnnx: ${option}`, names);
  if (names.length !== count)
    throw new ArgumentError(`${what} a list of ${count} name${count > 1 ? 's' : ''}, got ${names.length}`);
  const bad = names.find((name) => typeof name !== 'string' || name === '');
  if (bad !== undefined) throw new ArgumentError(`${what} names, got ${shown(bad)}`);
  return names;
}

const exporters: Exporters = {
  layer: (layer) => (isRecurrent(layer) ? exportRecurrent : layerExporters[layer.className]),
  op: exporterOfOp,
};

const isWhole = (layer: AnyLayer): boolean => exporters.layer(layer) !== undefined;

/** An input of the model. */
interface Input {
  readonly name: string;
  readonly key: string | number | undefined;
  readonly spec: InputSpec;
  /** Shape of a batch, null for a length that varies. */
  readonly shape: BatchShape;
}

function describeInputs(network: AnyLayer, names: readonly string[] | undefined): Input[] {
  const entries = entriesOf<InputSpec>(network.inputs, isInputSpec);
  const built = network.builtShape as Nested<BatchShape> | undefined;
  return entries.map(([key, spec], i) => {
    const own = key === undefined ? (built as BatchShape | undefined) : undefined;
    // A model that was built by its data has the lengths of the data, which may vary.
    const sample = spec.shape ?? own?.slice(1).map((n, axis, rest) => (axis < rest.length - 1 ? null : n));
    if (!sample) throw new ArgumentError(`exportOnnx: input ${key ?? ''} expected a shape in the model's inputs`);
    const batch = key === undefined ? (network.batchInputShape?.[0] ?? null) : null;
    const usual = key === undefined ? 'input' : typeof key === 'number' ? `input_${key}` : key;
    return { name: names?.[i] ?? usual, key, spec, shape: [batch, ...sample] };
  });
}

/** Lengths of the inputs in a run, by their places `input axis`. */
type Lengths = (input: number, axis: number) => number;

const isDistinct = (input: number): number => input;

/** Lengths that vary, in both traces: those of the batch fall, so no other length has their pair. */
function lengthsOf(base: readonly [number, number], numberOf: (input: number) => number): [Lengths, Lengths] {
  const one =
    (i: 0 | 1): Lengths =>
    (input, axis) =>
      axis === 0 ? [4, 3][i]! : base[i]! + 6 * (numberOf(input) * 4 + axis - 1) * (i + 1);
  return [one(0), one(1)];
}

interface How {
  readonly name: string;
  readonly states: boolean;
  readonly outputNames: readonly string[] | undefined;
}

function written(network: AnyLayer, inputs: readonly Input[], how: How): Uint8Array {
  const attempts = (
    [
      [7, 11],
      [37, 43],
      [151, 157],
    ] as const
  ).flatMap((base) => [isDistinct, () => 0].map((numberOf) => lengthsOf(base, numberOf)));
  let failure: unknown;
  for (const lengths of attempts) {
    const runs = lengths.map((each, i) => {
      try {
        return tracedOn(network, inputs, each, i + 1);
      } catch (error) {
        failure ??= error;
        return undefined;
      }
    });
    if (runs[0] && runs[1]) return fileOf(network, inputs, [runs[0], runs[1]], how);
  }
  throw failure;
}

interface Run {
  readonly x: readonly Tensor[];
  readonly calls: ReturnType<typeof trace>['calls'];
  readonly y: Nested<Tensor>;
}

/** Random inputs: some ids and some steps are 0 or the value of a masking layer, and so are hidden by masks. */
function randomInputs(network: AnyLayer, inputs: readonly Input[], lengths: Lengths, seed: number): Tensor[] {
  const random = new RandomStream(seed);
  const masking = network.tree().find(({ className }) => className === 'Masking');
  const hidden = Number((masking?.config() as { maskValue?: number } | undefined)?.maskValue ?? 0);
  return inputs.map(({ name, spec, shape }, i) => {
    const full = shape.map((n, axis) => n ?? lengths(i, axis));
    const size = full.reduce((product, n) => product * n, 1);
    const width = full.length > 2 ? full.at(-1)! : 1;
    const { dtype = 'f32', limit = 5 } = spec;
    let isHidden = false;
    const values = Array.from({ length: size }, (_, at) => {
      if (at % width === 0) isHidden = random.nextUniform() < 0.2;
      if (dtype === 'i32') return isHidden ? 0 : random.nextUint32() % limit;
      const value = 6 * random.nextUniform() - 3;
      return isHidden && masking ? hidden : value;
    });
    return tensor(values, { shape: full, dtype, name });
  });
}

/** Tensors in the form of the inputs of the model. */
const nest = (x: readonly Tensor[], like: Nested<InputSpec>): Nested<Tensor> => {
  let at = 0;
  return mapNested<InputSpec, Tensor>(like, isInputSpec, () => x[at++]!);
};

/** Runs `body` with the carried states of all layers put aside. */
function withoutStates<T>(network: AnyLayer, body: () => T): T {
  const restores = network.tree().map((layer) => layer.carried?.suspend());
  try {
    return body();
  } finally {
    for (const restore of restores) restore?.();
  }
}

function tracedOn(network: AnyLayer, inputs: readonly Input[], lengths: Lengths, seed: number): Run {
  const x = randomInputs(network, inputs, lengths, seed);
  const given = nest(x, network.inputs);
  const { calls, result } = withoutStates(network, () =>
    trace(network.tree(), isWhole, () => network(given as never, { training: false }) as Nested<Tensor>),
  );
  return { x, calls, y: result };
}

function fileOf(network: AnyLayer, inputs: readonly Input[], [a, b]: readonly [Run, Run], how: How): Uint8Array {
  const builder = new GraphBuilder(new Names());
  const writer = new Writer(builder, exporters, network.tree(), how.states);
  const elements = (dtype = 'f32'): number => (dtype === 'f32' ? FLOAT : INT32);
  for (const [i, { name }] of inputs.entries()) {
    builder.names.claim('inputNames', name);
    const pair: Pair = [a.x[i]!, b.x[i]!];
    const rank = pair[0].shape.length;
    for (const axis of pair[0].shape.keys()) {
      const time = i === 0 ? 'time' : `${name}_time`;
      const length = axis === 0 ? 'batch' : axis === 1 && rank < 4 ? time : `${name}_${axis}`;
      writer.bindLength([pair[0].shape[axis]!, pair[1].shape[axis]!], name, axis, length);
    }
    writer.bind(pair, name);
  }
  const results = entriesOf<Tensor>(a.y, isTensor);
  const others = leavesOf<Tensor>(b.y, isTensor);
  const outputNames = expectNames('outputNames', how.outputNames, results.length);
  const names = results.map(([key], i) => {
    const usual = key === undefined ? 'output' : typeof key === 'number' ? `output_${key}` : key;
    const given = outputNames?.[i];
    // Without a name of its own an output may have the key of an input.
    if (given === undefined) return builder.names.unique(usual);
    builder.names.claim('outputNames', given);
    return given;
  });
  writer.write(a.calls, b.calls);
  const outputs = results.map(([, y], i) => {
    const pair: Pair = [y, others[i]!];
    builder.named(names[i]!, 'Identity', [writer.wire(pair)]);
    return valueInfo(names[i]!, elements(y.dtype), writer.dims(pair, names[i]!));
  });
  const batch = writer.dims([a.x[0]!, b.x[0]!], 'batch')[0]!;
  const carried = (state: ExportedState, name: string) => valueInfo(name, FLOAT, [batch, ...state.shape]);
  for (const state of writer.states) builder.named(state.output, 'Identity', [state.from]);
  const graph = builder.graph(
    how.name,
    [
      ...inputs.map(({ name, spec }, i) =>
        valueInfo(name, elements(spec.dtype), writer.dims([a.x[i]!, b.x[i]!], name)),
      ),
      ...writer.states.map((state) => carried(state, state.input)),
    ],
    [...outputs, ...writer.states.map((state) => carried(state, state.output))],
  );
  return writeModelProto({
    irVersion: IR_VERSION,
    producerName: 'tapeloop',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: { ...graph, initializer: [...builder.names.initializers.values()] },
  });
}

/** Runs the file and the model on input of other lengths. Throws `ArgumentError` if they differ. */
function checkFile(network: AnyLayer, inputs: readonly Input[], bytes: Uint8Array): void {
  const lengths: Lengths = (_, axis) => (axis === 0 ? 2 : 41);
  const x = randomInputs(network, inputs, lengths, 3);
  const given = nest(x, network.inputs);
  const expected = withoutStates(network, () =>
    leavesOf<Tensor>(network(given as never, { training: false }) as Nested<Tensor>, isTensor),
  );
  const imported = importOnnx(bytes);
  try {
    const session = onnxSession(imported);
    const results = session.run(Object.fromEntries(inputs.map(({ name }, i) => [name, x[i]!])));
    for (const [i, y] of expected.entries()) {
      const { name } = session.outputs[i]!;
      const [values, others] = [Array.from(y.toArray()), results[name]!.data];
      const worst = Math.max(0, ...values.map((value, at) => Math.abs(value - others[at]!) / (1 + Math.abs(value))));
      if (worst <= 1e-4 && values.length === others.length) continue;
      throw new ArgumentError(
        `exportOnnx: output '${name}' of the file differs from the model's by ${worst}: an op has an option that does not show in its results`,
      );
    }
  } finally {
    imported.dispose();
  }
}
