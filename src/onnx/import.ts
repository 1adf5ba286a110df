import { ArgumentError, shownForeign } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { Model } from '../models/model.ts';
import { readModelProto } from './format/messages.ts';
import { GraphNetwork } from './graph-network.ts';
import { OnnxGraph } from './onnx-graph.ts';

/** Options of `importOnnx`. */
export interface ImportOnnxOptions {
  /** Default: the name of the graph. */
  name?: string | undefined;
  /**
   * Which parameters training changes: all (default), none, or those whose names are in the list or fit a pattern. The
   * names are those of the initializers in the file.
   */
  trainable?: boolean | string | RegExp | readonly (string | RegExp)[] | undefined;
  /**
   * Inputs that take states, each with the output that gives its next value: `{ h: 'hn', c: 'cn' }`. Default: what
   * names and shapes suggest. `{}` makes states plain inputs and outputs.
   */
  states?: Readonly<Record<string, string>> | undefined;
  /** Inputs with fixed elements, such as a sampling rate: `{ sr: 16000 }`. */
  constants?: Readonly<Record<string, number | readonly number[]>> | undefined;
  /** The axis of the batch, for inputs and outputs where it is not the first: `{ x: 1, y: 1 }`. */
  batchAxes?: Readonly<Record<string, number>> | undefined;
  /**
   * Whether a batch starts from the last states of the batch before, as with a stateful layer: `predict` of the next
   * chunk goes on, until `resetStates`. Default false: every batch starts from zeros.
   */
  stateful?: boolean | undefined;
  /** Files beside the model that hold its larger tensors: their bytes by relative name, or a function that gives them. */
  externalData?: Readonly<Record<string, Uint8Array>> | ((location: string) => Uint8Array | undefined) | undefined;
}

const optionNames = { name: 1, trainable: 1, states: 1, constants: 1, batchAxes: 1, stateful: true, externalData: 1 };

/**
 * Makes a model of an ONNX file.
 *
 * @param bytes an ONNX model of operator set 6 or newer.
 * @returns a model like any other: `predict`, `fit`, `summary`, saved files. Float initializers are its parameters. The
 *   caller owns it and frees its memory with `dispose`.
 * @throws ModelFileError if the bytes are not an ONNX model, or it uses what is not supported: the message lists every
 *   such operator with its nodes. ArgumentError if an option is unknown or names an input or output that is not there.
 * @see https://onnx.ai/onnx/operators
 *
 * @example
 * const model = importOnnx(await readFile('classifier.onnx'));
 * model.predict(x);
 */
export function importOnnx(bytes: Uint8Array, options: ImportOnnxOptions = {}): Model {
  const {
    trainable = true,
    externalData,
    constants = {},
    ...rest
  } = checkOptions('importOnnx', options, optionNames as never) as ImportOnnxOptions;
  if (!(bytes instanceof Uint8Array))
    throw new ArgumentError(`importOnnx: bytes expected a Uint8Array, got ${shownForeign(bytes, 'buffer')}`);
  const external = typeof externalData === 'function' ? externalData : (location: string) => externalData?.[location];
  const graph = fileErrors(
    () =>
      new OnnxGraph(readModelProto(bytes), {
        ...rest,
        constants: Object.fromEntries(
          Object.entries(constants).map(([name, value]) => [name, [value].flat() as number[]]),
        ),
        external,
      }),
  );
  expectNames(graph, options);
  if (options.stateful && graph.graphStates().length === 0)
    throw new ArgumentError("importOnnx: stateful expected states; name them: { states: { h: 'hn' } }");
  const network = new GraphNetwork([graph], options.name ?? (graph.proto.graph!.name || undefined));
  fileErrors(() => network.build((network.declaredShapes ?? {}) as never));
  setTrainable(graph, trainable);
  return new Model(network);
}

/** Runs `body`, in which any error is one of the file. */
function fileErrors<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new ModelFileError(`importOnnx: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws `ArgumentError` for an option that names an input or output that is not there. */
function expectNames(graph: OnnxGraph, { states = {}, constants = {}, batchAxes = {} }: ImportOnnxOptions): void {
  const [inputs, outputs] = [graph.graphInputs, graph.graphOutputs].map((list) => list.map(({ name }) => name)) as [
    string[],
    string[],
  ];
  const expect = (option: string, name: string, known: readonly string[], what: string): void => {
    if (known.includes(name)) return;
    throw new ArgumentError(`importOnnx: ${option}: '${name}' expected ${what} of the graph: ${known.join(', ')}`);
  };
  for (const [from, to] of Object.entries(states)) {
    expect('states', from, inputs, 'an input');
    expect('states', to, outputs, 'an output');
  }
  for (const name of Object.keys(constants)) expect('constants', name, inputs, 'an input');
  for (const name of Object.keys(batchAxes)) expect('batchAxes', name, [...inputs, ...outputs], 'an input or output');
}

function setTrainable(graph: OnnxGraph, trainable: NonNullable<ImportOnnxOptions['trainable']>): void {
  if (trainable === true) return;
  const patterns = typeof trainable === 'boolean' ? [] : [trainable].flat();
  const isWanted = (name: string): boolean =>
    (patterns as (string | RegExp)[]).some((each) => (typeof each === 'string' ? each === name : each.test(name)));
  for (const weight of graph.weights) weight.trainable = isWanted(weight.name.slice(weight.name.indexOf('/') + 1));
}
