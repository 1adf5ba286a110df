// State dicts: the tensors of a model by PyTorch's names, wherever a file keeps them.

import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { classOf } from '../host/class-of.ts';
import { type FileBytes, isFileBytes } from '../io/model-file.ts';
import { quote } from '../io/parsed-json.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { NDARRAY } from './pickle/builders.ts';
import { PickledObject, type PickledValue } from './pickle/values.ts';
import { readTorch } from './read.ts';
import { TorchTensor } from './tensors.ts';

/** Tensors by name, in the order of the file. */
export type StateDict = ReadonlyMap<string, TorchTensor>;

/** A file, what `readTorch` gave of it, or a state dict. */
export type TorchSource = FileBytes | PickledValue | StateDict;

/** Where a file keeps the state dict. */
export interface StateDictOptions {
  /** The file's name, for errors. */
  file?: string | undefined;
  /**
   * Where the state dict is in a checkpoint: a key, or several with dots between, such as `model.state_dict`. Default:
   * the only place with tensors by name.
   */
  key?: string | undefined;
  /**
   * A prefix that all names lose; tensors with other names are left out. Default: `module.`, `_orig_mod.` and
   * `model.`, as wrappers of PyTorch set them, where all names have them.
   */
  prefix?: string | undefined;
}

export const stateDictNames = { file: 1, key: 1, prefix: 1 } as const;

const WRAPPERS = ['module.', '_orig_mod.', 'model.'];
// No module is nested deeper.
const MAX_DEPTH = 100;

type Dict = ReadonlyMap<PickledValue, PickledValue>;
const isDict = (value: PickledValue | undefined): value is Map<PickledValue, PickledValue> => value instanceof Map;

/** The tensor that a value is. */
function tensorOf(value: PickledValue | undefined): TorchTensor | undefined {
  if (value instanceof TorchTensor) return value;
  const state = value instanceof PickledObject && value.className === NDARRAY ? value.state : undefined;
  return state instanceof TorchTensor ? state : undefined;
}

/**
 * Finds the tensors of a model by their names.
 *
 * @param what the called function, for errors.
 * @throws ModelFileError if there are none, or there are several state dicts and no `key`; ArgumentError for options of
 *   another type.
 */
export function stateDictOf(what: string, source: TorchSource, options: StateDictOptions): StateDict {
  const { file, key, prefix } = options;
  for (const [option, value] of Object.entries({ file, key, prefix }))
    if (value !== undefined) expectType(`${what}: ${option}`, value, 'a string');
  const root = rootOf(what, source, file);
  const fail = (message: string): never => {
    throw new ModelFileError(`${what}: ${message}`, { file });
  };
  const tensors = namedTensors(partAt(root, key, fail), fail);
  if (tensors.size === 0) fail(`expected tensors by name${key === undefined ? '' : ` in ${quote(key)}`}, got none`);
  return new Map([...withoutPrefix(tensors, prefix, fail)].map(([name, tensor]) => [withLevel(name), tensor]));
}

/** The modules of a source that has a whole model in place of a state dict; none of another. */
export function pickledModulesOf(root: PickledValue, { key }: StateDictOptions, fail: Fail): NamedModule[] {
  const found = partAt(root, key, fail);
  return isModule(found) ? modulesOf(found, fail) : [];
}

/** An `nn.LSTMCell` has the tensors of an `nn.LSTM` of one layer, without the number of the layer. */
export const withLevel = (name: string): string => name.replace(/(^|\.)((weight|bias)_[ih]h)$/, '$1$2_l0');

/** What a source holds. */
export function rootOf(what: string, source: TorchSource, file: string | undefined): PickledValue {
  if (isFileBytes(source)) return readTorch(source, { file });
  if (isDict(source as PickledValue) || source instanceof PickledObject) return source as PickledValue;
  const late = classOf(source) === 'Promise' ? '; await it' : '';
  const mend = typeof source === 'string' ? '; read it first, as by readFileSync of Node' : late;
  throw new ArgumentError(
    `${what}: expected the bytes of a file, or what readTorch returned, got ${late ? 'a promise' : shown(source)}${mend}`,
  );
}

type Fail = (message: string) => never;

/** What a dict or the attributes of an object have by name. */
function members(value: PickledValue | undefined): Dict {
  if (isDict(value)) return value;
  if (Array.isArray(value)) return new Map(value.map((each, i) => [String(i), each]));
  if (value instanceof PickledObject)
    return value.entries.size > 0 ? value.entries : isDict(value.state) ? value.state : new Map();
  return new Map();
}

/** What a file has at the key of an option: a key, or several with dots between; of a list, numbers from 0. */
export function valueAt(option: string, root: PickledValue, key: string, fail: Fail): PickledValue {
  let value: PickledValue | undefined = root;
  // A key may have dots itself.
  if (members(root).has(key)) return members(root).get(key)!;
  for (const part of key.split('.')) {
    const known: Dict = members(value);
    value = known.get(part) ?? fail(`${option}: expected one of ${keysOf(known)}, got ${quote(part)}`);
  }
  return value as PickledValue;
}

const keysOf = (dict: Dict): string => {
  const keys = [...dict.keys()].filter((each) => typeof each === 'string').map((each) => quote(each));
  return `${keys.slice(0, 12).join(', ') || 'none'}${keys.length > 12 ? ', …' : ''}`;
};

const isModule = (value: PickledValue | undefined): value is PickledObject =>
  value instanceof PickledObject &&
  isDict(value.state) &&
  (value.className.startsWith('__torch__.') || isDict(value.state.get('_parameters')));

const hasTensors = (value: PickledValue | undefined): boolean =>
  isModule(value) ||
  (isDict(value) && [...value].some(([name, each]) => typeof name === 'string' && tensorOf(each) !== undefined));

/** The part of a checkpoint at the option `key`, or else the only one with tensors by name. */
const partAt = (root: PickledValue, key: string | undefined, fail: Fail): PickledValue =>
  key === undefined ? only(root, fail) : valueAt('key', root, key, fail);

/** The only part of a checkpoint that has tensors by name. */
function only(root: PickledValue, fail: Fail): PickledValue {
  if (hasTensors(root)) return root;
  const found = [...members(root)].filter(([, value]) => hasTensors(value));
  if (found.length === 1) return found[0]![1];
  if (found.length === 0) return fail(`expected tensors by name, got none; the file has ${keysOf(members(root))}`);
  return fail(`several parts have tensors: give key, one of ${keysOf(new Map(found))}`);
}

/** The tensors of a dict, or of a module and all modules below it. */
function namedTensors(root: PickledValue, fail: Fail): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  if (!isModule(root)) {
    for (const [name, value] of members(root)) {
      const tensor = tensorOf(value);
      if (typeof name === 'string' && tensor) tensors.set(name, tensor);
    }
    return tensors;
  }
  for (const { path, module } of modulesOf(root, fail)) {
    for (const [name, tensor] of ownTensors(module)) tensors.set(path === '' ? name : `${path}.${name}`, tensor);
  }
  return tensors;
}

/** A module with its path, such as `encoder.0`. */
export interface NamedModule {
  readonly path: string;
  readonly module: PickledObject;
}

/** A pickled module and all modules below it, each once, in the order of `named_modules()`. */
export function modulesOf(root: PickledObject, fail: Fail): NamedModule[] {
  const found: NamedModule[] = [];
  const seen = new Set<PickledObject>();
  const open = [{ path: '', module: root, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { path, module, depth } = next;
    if (seen.has(module)) continue;
    if (depth > MAX_DEPTH) fail(`modules are nested more than ${MAX_DEPTH} deep`);
    seen.add(module);
    found.push({ path, module });
    const below = [...childrenOf(module)].map(([name, child]) => ({
      path: path === '' ? name : `${path}.${name}`,
      module: child,
      depth: depth + 1,
    }));
    open.push(...below.reverse());
  }
  return found;
}

/** The modules directly below a module. Those of TorchScript are among its attributes. */
export function childrenOf({ state, className }: PickledObject): Map<string, PickledObject> {
  const from = className.startsWith('__torch__.') ? state : (state as Dict).get('_modules');
  const children = new Map<string, PickledObject>();
  for (const [name, child] of members(from as PickledValue)) {
    if (typeof name === 'string' && isModule(child)) children.set(name, child);
  }
  return children;
}

function ownTensors({ state, className }: PickledObject): [string, TorchTensor][] {
  const attributes = state as Dict;
  const isScript = className.startsWith('__torch__.');
  const passing = attributes.get('_non_persistent_buffers_set');
  const parts = isScript ? [attributes] : [attributes.get('_parameters'), attributes.get('_buffers')].map(members);
  return parts.flatMap((part) =>
    [...part].flatMap(([name, value]): [string, TorchTensor][] => {
      const tensor = tensorOf(value);
      const isKept = typeof name === 'string' && !(passing instanceof Set && passing.has(name));
      return tensor && isKept ? [[name as string, tensor]] : [];
    }),
  );
}

function withoutPrefix(tensors: Map<string, TorchTensor>, given: string | undefined, fail: Fail): StateDict {
  let names = [...tensors.keys()];
  let length = 0;
  if (given !== undefined) {
    names = names.filter((name) => name.startsWith(given) && name.length > given.length);
    if (names.length === 0)
      fail(
        `prefix: expected one of the names in the file, such as ${quote([...tensors.keys()][0])}, got ${quote(given)}`,
      );
    length = given.length;
  } else {
    const wrapper = (): string | undefined =>
      WRAPPERS.find((each) =>
        names.every((name) => name.startsWith(each, length) && name.length > length + each.length),
      );
    for (let each = wrapper(); each !== undefined; each = wrapper()) length += each.length;
  }
  return new Map(names.map((name) => [name.slice(length), tensors.get(name)!]));
}
