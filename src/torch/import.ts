// Models of PyTorch without a model that the caller built.

import { ArgumentError, expectList, expectType } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { transaction } from '../engine/transaction.ts';
import { quote } from '../io/parsed-json.ts';
import { ModelFileError } from '../io/safetensors.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { Sequential } from '../layers/base/sequential.ts';
import { Model } from '../models/model.ts';
import { type Fail, ForwardBuilder, type ForwardStep, type ModuleTensors, unsupportedOf } from './forward.ts';
import { loadInto } from './load-state-dict.ts';
import { PickledModules } from './pickled-modules.ts';
import { rememberNames } from './places.ts';
import {
  pickledModulesOf,
  rootOf,
  type StateDict,
  type StateDictOptions,
  stateDictNames,
  stateDictOf,
  type TorchSource,
} from './state-dict.ts';
import type { TorchTensor } from './tensors.ts';

/** Options of `importTorch`. */
export interface ImportTorchOptions extends StateDictOptions {
  /**
   * What `forward` of the model runs, in its order: `['lstm', 'last', 'fc1', 'relu', 'fc2']`. Dropout and transposes are
   * left out. Default: what a whole pickled `nn.Sequential` runs; of a state dict the only module, or modules whose
   * numbers have no gap. A whole pickled model also says the options of its modules.
   */
  forward?: readonly ForwardStep[] | undefined;
  /** The shape of one sample, `[T, F]`, null for a length that varies. Default: what the first module reads. */
  inputShape?: BatchShape | undefined;
  /** Name of the model. Default `model`. */
  name?: string | undefined;
  /** Whether every tensor of the file must be in a module of `forward`. Default true. */
  strict?: boolean | undefined;
}

const optionNames = { forward: 1, inputShape: 1, name: 1, strict: true, ...stateDictNames } as const;

/**
 * Makes a model of a PyTorch state dict.
 *
 * Names and shapes tell what each module is: `weight_ih_l0` an LSTM, a GRU or an RNN with so many layers and directions,
 * a matrix with a bias a Linear. What runs between modules they do not tell: `forward` says it, and without it a file
 * with several modules is refused.
 *
 * @param source the bytes of a file, what `readTorch` returned, or a state dict.
 * @param options see `ImportTorchOptions`.
 * @returns a stack of layers with the names of the modules, in PyTorch's sizes: sequences are `[B, T, F]`. It is a model
 *   like any other; the caller owns it.
 * @throws ModelFileError if the bytes are not a file of PyTorch, or the tensors do not tell what a module is: the message
 *   says what to give; ArgumentError if an option is unknown or `forward` names what is not there.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 *
 * @example
 * const model = importTorch(await readFile('model.pt'), { forward: ['lstm', 'last', 'head'] });
 */
export function importTorch(source: TorchSource, options: ImportTorchOptions = {}): Model {
  const what = 'importTorch';
  const { forward, inputShape, name = 'model', strict = true, ...where } = checkOptions(what, options, optionNames);
  expectType(`${what}: name`, name, 'a string');
  if (forward !== undefined) expectList(`${what}: forward`, forward);
  if (forward?.length === 0) throw new ArgumentError(`${what}: forward expected a step or more, got none`);
  const fail: Fail = (message) => {
    throw new ModelFileError(`${what}: ${message}`, { file: where.file });
  };
  const root = rootOf(what, source, where.file);
  const tensors = stateDictOf(what, root as TorchSource, where);
  for (const [tensor, { shape }] of tensors)
    if (shape.includes(0)) fail(`tensor ${quote(tensor)} has no values: shape ${formatShape(shape)}`);
  const modules = modulesIn(tensors);
  const pickled = new PickledModules(pickledModulesOf(root, where, fail), fail);
  const isModule = (module: string): boolean => modules.has(module);
  const steps = (forward ?? pickled.steps(isModule) ?? onlySteps(modules, fail)).map((step) =>
    pickled.complete(step, isModule),
  );
  return transaction(() => {
    const builder = new ForwardBuilder(modules, inputShape ?? sequencesOf(steps, modules), fail);
    for (const step of steps) builder.add(step);
    const { layers, names } = builder.finish();
    const left = [...modules.keys()].filter((module) => !Object.hasOwn(names, module));
    if (strict && left.length > 0) {
      fail(`forward leaves out ${left.join(', ')}: name them too, or give strict: false`);
    }
    const network = new Sequential(layers, name);
    if (!network.isBuilt)
      throw new ArgumentError(`${what}: inputShape expected, the shape of one sample, such as [null, 3]`);
    const model = new Model(network);
    const own = new Map(
      Object.keys(names).flatMap((module) =>
        [...modules.get(module)!].map(([key, tensor]) => [`${module}.${key}`, tensor] as const),
      ),
    );
    // A convolution of PyTorch has its channels first, and flatten follows them.
    loadInto(what, model, own, { names, flatten: 'channelsFirst', prefix: '', file: where.file });
    const isAlone = [...tensors.keys()].some((tensor) => !tensor.includes('.'));
    const inFile = (module: string): string => (isAlone && module === ROOT ? '' : module);
    rememberNames(network, Object.fromEntries(Object.entries(names).map(([module, paths]) => [inFile(module), paths])));
    return model;
  });
}

/** What a module that was saved alone is called. */
const ROOT = 'model';

/** The module and the key of a tensor. */
const moduleOf = (name: string): [module: string, key: string] => {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? [ROOT, name] : [name.slice(0, dot), name.slice(dot + 1)];
};

function modulesIn(tensors: StateDict): ModuleTensors {
  const modules = new Map<string, Map<string, TorchTensor>>();
  for (const [name, tensor] of tensors) {
    const [module, key] = moduleOf(name);
    modules.set(module, (modules.get(module) ?? new Map()).set(key, tensor));
  }
  return modules;
}

/** What runs, where the names leave no doubt. */
function onlySteps(modules: ModuleTensors, fail: Fail): readonly string[] {
  const names = [...modules.keys()];
  if (names.length === 1 || names.every((name, i) => name === String(i))) return names;
  for (const name of names) {
    const unsupported = unsupportedOf(name, modules);
    if (unsupported) fail(`module '${name}' is ${unsupported}`);
  }
  const recurrent = names.map((name) => [...modules.get(name)!.keys()].some((key) => key.startsWith('weight_ih_l')));
  // The states are taken once, before the first module that is not recurrent behind a recurrent one.
  const end = names.findIndex((_, i) => recurrent[i] && !recurrent[i + 1]);
  const take = end >= 0 && modules.get(names[end]!)!.has('weight_ih_l0_reverse') ? 'hidden' : 'last';
  const steps = names.map((name, i) => `'${name}'${i === end ? `, '${take}'` : ''}`);
  return fail(
    `the names do not say what runs between the modules ${names.join(', ')}: give forward, such as [${steps.join(', ')}], with the activations in their places`,
  );
}

/** Sequences, if the first module is a Linear or a normalization and a recurrent module follows. */
function sequencesOf(steps: readonly ForwardStep[], modules: ModuleTensors): BatchShape | undefined {
  const named = steps.map((step) =>
    modules.get(typeof step === 'string' ? step : String((step as { module?: unknown }).module)),
  );
  const weight = named[0]?.get('weight')?.shape;
  const isLinear = weight?.length === 2 && named[0]!.has('bias');
  const readsSteps = named.some((module) => module && [...module.keys()].some((key) => key.startsWith('weight_ih_l')));
  return isLinear && readsSteps ? [null, weight[1]!] : undefined;
}
