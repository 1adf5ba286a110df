import { Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectArray, expectList, expectType, shownForeign } from '../checks/argument-error.ts';
import { flattenNested, type NestedNumbers, shapeOfNested } from '../checks/nested-numbers.ts';
import { formatShape, sizeOf } from '../checks/shape.ts';
import { NdArray } from '../data/array.ts';
import { engine } from '../engine/engine.ts';
import type { AnyModel } from '../models/model.ts';
import { type ElementType, elementsOf, type HostData, isFloat } from './format/element-types.ts';
import type { OnnxValue } from './graph/signature.ts';
import { Value } from './graph/value.ts';
import { OnnxGraph } from './onnx-graph.ts';
import type { RecognizedCell } from './rewrite/recognize.ts';

/** Values of an input: an array, a tensor, nested numbers, a number, or strings with their shape. */
export type OnnxFeed =
  | NdArray
  | Tensor
  | NestedNumbers
  | { readonly data: ArrayLike<number> | ArrayLike<bigint> | readonly string[]; readonly shape: readonly number[] };

/** An output: its elements with their shape. Integers of 64 bits are doubles, exact to 2⁵³. */
export type OnnxResult = NdArray<Exclude<HostData, string[]>> & { readonly strings?: readonly string[] };

/**
 * Runs an imported graph as its file says it: every input and output by its name, in its own layout, and states carried
 * from one run to the next.
 */
export class OnnxSession {
  readonly #graph: OnnxGraph;
  #states = new Map<string, Value>();

  constructor(model: AnyModel) {
    const graph = model?.layers?.find((layer) => layer instanceof OnnxGraph);
    if (!graph)
      throw new ArgumentError(
        `onnxSession: model expected one that importOnnx made, got ${shownForeign(model, 'network')}`,
      );
    this.#graph = graph as OnnxGraph;
  }

  /** Names, element types and dimensions of the inputs. */
  get inputs(): readonly OnnxValue[] {
    return this.#graph.graphInputs;
  }

  /** Names, element types and dimensions of the outputs. */
  get outputs(): readonly OnnxValue[] {
    return this.#graph.graphOutputs;
  }

  /** The input that takes each state, and the output that gives its next value. */
  get states(): Readonly<Record<string, string>> {
    return this.#graph.settings.states;
  }

  /** Recurrences that the file has in parts, such as Gemm, Split, Sigmoid and Tanh, and that run as one. */
  get recognized(): readonly RecognizedCell[] {
    return this.#graph.recognized;
  }

  /**
   * Computes all outputs.
   *
   * @param feeds the inputs by name. A state that is missing is the one that the last run gave, or zeros.
   * @returns the outputs by name; the caller owns them.
   * @throws ArgumentError if an input is missing, unknown or does not fit, or an operator refuses its operands.
   */
  run(feeds: Readonly<Record<string, OnnxFeed>>): Record<string, OnnxResult> {
    const { graphInputs, settings } = this.#graph;
    expectType('run: feeds', feeds, 'an object');
    for (const name of Object.keys(feeds)) {
      if (Object.hasOwn(settings.constants, name))
        throw new ArgumentError(`run: '${name}' was fixed by the constants of importOnnx, expected no value`);
      if (graphInputs.some((input) => input.name === name)) continue;
      const names = graphInputs.map((input) => `'${input.name}'`).join(', ');
      throw new ArgumentError(`run: expected inputs ${names}, got '${name}'`);
    }
    return (this.#graph.weights[0]?.tensor.engine ?? engine()).step(() => {
      const values = new Map<string, Value>();
      for (const input of graphInputs) {
        const { name } = input;
        if (Object.hasOwn(feeds, name)) values.set(name, given(input, feeds[name]!));
        else if (this.#states.has(name)) {
          const { type, shape, host } = this.#states.get(name)!;
          values.set(name, fed(type, shape, host));
        }
      }
      const outputs = this.#graph.run(values);
      const states = Object.entries(settings.states).map(([from, to]) => [from, outputs.get(to)!.kept()] as const);
      const results = Object.fromEntries([...outputs].map(([name, value]) => [name, resultOf(value)]));
      this.#states = new Map(states);
      return results;
    });
  }

  /** Starts from zeros at the next run. */
  reset(): void {
    this.#states.clear();
  }
}

/**
 * Runs an imported model as its file says it, with the states of one stream.
 *
 * @param model what `importOnnx` made, or the same loaded from a file.
 * @returns a session. It shares the weights of the model.
 * @throws ArgumentError if `model` is not an imported one.
 *
 * @example
 * const session = onnxSession(importOnnx(bytes));
 * const { output } = session.run({ input: chunk, sr: 16000 }); // states are carried to the next run
 */
export const onnxSession = (model: AnyModel): OnnxSession => new OnnxSession(model);

/** Floats go to linear memory, where operators have kernels. Doubles stay, for operators that compute with them. */
function fed(type: ElementType, shape: readonly number[], data: HostData): Value {
  if (!isFloat(type) || type === 'float64') return Value.ofHost(type, shape, data);
  return Value.ofTensor(tensor(data as Float32Array as never, { shape, name: 'input' }), type);
}

function given(input: OnnxValue, feed: OnnxFeed): Value {
  const what = `run: '${input.name}'`;
  const { data, shape } = flatOf(what, input, feed);
  const { dims } = input;
  const fits = !dims || (dims.length === shape.length && dims.every((n, i) => typeof n === 'string' || n === shape[i]));
  if (!fits) throw new ArgumentError(`${what} expected [${dims.join(', ')}], got ${formatShape(shape)}`);
  if (input.type === 'string') return Value.ofHost('string', shape, [...(data as readonly string[])]);
  return fed(input.type, shape, elementsOf(what, input.type, data));
}

function flatOf(
  what: string,
  { dims }: OnnxValue,
  given: OnnxFeed,
): { data: ArrayLike<number | bigint | string>; shape: readonly number[] } {
  if (given instanceof Tensor) return { data: given.toArray(), shape: given.shape };
  if (typeof given === 'number') return { data: [given], shape: dims?.length === 1 ? [1] : [] };
  if (given && typeof given === 'object' && 'data' in given && 'shape' in given) {
    const { data, shape } = given as { data: ArrayLike<number>; shape: readonly number[] };
    expectArray(`${what}: data`, data);
    expectList(`${what}: shape`, shape);
    if (data.length !== sizeOf(shape))
      throw new ArgumentError(
        `${what} expected ${sizeOf(shape)} elements for ${formatShape(shape)}, got ${data.length}`,
      );
    return { data, shape };
  }
  const shape = shapeOfNested(given as NestedNumbers, what);
  return { data: flattenNested(given as NestedNumbers, shape, what), shape };
}

function resultOf(value: Value): OnnxResult {
  const { host, shape, type } = value;
  if (type === 'string') {
    const strings = host as string[];
    return Object.assign(
      new NdArray(
        Float32Array.from(strings, () => Number.NaN),
        shape,
      ),
      { strings },
    );
  }
  return new NdArray((host as Float32Array).slice(), shape);
}
