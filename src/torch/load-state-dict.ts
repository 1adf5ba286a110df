// State dicts of PyTorch into models of layers.

import { expectType } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { transaction } from '../engine/transaction.ts';
import { clip, quote } from '../io/parsed-json.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { type AnyModel, expectModel } from '../models/model.ts';
import { checkFlattened, type Flattened, flattenedOf } from './flattened.ts';
import { type ModuleNames, type Place, placesIn, placesOf, tensorName, tensorsAt } from './places.ts';
import { type StateDict, type StateDictOptions, stateDictNames, stateDictOf, type TorchSource } from './state-dict.ts';
import type { TorchTensor } from './tensors.ts';

/** Options of `loadStateDict`. */
export interface LoadStateDictOptions extends StateDictOptions {
  /**
   * Which layers the modules are, where their names differ. Default: layers and modules have the same names; a model of
   * `importTorch` also knows those of the file that it was made of, until it is saved.
   */
  names?: ModuleNames | undefined;
  /** Whether every tensor must fit a weight and every weight must have its tensor. Default true. */
  strict?: boolean | undefined;
  /**
   * The order in which PyTorch has flattened the output of a convolution before a `dense` layer. It flattens
   * `channelsFirst`, `[B, C, T]`, unless the code has moved the channels. There is no default.
   */
  flatten?: 'channelsFirst' | 'channelsLast' | undefined;
}

/** What `loadStateDict` has found, by the names of PyTorch. */
export interface LoadReport {
  /** Tensors that are weights now. */
  readonly loaded: readonly string[];
  /** Tensors that the model needs and the file has not. */
  readonly missing: readonly string[];
  /** Tensors of the file that no weight takes. */
  readonly unexpected: readonly string[];
  /** Tensors with another shape than the weight: a sentence for each. */
  readonly mismatched: readonly string[];
}

const COUNTER = /(^|\.)num_batches_tracked$/;

/**
 * Loads the weights of a PyTorch model into a model with the same layers.
 *
 * Kernels are transposed, gates reordered, and the two biases of an LSTM or an RNN added. A layer is found by its name:
 * `fc.weight` and `fc.bias` are those of `dense({ units, name: 'fc' })`; `names` says what has another name.
 *
 * @param model a built model.
 * @param source the bytes of a file, what `readTorch` returned, or a state dict.
 * @param options see `LoadStateDictOptions`.
 * @returns the names of the tensors that were loaded, missing, unexpected or of another shape; owned by the caller.
 * @throws ModelFileError if the bytes are not a file of PyTorch or have no state dict, a tensor is not made of finite
 *   numbers, or, with `strict`, if there is any difference: the message lists all; no weight changes then. ArgumentError
 *   if an option is unknown, `names` has a layer or a module that is not there, the model is not built, a layer has no
 *   module of PyTorch, `flatten` is needed, or a call that returns a promise runs on the model.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
 *
 * @example
 * const model = sequential([lstm({ units: 64, name: 'lstm', inputShape: [null, 11] }), dense({ units: 1, name: 'head' })]);
 * const { loaded } = loadStateDict(model, await readFile('model.pt'));
 */
export function loadStateDict(model: AnyModel, source: TorchSource, options: LoadStateDictOptions = {}): LoadReport {
  const what = 'loadStateDict';
  const given = checkOptions(what, options, { names: 1, strict: true, flatten: 1, ...stateDictNames });
  return loadInto(what, model, source, given);
}

/** `loadStateDict` for the function `what`, with options whose names are known. */
export function loadInto(what: string, model: AnyModel, source: TorchSource, given: LoadStateDictOptions): LoadReport {
  expectModel(what, model);
  if (given.flatten !== undefined) expectType(`${what}: flatten`, given.flatten, 'a string');
  // Errors of arguments come before those of the file.
  placesOf(what, model, given.names);
  const flattened = flattenedOf(model.network);
  checkFlattened(what, flattened, given.flatten);
  const tensors = stateDictOf(what, source, given);
  const places = placesIn(what, model, given.names, tensors.keys());
  model.trainer.runs.expectNone(what, true);
  return load(what, { places, tensors, flattened: given.flatten === 'channelsFirst' ? flattened : new Map() }, given);
}

interface Loading {
  readonly places: readonly Place[];
  readonly tensors: StateDict;
  readonly flattened: Flattened;
}

function load(what: string, { places, tensors, flattened }: Loading, options: LoadStateDictOptions): LoadReport {
  const { strict = true, file } = options;
  const report = { loaded: [] as string[], missing: [] as string[], mismatched: [] as string[] };
  const taken = new Set<string>();
  const assignments: (() => void)[] = [];
  const fail = (message: string): never => {
    throw new ModelFileError(`${what}: ${message}`, { file });
  };
  for (const place of places) {
    for (const form of place.module.weights) {
      const found = tensorsAt(place, form).map(({ name, shape }) => ({ name, shape, tensor: tensors.get(name) }));
      for (const { name } of found) taken.add(name);
      const missing = found.filter(({ tensor }) => !tensor).map(({ name }) => name);
      const others = found.flatMap(({ name, shape, tensor }) =>
        tensor && formatShape(tensor.shape) !== formatShape(shape)
          ? [
              `${name} expected ${formatShape(shape)} for layer '${place.module.layer.path}', got ${formatShape(tensor.shape)}`,
            ]
          : [],
      );
      report.missing.push(...missing);
      report.mismatched.push(...others);
      if (missing.length > 0 || others.length > 0) continue;
      const values = found.map(({ name, tensor }) => floatsOf(name, tensor!, fail));
      const own = form.fromTorch(values);
      const weight = flattened.get(form.parameter)?.(own) ?? own;
      assignments.push(() => form.parameter.assign(weight));
      report.loaded.push(...found.map(({ name }) => name));
    }
    for (const { name, shape, tensor, value } of fixedAt(place, tensors)) {
      taken.add(name);
      if (!tensor) continue;
      if (formatShape(tensor.shape) === formatShape(shape) && tensor.data.every((each) => Number(each) === value)) {
        report.loaded.push(name);
      } else
        report.mismatched.push(
          `${name} expected to be ${value} everywhere, as layer '${place.module.layer.path}' has no such weight`,
        );
    }
  }
  const unexpected = [...tensors.keys()].filter((name) => !taken.has(name) && !COUNTER.test(name));
  const whole = { ...report, unexpected };
  if (strict && unexpected.length + report.missing.length + report.mismatched.length > 0) {
    fail(differences(whole) + suggestion(places, tensors, options));
  }
  transaction(() => {
    for (const assign of assignments) assign();
  });
  return whole;
}

const fixedAt = (place: Place, tensors: StateDict) =>
  place.module.fixed.map(({ key, shape, value }) => {
    const name = tensorName(place, key);
    return { name, shape, value, tensor: tensors.get(name) };
  });

/** The elements of a tensor as float32. */
export function floatsOf(name: string, { data }: TorchTensor, fail: (message: string) => never): Float32Array {
  const values = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number | bigint>, Number);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) fail(`tensor ${quote(name)} expected finite numbers, got ${values[bad]} at ${bad}`);
  return values;
}

/** What differs, in one text. */
export function differences({ missing, unexpected, mismatched }: Omit<LoadReport, 'loaded'>): string {
  const list = (what: string, names: readonly string[]): string[] =>
    names.length === 0
      ? []
      : [
          `${what}: ${names.slice(0, 24).map(clip).join(', ')}${names.length > 24 ? `, and ${names.length - 24} more` : ''}`,
        ];
  return [
    ...list('missing', missing),
    ...list('unexpected', unexpected),
    ...(mismatched.length === 0 ? [] : [mismatched.slice(0, 8).join('; ')]),
  ].join('. ');
}

/** What `names` could be, if the modules of the file are the layers of the model in their order. */
export function suggestion(
  places: readonly Place[],
  tensors: StateDict,
  { names }: Pick<LoadStateDictOptions, 'names'>,
): string {
  if (names !== undefined) return '';
  const files = new Map<string, Map<string, string>>();
  for (const [full, { shape }] of tensors) {
    const dot = full.lastIndexOf('.');
    const [name, key] = [full.slice(0, Math.max(dot, 0)), full.slice(dot + 1)];
    if (COUNTER.test(key)) continue;
    const level = /_l(\d+)(_reverse)?$/.exec(key)?.[1] ?? '';
    const module = files.get(`${name} ${level}`) ?? new Map();
    files.set(`${name} ${level}`, module.set(key.replace(/_l\d+/, '_l#'), formatShape(shape)));
  }
  const modules = [...files];
  if (modules.length !== places.length || places.every(({ name }, i) => modules[i]![0].startsWith(`${name} `)))
    return '';
  const found = new Map<string, string[]>();
  for (const [i, { module }] of places.entries()) {
    const [place, shapes] = modules[i]!;
    const expected = [...module.weights.flatMap((form) => form.tensors), ...module.fixed];
    const fits =
      expected.length === shapes.size && expected.every(({ key, shape }) => shapes.get(key) === formatShape(shape));
    if (!fits) return '';
    const name = place.slice(0, place.lastIndexOf(' '));
    found.set(name, [...(found.get(name) ?? []), module.layer.path]);
  }
  const pairs = [...found].map(
    ([name, paths]) =>
      `${/^\w+$/.test(name) ? name : `'${name}'`}: ${paths.length > 1 ? `['${paths.join("', '")}']` : `'${paths[0]}'`}`,
  );
  return `. Their order and shapes would fit names: { ${pairs.join(', ')} }`;
}
