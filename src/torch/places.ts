// Which layer of a model is which module of PyTorch.

import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { unknownName } from '../checks/options.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import type { AnyModel } from '../models/model.ts';
import { atLevel, modulesOf, type TorchModule, type WeightForm } from './modules.ts';

/**
 * The names of PyTorch's modules, each with the layer that it is: `{ fc: 'dense' }`; for a stack of recurrent layers
 * the layers from below, `{ rnn: ['lstm', 'lstm_1'] }`. The name '' is the whole file of a module that was saved alone.
 */
export type ModuleNames = Readonly<Record<string, string | readonly string[]>>;

/** A layer at its place in a state dict. */
export interface Place {
  /** The name of the module, such as `encoder.rnn`. */
  readonly name: string;
  /** The number of the layer in a recurrent stack, 0 from below. */
  readonly level: number;
  readonly module: TorchModule;
}

/**
 * The places of all layers with weights: those that `names` gives in its order, then the others, under their own names.
 *
 * @throws ArgumentError if `names` has no such layer, one twice, or a list for what is no recurrent stack; or if the model
 *   is not built or has a layer that PyTorch has no module for.
 */
export function placesOf(what: string, model: AnyModel, names: ModuleNames = {}): Place[] {
  const { network } = model;
  if (!network.isBuilt) throw new ArgumentError(`${what}: model '${model.name}' expected to be built, as by fit`);
  expectType(`${what}: names`, names, 'an object');
  network.setScope();
  const modules = modulesOf(what, network);
  const left = new Map(modules.map((module) => [module.layer.path, module]));
  const places = Object.entries(names).flatMap(([name, given]) => {
    const paths = [given].flat() as unknown[];
    return paths.map((path, level): Place => {
      const module = typeof path === 'string' ? left.get(path) : undefined;
      if (!module) {
        const known = [...left.keys()].map((each) => `'${each}'`).join(', ') || 'none';
        throw new ArgumentError(
          `${what}: names.${name} expected a layer that is left, of ${known}; got ${shown(path)}`,
        );
      }
      if (paths.length > 1 && !module.isRecurrent) {
        throw new ArgumentError(
          `${what}: names.${name} expected one layer, got ${paths.length}: '${path}' is no recurrent layer`,
        );
      }
      left.delete(path as string);
      return { name, level, module };
    });
  });
  return [...places, ...[...left].map(([path, module]) => ({ name: torchName(path), level: 0, module }))];
}

/** The modules that the networks of `importTorch` were made of. */
const imported = new WeakMap<AnyLayer, ModuleNames>();

/** Keeps the names of the modules for later files of the same model. */
export const rememberNames = (network: AnyLayer, names: ModuleNames): void => void imported.set(network, names);

/**
 * The places of all layers in a file with tensors of these names. Without `names` a model of `importTorch` has those of
 * the file that it was made of, unless the tensors have the names of the layers.
 *
 * @throws ArgumentError as `placesOf`, and if `names` has a module of which the file has no tensor.
 */
export function placesIn(
  what: string,
  model: AnyModel,
  names: ModuleNames | undefined,
  tensors: Iterable<string>,
): Place[] {
  const known = new Set(tensors);
  const own = placesOf(what, model, names);
  if (names === undefined) {
    const remembered = imported.get(model.network);
    const areThere = own.every((place) => place.module.weights.every((form) => hasAny(tensorsAt(place, form), known)));
    return remembered === undefined || areThere ? own : placesOf(what, model, remembered);
  }
  const modules = new Set([...known].map(moduleOf));
  const isThere = (name: string): boolean =>
    name === '' ? modules.has('') : [...modules].some((each) => each === name || each.startsWith(`${name}.`));
  const typo = Object.keys(names).find((name) => !isThere(name));
  if (typo !== undefined) throw unknownName(`${what}: names`, [...modules].map(shownName), typo);
  return own;
}

const hasAny = (tensors: readonly PlacedTensor[], known: ReadonlySet<string>): boolean =>
  tensors.some(({ name }) => known.has(name));
const moduleOf = (tensor: string): string => tensor.slice(0, Math.max(tensor.lastIndexOf('.'), 0));
const shownName = (name: string): string => (name === '' ? "''" : name);

const words = new Set(
  (
    'and as assert async await break class continue def del elif else except finally for from global if import in is ' +
    'lambda nonlocal not or pass raise return try while with yield None True False'
  ).split(' '),
);

/** Whether Python keeps a name for itself. */
export const isPythonWord = (name: string): boolean => words.has(name);

// What the attributes of nn.Module, nn.ModuleDict and the modules of exportTorch are called. Others begin with `_`.
const attributes = new Set(
  (
    'T_destination add_module apply bfloat16 buffers call_super_init children clear compile copy cpu cuda double ' +
    'dump_patches eval extra_repr float forward get get_buffer get_extra_state get_parameter get_submodule half ipu ' +
    'items keys load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters ' +
    'pop register_backward_hook register_buffer register_forward_hook register_forward_pre_hook ' +
    'register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook ' +
    'register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook ' +
    'register_state_dict_pre_hook requires_grad_ reset_states set_extra_state set_submodule share_memory state_dict ' +
    'states to to_empty train training type update values xpu zero_grad'
  ).split(' '),
);

const isTaken = (name: string): boolean => words.has(name) || attributes.has(name) || /^_\D/.test(name);

/** The path of a layer as the name of a module, whose parts are names in Python; an underscore ends those it keeps. */
export const torchName = (path: string): string =>
  path
    .split('/')
    .map((part) => {
      const name = part.replace(/\W/g, '_');
      if (/^\d/.test(name) || name === '') return `_${name}`;
      return isTaken(name) ? `${name}_` : name;
    })
    .join('.');

/** A tensor of a state dict, with the weight that it is of. */
export interface PlacedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The full names of the tensors of a weight. */
export const tensorsAt = (place: Place, { tensors }: Pick<WeightForm, 'tensors'>): PlacedTensor[] =>
  tensors.map(({ key, shape }) => ({ name: tensorName(place, atLevel(key, place.level)), shape }));

/** The full name of a tensor of a module. */
export const tensorName = ({ name }: Pick<Place, 'name'>, key: string): string =>
  name === '' ? key : `${name}.${key}`;
