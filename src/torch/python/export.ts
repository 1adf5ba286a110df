// Models as modules of Python.

import { ArgumentError, expectType, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { type AnyModel, expectModel } from '../../models/model.ts';
import { entriesAt } from '../encode.ts';
import { torchClassOf } from '../optimizer.ts';
import { isPythonWord, type ModuleNames, placesOf, torchName } from '../places.ts';
import { writeLayer } from './layers.ts';
import { PythonSource } from './source.ts';

/** Options of `exportTorch`. */
export interface ExportTorchOptions {
  /** The name of the class in Python. Default: that of the model, in CamelCase. */
  className?: string | undefined;
  /**
   * The names of PyTorch's modules, each with the layer that it is, as in `encodeCheckpoint`: `{ fc: 'dense' }`. Dots
   * make groups: `encoder.rnn`. Default: the names of the layers.
   */
  names?: ModuleNames | undefined;
}

/**
 * Writes a stack of layers as the source of a Python module, whose `forward` computes what the model computes.
 *
 * The file has a class, a subclass of `torch.nn.Module` with inputs and outputs as here, `[B, T, F]`, and a function
 * `load(path)`, which reads a checkpoint of `encodeCheckpoint` and returns the module and its optimizer. Layers become
 * modules of PyTorch with the names of the layers, so that the file can be read and changed. What changes training alone
 * is not written: clipping, schedules, regularizers, constraints.
 *
 * @param model a built stack of layers, as `sequential` makes it, also nested.
 * @param options.className see `ExportTorchOptions`.
 * @param options.names the names of modules, each with its layer. Give `encodeCheckpoint` the same.
 * @returns the source, for a file `.py`.
 * @throws ArgumentError if an option is unknown, the class name is none of Python, the model is not built or not a stack
 *   of layers, two layers have the same name in Python, `names` has no such layer or what is no name of a module, or a
 *   layer or one of its options has no equal in PyTorch: the message names it. Masks and what only training does inside of a recurrent layer (`recurrentDropout`) have none.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html
 *
 * @example
 * await writeFile('forecast.py', exportTorch(model, { className: 'Forecast' }));
 * await writeFile('forecast.pt', encodeCheckpoint(model)); // model, optimizer = forecast.load('forecast.pt')
 */
export function exportTorch(model: AnyModel, options: ExportTorchOptions = {}): string {
  const what = 'exportTorch';
  const { className = classNameOf(model?.name), names = {} } = checkOptions(what, options, { className: 1, names: 1 });
  expectType(`${what}: className`, className, 'a string');
  if (!/^[A-Za-z_]\w*$/.test(className))
    throw new ArgumentError(`${what}: className expected a name in Python, got ${shown(className)}`);
  if (isReserved(className)) {
    const why = 'which is a word of Python or a name that the file uses';
    throw new ArgumentError(`${what}: className expected a name of its own, got ${shown(className)}, ${why}`);
  }
  expectModel(what, model);
  const { network } = model;
  if (network.className !== 'Sequential') {
    throw new ArgumentError(
      `${what}: model '${model.name}' expected a stack of layers, as sequential makes it; encodeStateDict writes the weights of any model, exportOnnx of tapeloop/onnx its graph`,
    );
  }
  const places = placesOf(what, model, names);
  for (const name of Object.keys(names)) expectModuleName(what, name, names[name]!);
  const twice = places.find(({ name }, i) => places.findIndex((other) => other.name === name) < i);
  if (twice) {
    const { path } = twice.module.layer;
    throw new ArgumentError(`${what}: layer '${path}' expected a name of its own in Python, got '${twice.name}' twice`);
  }
  const group = places.find(({ name }) => places.some((other) => other.name.startsWith(`${name}.`)));
  if (group) throw new ArgumentError(`${what}: names.${group.name} expected a module or a group of modules, got both`);
  const source = new PythonSource(what, new Map(places.map(({ name, module }) => [module.layer, name])));
  const shape = network.batchInputShape ?? (network.builtShape as (number | null)[] | undefined);
  writeLayer(source, network, shape);
  for (const place of places) {
    for (const { name, form, isBuffer } of entriesAt(place)) {
      if (form?.parameter.trainable !== false || isBuffer) continue;
      const [module, key] = [name.slice(0, place.name.length), name.slice(place.name.length + 1)];
      const parameter = key.includes('.') ? key.replace(/^(\w+)\./, '["$1"].') : `.${key}`;
      source.init.push(`${source.reference(module)}${parameter}.requires_grad_(False)`);
    }
  }
  return moduleText(className, source, model.isCompiled ? torchClassOf(model.optimizer) : undefined);
}

/** Throws `ArgumentError` for a name that no module of PyTorch has, and for a stack of layers under one. */
function expectModuleName(what: string, name: string, layers: ModuleNames[string]): void {
  if (Array.isArray(layers) && layers.length > 1)
    throw new ArgumentError(`${what}: names.${name} expected one layer, since each is a module, got ${layers.length}`);
  const [first, ...rest] = name.split('.') as [string, ...string[]];
  const isOwn = (part: string): boolean => torchName(part) === part;
  if (isOwn(first) && rest.every((part) => /^\d+$/.test(part) || isOwn(part))) return;
  throw new ArgumentError(`${what}: names expected names of modules in Python, got ${shown(name)}`);
}

const reserved = new Set(
  'F detached float getattr isinstance len load max nn pad_same reversed super torch tuple zip'.split(' '),
);
const isReserved = (name: string): boolean => reserved.has(name) || isPythonWord(name) || /^__.*__$/.test(name);

const classNameOf = (name: unknown): string => {
  const parts = String(name).match(/[A-Za-z0-9]+/g) ?? [];
  const camel = parts.map((part) => part[0]!.toUpperCase() + part.slice(1)).join('');
  return /^[A-Za-z]/.test(camel) && camel !== 'Sequential' && !isReserved(camel) ? camel : 'Model';
};

const indent = (lines: readonly string[]): string => lines.map((line) => `        ${line}\n`).join('');

const DETACHED = `def detached(states):
    """The states without the graph that computed them, for the next chunk."""
    return tuple(s.detach() for s in states) if isinstance(states, tuple) else states.detach()
`;

const RESET = `    def reset_states(self):
        """The next call starts from zeros."""
        self.states = {}
`;

/** @param optimizer the class of a checkpoint that does not say it. */
function moduleText(className: string, source: PythonSource, optimizer: string | undefined): string {
  const init = [...source.init, ...(source.usesStates ? ['self.states = {}'] : [])];
  const helpers = [...source.helperLines, ...(source.usesStates ? [DETACHED] : [])];
  return `"""A model of tapeloop as a module of PyTorch. Inputs and outputs have the batch first and features last."""
import torch
from torch import nn
from torch.nn import functional as F

${helpers.map((text) => `\n${text}\n`).join('')}
class ${className}(nn.Module):
    def __init__(self):
        super().__init__()
${indent(init)}
    def forward(self, x):
${indent([...source.forward, 'return x'])}${source.usesStates ? `\n${RESET}` : ''}

def load(path):
    """The module and its optimizer, which is None without a state of training, from a checkpoint of tapeloop."""
    # Before PyTorch 2, weights_only refuses the floats of an optimizer.
    options = {} if torch.__version__.startswith("1.") else {"weights_only": True}
    checkpoint = torch.load(path, map_location="cpu", **options)
    model = ${className}()
    model.load_state_dict(checkpoint["model_state_dict"])
    if "optimizer_state_dict" not in checkpoint:
        return model, None
    state = checkpoint["optimizer_state_dict"]
    # The class in torch.optim.
    name = ${optimizer === undefined ? 'checkpoint["optimizer"]' : `checkpoint.get("optimizer", "${optimizer}")`}
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=state["param_groups"][0]["lr"])
    optimizer.load_state_dict(state)
    return model, optimizer
`;
}
