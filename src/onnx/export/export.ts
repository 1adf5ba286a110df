import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList, expectType, shown, shownForeign } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { entriesOf, leavesOf, type Nested } from '../../data/nested.ts';
import { engine } from '../../engine/engine.ts';
import { type InputSpec, isInputSpec } from '../../layers/base/input-spec.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { AnyModel } from '../../models/model.ts';
import { writeModelProto } from '../format/messages.ts';
import { importOnnx } from '../import.ts';
import { OnnxGraph } from '../onnx-graph.ts';
import { onnxSession } from '../session.ts';
import { FLOAT, GraphBuilder, INT32, Names, valueInfo } from './graph-builder.ts';
import { differenceOf, elementsOf } from './infer.ts';
import { describeInputs, type Input, type Lengths, lengthPairs, nest, randomInputs } from './inputs.ts';
import { layerExporters } from './layers.ts';
import { exporterOfOp } from './ops.ts';
import { exportRecurrent, isRecurrent } from './recurrent.ts';
import { isTensor, trace } from './trace.ts';
import { type ExportedState, type Exporters, isWhole, type Pair, Writer } from './writer.ts';

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
 * @throws ArgumentError if an option is unknown or a name is given twice, the model is not built, or is an imported one
 *   and there are options, or it computes what ONNX cannot express: the message names the layer and the op.
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
  if (network.sublayers.length === 1 && graph instanceof OnnxGraph) {
    const [given] = Object.keys(options).filter((option) => options[option as 'name'] !== undefined);
    if (given !== undefined)
      throw new ArgumentError(`exportOnnx: ${given} expected to be left out: an imported model is written as it came`);
    return writeModelProto(graph.filled());
  }
  if (!network.isBuilt) throw new ArgumentError(`exportOnnx: model '${network.name}' expected to be built, as by fit`);
  const count = leavesOf<InputSpec>(network.inputs, isInputSpec).length;
  const forms = describeInputs(network, expectNames('inputNames', inputNames, count));
  return (network.weights[0]?.tensor.engine ?? engine()).step(() => {
    const { runs, inputs, lengths } = traced(network, forms);
    const bytes = fileOf(network, inputs, runs, { name: name ?? network.name, states, outputNames });
    checkFile(network, inputs, lengths, bytes);
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

interface How {
  readonly name: string;
  readonly states: boolean;
  readonly outputNames: readonly string[] | undefined;
}

/** Runs the model on inputs of several lengths, until both runs of a pair succeed. */
function traced(
  network: AnyLayer,
  forms: readonly (readonly Input[])[],
): { runs: readonly [Run, Run]; inputs: readonly Input[]; lengths: Lengths } {
  let failure: unknown;
  for (const inputs of forms) {
    for (const [short, long] of lengthPairs) {
      try {
        const runs = [tracedOn(network, inputs, short, 1), tracedOn(network, inputs, long, 2)] as const;
        return { runs, inputs, lengths: long };
      } catch (error) {
        failure ??= error;
      }
    }
  }
  throw failure;
}

interface Run {
  readonly x: readonly Tensor[];
  readonly calls: ReturnType<typeof trace>['calls'];
  readonly y: Nested<Tensor>;
}

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
    trace(network.tree(), isWhole(exporters), () => network(given as never, { training: false }) as Nested<Tensor>),
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
  const carried = ({ shapes, input }: ExportedState, name: string) =>
    valueInfo(name, FLOAT, [batch, ...writer.dimsOf(shapes, input)]);
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

/** Runs the file and the model on input of other lengths than `known`. Throws `ArgumentError` if they differ. */
function checkFile(network: AnyLayer, inputs: readonly Input[], known: Lengths, bytes: Uint8Array): void {
  const x = randomInputs(network, inputs, (input, axis) => (axis === 0 ? 2 : known(input, axis) + 2), 3);
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
      const difference = differenceOf(elementsOf(y), results[name]!);
      if (difference <= 1e-4) continue;
      throw new ArgumentError(
        `exportOnnx: output '${name}' of the file differs from the model's by ${difference}: an op has an option that does not show in its results`,
      );
    }
  } finally {
    imported.dispose();
  }
}
