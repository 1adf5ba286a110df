// The state of an optimizer, out of a checkpoint of PyTorch.

import { ArgumentError, expectList, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { isObject, quote } from '../io/parsed-json.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { type AnyModel, expectModel } from '../models/model.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { checkFlattened, flattenedOf } from './flattened.ts';
import { differences, floatsOf, type LoadStateDictOptions, suggestion } from './load-state-dict.ts';
import { type Group, type OptimizerKind, optimizerOfGroup } from './optimizer.ts';
import { PickledObject, type PickledValue } from './pickle/values.ts';
import { type Place, placesIn, placesOf, tensorName, tensorsAt } from './places.ts';
import {
  rootOf,
  type StateDict,
  stateDictNames,
  stateDictOf,
  type TorchSource,
  valueAt,
  withLevel,
} from './state-dict.ts';
import { TorchTensor } from './tensors.ts';

/** Options of `torchOptimizer`. Those of the state dict are as in `loadStateDict`. */
export interface TorchOptimizerOptions extends Omit<LoadStateDictOptions, 'strict'> {
  /**
   * Whether every parameter of the optimizer must be a weight of the model, and every trainable weight must have the
   * state of its parameter. Without it the rest begins without state. Default true.
   */
  strict?: boolean | undefined;
  /**
   * The key of the optimizer's state dict, `optimizer_states.0` in a list. Default: the only one with `param_groups`.
   */
  optimizerKey?: string | undefined;
  /**
   * What the optimizer is: a file does not tell Adam from AdamW with weight decay, but with `optimizer: 'AdamW'`, as
   * `encodeCheckpoint` writes it.
   */
  optimizer?: OptimizerKind | undefined;
  /**
   * The names of the parameters in the order in which the optimizer got them. Default: those of the state dict, as
   * `model.parameters()` has them.
   */
  parameters?: readonly string[] | undefined;
  /**
   * Whether the bias of an LSTM or an RNN takes the state of `bias_ih` where PyTorch has trained `bias_ih` and `bias_hh`.
   * Their sum then learns at half of the rate from here on. Default false: such a state is refused.
   */
  joinBiases?: boolean | undefined;
}

type Dict = ReadonlyMap<PickledValue, PickledValue>;
type Fail = (message: string) => never;

/**
 * Makes the optimizer of a PyTorch checkpoint, with its options and its state, to go on training where PyTorch stopped.
 *
 * SGD with momentum, Adam, AdamW, RMSprop and Adagrad are read. `load_state_dict` of PyTorch takes the options of the
 * file too.
 *
 * @param model a built model, with the layers that the parameters belong to. Its weights are not changed: `loadStateDict`
 *   loads them.
 * @param source the bytes of a checkpoint with `optimizer.state_dict()` and the state dict of the model, or what
 *   `readTorch` returned of it.
 * @param options see `TorchOptimizerOptions`.
 * @returns an optimizer to `compile` the model with; its state is that of the model's weights. The caller owns it.
 * @throws ModelFileError if the file has no such state, the optimizer is another one or has options that no optimizer
 *   here has (`maximize`, `dampening`, a penalty by `weight_decay`, groups that differ), or a buffer does not fit its
 *   parameter; ArgumentError if an option is unknown or does not fit, the model is not built, or a layer has no module.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.Optimizer.state_dict.html
 *
 * @example
 * const bytes = await readFile('checkpoint.pt');
 * loadStateDict(model, bytes);
 * model.compile({ optimizer: torchOptimizer(model, bytes), loss: 'mse' });
 */
export function torchOptimizer(model: AnyModel, source: TorchSource, options: TorchOptimizerOptions = {}): Optimizer {
  const what = 'torchOptimizer';
  const own = {
    names: 1,
    strict: true,
    flatten: 1,
    optimizerKey: 1,
    optimizer: 1,
    parameters: 1,
    joinBiases: true,
  } as const;
  const given = checkOptions(what, options, { ...own, ...stateDictNames });
  expectModel(what, model);
  if (given.optimizer !== undefined && given.optimizer !== 'adam' && given.optimizer !== 'adamw')
    throw new ArgumentError(`${what}: optimizer expected 'adam' or 'adamw', got ${shown(given.optimizer)}`);
  if (given.optimizerKey !== undefined) expectType(`${what}: optimizerKey`, given.optimizerKey, 'a string');
  if (given.parameters !== undefined) {
    expectList(`${what}: parameters`, given.parameters);
    for (const name of given.parameters) expectType(`${what}: parameters`, name, 'a string');
  }
  const fail: Fail = (message) => {
    throw new ModelFileError(`${what}: ${message}`, { file: given.file });
  };
  // Errors of arguments come before those of the file.
  placesOf(what, model, given.names);
  const root = rootOf(what, source, given.file);
  const found = optimizerIn(root, given.optimizerKey, fail);
  const groups = groupsOf(found, fail);
  const { optimizer, slots } = made(
    () => optimizerOfGroup(groups.options, given.optimizer ?? kindIn(root), fail),
    fail,
  );
  const states = found.get('state');
  if (!(states instanceof Map)) return fail('the state of the optimizer is missing');
  const tensors = given.parameters ? new Map() : stateDictOf(what, root as TorchSource, given);
  const names = given.parameters?.map(withLevel) ?? parameterNames(tensors);
  if (names.length !== groups.ids.length) {
    const mend = 'give parameters, their names in the order of the optimizer';
    fail(`the optimizer has ${groups.ids.length} parameters, the state dict ${names.length}: ${mend}`);
  }
  const byName = new Map(names.map((name, i) => [name, stateOf(states.get(groups.ids[i]!))]));
  const flattened = flattenedOf(model.network);
  checkFlattened(what, flattened, given.flatten);
  const steps = new Set<number>();
  const sets: [name: string, values: Float32Array][] = [];
  const places = placesIn(what, model, given.names, names);
  const { strict = true } = given;
  if (strict) expectSameParameters(places, byName, fail, () => suggestion(places, tensors, given));
  for (const place of places) {
    for (const form of place.module.weights) {
      const tensors = tensorsAt(place, form);
      const known = tensors.map(({ name }) => byName.get(name));
      const have = known.filter((state) => state !== undefined);
      if (have.length === 0) continue;
      if (form.isSum && have.length > 1 && !given.joinBiases) {
        const [a, b] = tensors.map(({ name }) => name);
        fail(
          `PyTorch has trained ${a} and ${b}, and their sum, the bias of layer '${place.module.layer.path}', learns at half of their rate: give joinBiases: true if this is meant`,
        );
      }
      if (!form.isSum && have.length < known.length)
        fail(`the state of ${tensors.map(({ name }) => name).join(' or ')} is missing`);
      for (const state of have) if (state.has('step')) steps.add(numberOf(state.get('step')!));
      for (const { torch, own: slot, factor } of slots) {
        const values = known.map((state, i) =>
          bufferOf(state?.get(torch), tensors[i]!, `${torch} of ${tensors[i]!.name}`, fail),
        );
        const first = values.find((each) => each !== undefined);
        if (!first) continue;
        const zeros = new Float32Array(first.length);
        const parts = form.isSum ? [first, zeros] : values.map((each) => each ?? zeros);
        const joined = form.fromTorch(parts);
        const ordered =
          given.flatten === 'channelsFirst' ? (flattened.get(form.parameter)?.(joined) ?? joined) : joined;
        sets.push([`${form.parameter.name}/${slot}`, factor === 1 ? ordered : ordered.map((value) => value * factor)]);
      }
    }
  }
  if (strict) expectStates(places, byName, fail);
  if (steps.size > 1)
    fail(`its parameters have made ${[...steps].slice(0, 4).join(' and ')} steps; here all make the same number`);
  const [step = 0] = steps;
  if (!Number.isSafeInteger(step) || step < 0) fail(`its number of steps expected an integer ≥ 0, got ${step}`);
  const buffers = optimizer.state(model.weights);
  for (const [name, values] of sets) buffers.get(name)!.set(values);
  optimizer.steps = step;
  return optimizer;
}

type States = ReadonlyMap<string, Dict | undefined>;

/** The weights that training changes, each with the names of its tensors. */
const trainedAt = (places: readonly Place[]): { place: Place; names: string[] }[] =>
  places.flatMap((place) =>
    place.module.weights
      .filter(({ parameter }) => parameter.trainable)
      .map((form) => ({ place, names: tensorsAt(place, form).map(({ name }) => name) })),
  );

/** Fails unless the parameters of the optimizer are weights of the model, and all that it trains. */
function expectSameParameters(places: readonly Place[], states: States, fail: Fail, hint: () => string): void {
  const taken = new Set(
    places.flatMap((place) => [
      ...place.module.weights.flatMap((form) => tensorsAt(place, form).map(({ name }) => name)),
      ...place.module.fixed.map(({ key }) => tensorName(place, key)),
    ]),
  );
  const missing = trainedAt(places).flatMap(({ names }) => names.filter((name) => !states.has(name)));
  const unexpected = [...states.keys()].filter((name) => !taken.has(name));
  if (missing.length + unexpected.length === 0) return;
  const mend = hint() || '; give names, or strict: false to begin without their state';
  fail(
    `the weights are not the parameters of the file: ${differences({ missing, unexpected, mismatched: [] })}${mend}`,
  );
}

/** Fails if the optimizer has states, but not of all weights that the model trains. */
function expectStates(places: readonly Place[], states: States, fail: Fail): void {
  const without = trainedAt(places).filter(({ names }) => names.every((name) => !states.get(name)));
  const [first] = without;
  if (!first || [...states.values()].every((state) => !state)) return;
  const { path } = first.place.module.layer;
  const names = without.flatMap((each) => each.names).join(', ');
  fail(
    `PyTorch has not trained ${names}: set trainable = false of layer '${path}', or give strict: false to train it without state`,
  );
}

/** Runs `body`, whose arguments are those of the file. */
function made<T>(body: () => T, fail: Fail): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof ArgumentError) return fail(error.message);
    throw error;
  }
}

/** The state of a parameter. One without steps says nothing: Adagrad makes it for frozen parameters too. */
const stateOf = (value: PickledValue | undefined): Dict | undefined =>
  value instanceof Map && !(value.has('step') && numberOf(value.get('step')!) === 0) ? value : undefined;

/** What the file of `encodeCheckpoint` says of its optimizer, where its options do not. */
const kindIn = (root: PickledValue): OptimizerKind | undefined =>
  root instanceof Map && root.get('optimizer') === 'AdamW' ? 'adamw' : undefined;

const isState = (value: PickledValue | undefined): value is Map<PickledValue, PickledValue> =>
  value instanceof Map && value.has('state') && Array.isArray(value.get('param_groups'));

/** The optimizer's state dict in a checkpoint. */
function optimizerIn(root: PickledValue, key: string | undefined, fail: Fail): Dict {
  if (key !== undefined) {
    const value = valueAt('optimizerKey', root, key, fail);
    return isState(value)
      ? value
      : fail(`optimizerKey: expected a state dict of an optimizer, got none at ${quote(key)}`);
  }
  if (isState(root)) return root;
  const parts: Dict = root instanceof Map ? root : new Map();
  // A list of optimizers is that of Lightning.
  const found = [...parts]
    .flatMap(([name, value]): [PickledValue, PickledValue][] =>
      Array.isArray(value) ? value.map((each, i) => [`${String(name)}.${i}`, each]) : [[name, value]],
    )
    .filter(([, value]) => isState(value));
  if (found.length === 1) return found[0]![1] as Dict;
  if (found.length === 0) return fail('expected the state dict of an optimizer, which has param_groups, got none');
  return fail(`several optimizers: give optimizerKey, one of ${found.map(([name]) => quote(String(name))).join(', ')}`);
}

/** The options that all groups share, and the numbers of the parameters. */
function groupsOf(optimizer: Dict, fail: Fail): { options: Group; ids: PickledValue[] } {
  const groups = (optimizer.get('param_groups') as PickledValue[]).map((group) => {
    const params = group instanceof Map ? group.get('params') : undefined;
    if (!(group instanceof Map) || !Array.isArray(params)) return fail('a parameter group expected params');
    const entries = [...group].filter(([key]) => key !== 'params').map(([key, value]) => [key, optionOf(value)]);
    return { params, options: Object.fromEntries(entries) as Group };
  });
  const [first, ...others] = groups;
  if (!first) return fail('expected a parameter group, got none');
  for (const { options } of others) {
    const key = Object.keys({ ...first.options, ...options }).find(
      (each) => each !== 'name' && JSON.stringify(options[each]) !== JSON.stringify(first.options[each]),
    );
    if (key !== undefined) fail(`its parameter groups differ in ${quote(key)}; an optimizer here has one group`);
  }
  return { options: first.options, ids: groups.flatMap(({ params }) => params) };
}

/** An option of a group, for comparison and for `optimizerOfGroup`. */
function optionOf(value: PickledValue): unknown {
  if (value instanceof TorchTensor) return value.data.length === 1 ? Number(value.data[0]) : null;
  if (Array.isArray(value)) return value.slice(0, 8).map((each) => (typeof each === 'number' ? each : null));
  return isObject(value) || value instanceof PickledObject ? null : value;
}

const BUFFER = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/** The names of `model.parameters()`: a tensor that has two names is there once. */
function parameterNames(tensors: StateDict): string[] {
  const seen = new Set<string>();
  return [...tensors].flatMap(([name, { sameAs }]) => {
    if (BUFFER.test(name) || (sameAs !== undefined && seen.has(sameAs))) return [];
    if (sameAs !== undefined) seen.add(sameAs);
    return [name];
  });
}

const numberOf = (value: PickledValue): number =>
  value instanceof TorchTensor && value.data.length === 1 ? Number(value.data[0]) : Number(value as number);

/** A buffer of the shape of its parameter; undefined if there is none. */
function bufferOf(
  value: PickledValue | undefined,
  { shape }: { readonly shape: readonly number[] },
  name: string,
  fail: Fail,
): Float32Array | undefined {
  if (value === undefined || value === null) return undefined;
  if (!(value instanceof TorchTensor)) return fail(`${name} expected a tensor`);
  if (formatShape(value.shape) !== formatShape(shape)) {
    fail(`${name} expected ${formatShape(shape)}, got ${formatShape(value.shape)}: are the parameters in this order?`);
  }
  return floatsOf(name, value, fail);
}
