// What a whole pickled model says of its modules besides their tensors: classes, options, and what an `nn.Sequential`
// runs.

import { quote } from '../io/parsed-json.ts';
import { activations, type Fail, type ForwardModule, type ForwardStep, passing } from './forward.ts';
import type { PickledObject, PickledValue } from './pickle/values.ts';
import { childrenOf, type NamedModule } from './state-dict.ts';

type Attributes = ReadonlyMap<PickledValue, PickledValue>;

/** The class of `as` for each of PyTorch that has one; RNNs are told by their tensors. */
const kinds: Readonly<Record<string, ForwardModule['as']>> = {
  ...{ Linear: 'Linear', Embedding: 'Embedding', LayerNorm: 'LayerNorm', Conv1d: 'Conv1d', Conv2d: 'Conv2d' },
  ...{ BatchNorm1d: 'BatchNorm', BatchNorm2d: 'BatchNorm' },
};
const recurrent = /^(LSTM|GRU|RNN)(Cell)?$/;

/** What an activation must have where tapeloop's has no such option. */
const usual: Readonly<Record<string, PickledValue>> = {
  ...{ alpha: 1, approximate: 'none', beta: 1, threshold: 20, min_val: -1, max_val: 1, lambd: 0.5, dim: -1 },
};

/** The class without its Python module; undefined for one that is not PyTorch's. */
function classOf({ className }: PickledObject): string | undefined {
  return /^torch\.nn\.modules\.\w+\.(\w+)$/.exec(className)?.[1];
}

const attributesOf = ({ state }: PickledObject): Attributes => (state instanceof Map ? state : new Map());

/** The modules of a file that has a whole model; of another file there are none. */
export class PickledModules {
  readonly #modules: readonly NamedModule[];
  readonly #fail: Fail;

  constructor(modules: readonly NamedModule[], fail: Fail) {
    this.#modules = modules;
    this.#fail = fail;
  }

  /** A step with what its module says, unless the step itself says it. */
  complete(step: ForwardStep, isModule: (name: string) => boolean): ForwardStep {
    const name = typeof step === 'string' ? step : (step as { module?: unknown } | null)?.module;
    if (typeof name !== 'string' || !isModule(name)) return step;
    const found = this.#at(name);
    const said = found && this.#optionsOf(name, found);
    if (!said) return step;
    return { ...said, ...(typeof step === 'string' ? { module: step } : (step as ForwardModule)) };
  }

  /** What an `nn.Sequential` runs; undefined for another model. */
  steps(isModule: (name: string) => boolean): ForwardStep[] | undefined {
    const root = this.#modules[0]?.module;
    if (!root || classOf(root) !== 'Sequential') return undefined;
    const stepsOf = (module: PickledObject, path: string): ForwardStep[] =>
      [...childrenOf(module)].flatMap(([key, child]): ForwardStep[] => {
        const name = path === '' ? key : `${path}.${key}`;
        const kind = classOf(child) ?? this.#fail(`module '${name}' is a ${child.className}: give forward`);
        if (kind === 'Sequential') return stepsOf(child, name);
        if (isModule(name)) return [name];
        if (passing.test(kind)) return [];
        const step = kind.toLowerCase();
        const odd = Object.entries(usual).find(
          ([option, value]) => (attributesOf(child).get(option) ?? value) !== value,
        );
        const isKnown = step === 'flatten' || Object.hasOwn(activations, step);
        if (isKnown && !odd) return [step];
        const got = odd ? `${odd[0]} ${String(attributesOf(child).get(odd[0]))}` : 'no step of forward';
        return this.#fail(`module '${name}' is an nn.${kind} with ${got}: give forward, with a layer in its place`);
      });
    return stepsOf(root, '');
  }

  /** A module by its name without the prefixes of wrappers. */
  #at(name: string): PickledObject | undefined {
    const exact = this.#modules.find(({ path }) => path === name);
    return (exact ?? this.#modules.find(({ path }) => path.endsWith(`.${name}`)))?.module;
  }

  #optionsOf(name: string, module: PickledObject): Omit<ForwardModule, 'module'> | undefined {
    const kind = classOf(module);
    if (kind === undefined) return undefined;
    const attributes = attributesOf(module);
    const numbers = (key: string): number[] => [attributes.get(key)].flat().map(Number);
    if (recurrent.test(kind)) {
      const mode = attributes.get('mode') ?? attributes.get('nonlinearity');
      const nonlinearity = /relu$/i.test(String(mode)) ? 'relu' : 'tanh';
      return kind.startsWith('RNN') ? { nonlinearity } : {};
    }
    const as = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (!as) return this.#fail(`module '${name}' is an nn.${kind}, which is not supported`);
    if (as === 'LayerNorm' || as === 'BatchNorm') return { as, eps: Number(attributes.get('eps') ?? 1e-5) };
    if (as !== 'Conv1d' && as !== 'Conv2d') return { as };
    const mode = attributes.get('padding_mode') ?? 'zeros';
    if (mode !== 'zeros') this.#fail(`module '${name}' has padding_mode ${quote(String(mode))}, expected "zeros"`);
    const padding = attributes.get('padding');
    return {
      ...{
        as,
        stride: numbers('stride'),
        dilation: numbers('dilation'),
        groups: Number(attributes.get('groups') ?? 1),
      },
      padding: padding === 'same' ? 'same' : padding === 'valid' ? 0 : numbers('padding'),
    };
  }
}
