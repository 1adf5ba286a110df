// Weights and the state of training, as PyTorch reads them.

import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { sizeOf } from '../checks/shape.ts';
import { encodeSafetensors, type SafetensorsTensor } from '../io/safetensors.ts';
import { type AnyModel, expectModel } from '../models/model.ts';
import { optionsOf, type WeightForm } from './modules.ts';
import { torchOptimizerOf } from './optimizer.ts';
import { type WrittenValue, writeTorch } from './pickle/pickle-writer.ts';
import { type ModuleNames, type Place, placesOf, tensorName, tensorsAt } from './places.ts';

/** Options of `encodeStateDict` and `encodeCheckpoint`. */
export interface EncodeTorchOptions {
  /**
   * Names of modules for the layers, as in `loadStateDict`. The state of an optimizer belongs to parameters by their
   * order: list the modules in the order of the PyTorch class. Default: modules have the names of the layers.
   */
  names?: ModuleNames | undefined;
}

/** Options of `encodeCheckpoint`. */
export interface EncodeCheckpointOptions extends EncodeTorchOptions {
  /** Whether the state of the optimizer goes into the file, if the model is compiled. Default true. */
  includeOptimizer?: boolean | undefined;
  /**
   * Whether what changes training and is no part of an optimizer of PyTorch is refused: clipping, accumulation, a
   * schedule, regularizers and constraints. Without it they are left to the loop in PyTorch, and of a schedule the next
   * learning rate is written. Default true.
   */
  strict?: boolean | undefined;
}

/** A tensor of a state dict. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: () => Float32Array | BigInt64Array;
  /** The weight that it is of, and which of its tensors; undefined for a fixed one. */
  readonly form: WeightForm | undefined;
  readonly index: number;
  readonly isBuffer: boolean;
}

const BUFFER = /^(running_mean|running_var|num_batches_tracked)$/;
// The order in which a module registers its parameters and buffers.
const order = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'];

/** The tensors of a layer in the order of its module. */
export function entriesAt(place: Place): StateEntry[] {
  const { weights, fixed, kind, isRecurrent } = place.module;
  const entries = weights.flatMap((form) =>
    tensorsAt(place, form).map(({ name, shape }, index): StateEntry & { key: string } => {
      const key = form.tensors[index]!.key;
      const values = () => form.toTorch(form.parameter.toArray())[index]!;
      return { key, name, shape, values, form, index, isBuffer: BUFFER.test(key) };
    }),
  );
  for (const { key, shape, value } of fixed) {
    const values = () => new Float32Array(sizeOf(shape)).fill(value);
    entries.push({ key, name: tensorName(place, key), shape, values, form: undefined, index: 0, isBuffer: false });
  }
  if (kind === 'BatchNorm') {
    const key = 'num_batches_tracked';
    const values = () => new BigInt64Array(1);
    entries.push({ key, name: tensorName(place, key), shape: [], values, form: undefined, index: 0, isBuffer: true });
  }
  if (isRecurrent || entries.some(({ key }) => !order.includes(key))) return entries;
  return entries.sort((a, b) => order.indexOf(a.key) - order.indexOf(b.key));
}

function entriesOf(what: string, model: AnyModel, options: EncodeTorchOptions): StateEntry[] {
  const { names } = options;
  expectModel(what, model);
  const entries = placesOf(what, model, names).flatMap(entriesAt);
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (seen.has(name)) throw new ArgumentError(`${what}: names expected each tensor once, got '${name}' twice`);
    seen.add(name);
  }
  return entries;
}

/**
 * Writes the weights of a model as a safetensors file, with the names, shapes and gate order of PyTorch.
 *
 * @param model a built model.
 * @param options.names see `EncodeTorchOptions`.
 * @returns the bytes of the file, for `safetensors.torch.load_file` and `load_state_dict`; the caller owns them. The
 *   bias of an LSTM or an RNN becomes `bias_ih`, and `bias_hh` is 0.
 * @throws ArgumentError if an option is unknown, `names` does not fit, the model is not built, or a layer computes what
 *   no module of PyTorch computes: the message names it.
 * @see https://huggingface.co/docs/safetensors/api/torch
 *
 * @example
 * await writeFile('model.safetensors', encodeStateDict(model, { names: { rnn: ['lstm', 'lstm_1'], fc: 'dense' } }));
 */
export function encodeStateDict(model: AnyModel, options: EncodeTorchOptions = {}): Uint8Array {
  const what = 'encodeStateDict';
  const tensors = entriesOf(what, model, checkOptions(what, options, { names: 1 })).map(
    ({ name, shape, values }): [string, SafetensorsTensor] => {
      const data = values();
      if (data instanceof Float32Array) return [name, { dtype: 'F32', shape: [...shape], data }];
      return [name, { dtype: 'I64', shape: [...shape], data }];
    },
  );
  return encodeSafetensors(new Map(tensors), { format: 'pt' });
}

/**
 * Writes a checkpoint that `torch.load` reads: the weights, and the state of the optimizer if the model is compiled.
 *
 * It is a dict of `model_state_dict`, `optimizer_state_dict` and `optimizer`, the name of the class in `torch.optim`. The
 * module of `exportTorch` goes on training from it. PyTorch 2 reads it with `weights_only=True`.
 *
 * @param model a built model.
 * @param options see `EncodeCheckpointOptions`.
 * @returns the bytes of the file, `.pt`; the caller owns them. The `bias_hh` of an LSTM or an RNN is 0 and has no state:
 *   it is to be frozen, as the module of `exportTorch` does, since two biases would learn at twice the rate of one.
 * @throws ArgumentError if an option is unknown, `names` does not fit, the model is not built, a layer or the optimizer
 *   has no equal in PyTorch, or, with `strict`, training here does more than the loop there: the message names the layer
 *   or the optimizer, and the option.
 * @see https://pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
 *
 * @example
 * await writeFile('checkpoint.pt', encodeCheckpoint(model));
 */
export function encodeCheckpoint(model: AnyModel, options: EncodeCheckpointOptions = {}): Uint8Array {
  const what = 'encodeCheckpoint';
  const given = checkOptions(what, options, { names: 1, includeOptimizer: true, strict: true });
  const { includeOptimizer = true, strict = true } = given;
  const entries = entriesOf(what, model, given);
  const parts = new Map<string, WrittenValue>();
  const written = entries.map(({ name, shape, values }): [string, WrittenValue] => [
    name,
    { tensor: { shape, data: values() } },
  ]);
  parts.set('model_state_dict', new Map(written));
  if (model.isCompiled && includeOptimizer) {
    if (strict) expectPlain(what, model);
    const { className, state } = optimizerState(what, model, entries, strict);
    parts.set('optimizer_state_dict', state);
    parts.set('optimizer', className);
  }
  return writeTorch(parts);
}

/** Throws `ArgumentError` for layers with regularizers or constraints. */
function expectPlain(what: string, model: AnyModel): void {
  for (const layer of model.network.tree()) {
    const given = Object.entries(optionsOf(layer));
    const found = given.find(
      ([key, value]) => /(Regularizer|Constraint)$/.test(key) && (value ?? undefined) !== undefined,
    );
    if (found) {
      throw new ArgumentError(
        `${what}: layer '${layer.path}' has ${found[0]}, which no module of PyTorch has: strict: false leaves it to your loop there, includeOptimizer: false writes the weights alone`,
      );
    }
  }
}

/** `optimizer.state_dict()` of an optimizer of all parameters of the module. */
function optimizerState(
  what: string,
  model: AnyModel,
  entries: readonly StateEntry[],
  strict: boolean,
): { className: string; state: WrittenValue } {
  const { optimizer } = model;
  const { className, group, slots, countsSteps } = torchOptimizerOf(what, optimizer, strict);
  const parameters = entries.filter(({ isBuffer }) => !isBuffer);
  const { iterations } = optimizer;
  // Adagrad of PyTorch has its sums before the first step.
  const hasState = iterations > 0 || className === 'Adagrad';
  const buffers = slots.length > 0 && hasState ? optimizer.state(model.weights) : new Map();
  const state = new Map<number, WrittenValue>();
  parameters.forEach(({ form, index, shape }, i) => {
    if (!form?.parameter.trainable || (form.isSum && index > 0) || buffers.size === 0) return;
    const own = slots.map(({ torch, own: name, factor }): [string, WrittenValue] => {
      const values = buffers.get(`${form.parameter.name}/${name}`)!.toArray() as Float32Array;
      const scaled = factor === 1 ? values : values.map((value) => value / factor);
      return [torch, { tensor: { shape, data: form.toTorch(scaled)[index]! } }];
    });
    const step: [string, WrittenValue] = ['step', { tensor: { shape: [], data: Float32Array.of(iterations) } }];
    state.set(i, new Map(countsSteps ? [step, ...own] : own));
  });
  const options = Object.entries(group).map(([key, value]): [string, WrittenValue] => [key, written(value)]);
  const params: [string, WrittenValue] = ['params', parameters.map((_, i) => i)];
  return {
    className,
    state: new Map<string, WrittenValue>([
      ['state', state],
      ['param_groups', [new Map([...options, params])]],
    ]),
  };
}

/** An option of a group. Numbers are floats. */
const written = (value: unknown): WrittenValue =>
  typeof value === 'number'
    ? { float: value }
    : Array.isArray(value)
      ? { tuple: value.map(written) }
      : (value as WrittenValue);
