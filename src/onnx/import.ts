import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError, expectCount, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { sizeOf } from '../checks/shape.ts';
import { bytesOf, type FileBytes } from '../io/model-file.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { Model } from '../models/model.ts';
import { elementsOf } from './format/element-types.ts';
import { type GraphProto, readModelProto } from './format/messages.ts';
import { mayFollow, type OnnxValue } from './graph/signature.ts';
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
  /** Lengths of axes that vary, by the name that the file gives them: `{ sequence: 512 }`. */
  freeDimensionOverrides?: Readonly<Record<string, number>> | undefined;
  /**
   * Whether a batch starts from the last states of the batch before, as with a stateful layer: `predict` of the next
   * chunk goes on, until `resetStates`. Default false: every batch starts from zeros.
   */
  stateful?: boolean | undefined;
  /** Files beside the model that hold its larger tensors: their bytes by relative name, or a function that gives them. */
  externalData?: Readonly<Record<string, FileBytes>> | ((location: string) => FileBytes | undefined) | undefined;
}

const optionNames = {
  ...{ name: 1, trainable: 1, states: 1, constants: 1, batchAxes: 1, freeDimensionOverrides: 1, stateful: true },
  externalData: 1,
};

/**
 * Makes a model of an ONNX file.
 *
 * @param bytes an ONNX model of operator set 6 or newer.
 * @returns a model like any other: `predict`, `fit`, `summary`, saved files. Float initializers are its parameters. The
 *   caller owns it and frees its memory with `dispose`.
 * @throws ModelFileError if the bytes are not an ONNX model, or it uses what is not supported: the message lists every
 *   such operator with its nodes. ArgumentError if an option is unknown, names an input, an output or a parameter that
 *   is not there, or gives a constant or a state that the input cannot take.
 * @see https://onnx.ai/onnx/operators
 *
 * @example
 * const model = importOnnx(await readFile('classifier.onnx'));
 * model.predict(x);
 */
export function importOnnx(bytes: FileBytes, options: ImportOnnxOptions = {}): Model {
  const {
    trainable = true,
    externalData,
    constants = {},
    freeDimensionOverrides = {},
    ...rest
  } = checkOptions('importOnnx', options, optionNames as never) as ImportOnnxOptions;
  const data = bytesOf('importOnnx', bytes);
  if (options.name !== undefined) expectType('importOnnx: name', options.name, 'a string');
  for (const option of ['states', 'constants', 'batchAxes', 'freeDimensionOverrides'] as const)
    if (options[option] !== undefined) expectType(`importOnnx: ${option}`, options[option], 'an object');
  const external =
    typeof externalData === 'function'
      ? externalData
      : (location: string) =>
          externalData && Object.hasOwn(externalData, location) ? externalData[location] : undefined;
  const proto = fileErrors(() => readModelProto(data), 'not an ONNX model: ');
  if (!proto.graph) throw new ModelFileError('importOnnx: not an ONNX model: it has no graph');
  overrideDimensions(proto.graph, freeDimensionOverrides);
  const graph = fileErrors(
    () =>
      new OnnxGraph(proto, {
        ...rest,
        constants: Object.fromEntries(
          Object.entries(constants).map(([name, value]) => [name, [value].flat() as number[]]),
        ),
        external,
      }),
  );
  expectNames(graph, options);
  expectConstants(graph);
  if (options.stateful && graph.graphStates().length === 0)
    throw new ArgumentError("importOnnx: stateful expected states; name them: { states: { h: 'hn' } }");
  const network = new GraphNetwork([graph], options.name ?? (graph.proto.graph!.name || undefined));
  fileErrors(() => network.build((network.declaredShapes ?? {}) as never));
  try {
    setTrainable(graph, trainable);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return new Model(network);
}

/** Runs `body`, in which any error is one of the file; `what` says which. */
function fileErrors<T>(body: () => T, what = ''): T {
  try {
    return body();
  } catch (error) {
    throw new ModelFileError(`importOnnx: ${what}${(error as Error).message}`, { cause: error });
  }
}

/** Gives axes of inputs and outputs their lengths. Throws `ArgumentError` for a name that no axis has, and a bad length. */
function overrideDimensions({ input = [], output = [] }: GraphProto, lengths: Readonly<Record<string, number>>): void {
  const axes = [...input, ...output].flatMap(({ type }) => type?.tensorType?.shape?.dim ?? []);
  const known = [...new Set(axes.flatMap(({ dimParam }) => dimParam || []))];
  for (const [name, length] of Object.entries(lengths)) {
    const what = `importOnnx: freeDimensionOverrides: '${name}'`;
    if (!known.includes(name)) {
      throw new ArgumentError(
        `${what} expected a length that varies: ${known.join(', ') || 'there is none with a name'}`,
      );
    }
    expectCount(what, length);
  }
  for (const axis of axes) {
    if (!axis.dimParam || !Object.hasOwn(lengths, axis.dimParam)) continue;
    axis.dimValue = lengths[axis.dimParam]!;
    delete axis.dimParam;
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
  const pairs = Object.entries(states);
  for (const [from, to] of pairs) {
    expect('states', from, inputs, 'an input');
    expect('states', to, outputs, 'an output');
    const [input, output] = [
      graph.graphInputs.find(({ name }) => name === from)!,
      graph.graphOutputs.find(({ name }) => name === to)!,
    ];
    if (!mayFollow(input, output))
      throw new ArgumentError(`importOnnx: states: '${from}' expected ${typed(input)}, got '${to}', ${typed(output)}`);
    const twice = pairs.find((pair) => pair[1] === to)!;
    if (twice[0] !== from)
      throw new ArgumentError(
        `importOnnx: states: '${from}' expected an output of its own, got '${to}' of '${twice[0]}'`,
      );
  }
  for (const name of Object.keys(constants)) expect('constants', name, inputs, 'an input');
  for (const [name, axis] of Object.entries(batchAxes)) {
    expect('batchAxes', name, [...inputs, ...outputs], 'an input or output');
    const { dims } = [...graph.graphInputs, ...graph.graphOutputs].find((each) => each.name === name)!;
    if (!(Number.isInteger(axis) && axis >= 0 && axis < (dims?.length ?? 64)))
      throw new ArgumentError(
        `importOnnx: batchAxes: '${name}' expected an axis of ${dims ? `[${dims.join(', ')}]` : 'it'}, got ${shown(axis)}`,
      );
  }
}

const typed = ({ type, dims }: OnnxValue): string => `${type}${dims ? ` [${dims.join(', ')}]` : ''}`;

/** Throws `ArgumentError` for a constant that its input cannot take. */
function expectConstants(graph: OnnxGraph): void {
  for (const [name, values] of Object.entries(graph.settings.constants)) {
    const { type, dims } = graph.graphInputs.find((input) => input.name === name)!;
    const what = `importOnnx: constants: '${name}'`;
    elementsOf(what, type, values);
    const size = dims?.every((n) => typeof n === 'number') ? sizeOf(dims as number[]) : undefined;
    if (values.length === 0 || (values.length > 1 && size !== undefined && values.length !== size))
      throw new ArgumentError(`${what} expected one number or ${size ?? 'as many as it has'}, got ${values.length}`);
  }
}

function setTrainable(graph: OnnxGraph, trainable: NonNullable<ImportOnnxOptions['trainable']>): void {
  if (trainable === true) return;
  const patterns = (typeof trainable === 'boolean' ? [] : [trainable].flat()) as readonly (string | RegExp)[];
  const nameOf = ({ name }: Parameter): string => name.slice(name.indexOf('/') + 1);
  // `search` does not go on from the last match, as `test` does with the flag g.
  const fits = (pattern: string | RegExp, name: string): boolean =>
    typeof pattern === 'string' ? pattern === name : name.search(pattern) >= 0;
  for (const pattern of patterns) {
    if (typeof pattern !== 'string' && !(pattern instanceof RegExp))
      throw new ArgumentError(`importOnnx: trainable expected true, false, names or patterns, got ${shown(pattern)}`);
    if (graph.weights.some((weight) => fits(pattern, nameOf(weight)))) continue;
    const some = graph.weights.slice(0, 8).map((weight) => `'${nameOf(weight)}'`);
    const known =
      graph.weights.length > 0 ? `of ${some.join(', ')}${graph.weights.length > 8 ? ', …' : ''}` : ': there is none';
    const given = typeof pattern === 'string' ? `'${pattern}'` : String(pattern);
    throw new ArgumentError(`importOnnx: trainable expected a parameter ${known}; got ${given}, which fits none`);
  }
  for (const weight of graph.weights) weight.trainable = patterns.some((each) => fits(each, nameOf(weight)));
}
