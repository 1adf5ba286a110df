// What runs in a PyTorch model, as a list of its modules, and the layers that compute it.

import { ArgumentError, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { batchNormalization } from '../images/batch-normalization.ts';
import { zeroPadding1d, zeroPadding2d } from '../images/borders.ts';
import { conv2d } from '../images/conv2d.ts';
import { activation } from '../layers/activations/activation.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { Layer, type LayerLike } from '../layers/base/layer.ts';
import { conv1d } from '../layers/conv1d.ts';
import { dense } from '../layers/dense.ts';
import { embedding } from '../layers/embedding.ts';
import { layerNormalization } from '../layers/layer-normalization.ts';
import { flatten } from '../layers/reshape.ts';
import { bidirectional } from '../layers/rnn/bidirectional.ts';
import { gru } from '../layers/rnn/gru.ts';
import { lstm } from '../layers/rnn/lstm.ts';
import { simpleRnn } from '../layers/rnn/simple-rnn.ts';
import type { TorchTensor } from './tensors.ts';

/** A module whose class or options its tensors do not tell. */
export interface ForwardModule {
  /** Its name in the state dict. */
  module: string;
  /** Its class. */
  as?: 'Linear' | 'Embedding' | 'LayerNorm' | 'BatchNorm' | 'Conv1d' | 'Conv2d' | undefined;
  /** Of `nn.RNN`. */
  nonlinearity?: 'tanh' | 'relu' | undefined;
  /** Of a normalization. Default 1e-5. */
  eps?: number | undefined;
  /** Of a convolution. Default 1. */
  stride?: number | readonly number[] | undefined;
  /** Of a convolution. Default 0. */
  padding?: number | readonly number[] | 'same' | undefined;
  /** Of a convolution. Default 1. */
  dilation?: number | readonly number[] | undefined;
  /** Of a convolution. Default 1. */
  groups?: number | undefined;
}

/**
 * One step of `forward`: the name of a module; an activation, `last` (`x[:, -1]` of a recurrent module), `hidden` (the last
 * states of both directions, joined) or `flatten`; a module with options; or a layer without weights.
 */
export type ForwardStep = string | ForwardModule | LayerLike<Layer>;

/** The layers of a model, and which of them each module is. */
export interface ForwardLayers {
  readonly layers: Layer[];
  readonly names: Record<string, string[]>;
}

/** The tensors of each module by their keys, in the order of the file. */
export type ModuleTensors = ReadonlyMap<string, ReadonlyMap<string, TorchTensor>>;

const moduleNames = { module: 1, as: 1, nonlinearity: 1, eps: 1, stride: 1, padding: 1, dilation: 1, groups: 1 };

// The functions of PyTorch that have no options, by their names in lower case.
export const activations: Readonly<Record<string, string>> = {
  ...{ relu: 'relu', tanh: 'tanh', sigmoid: 'sigmoid', softmax: 'softmax', log_softmax: 'logSoftmax', elu: 'elu' },
  ...{ gelu: 'gelu', selu: 'selu', silu: 'silu', softplus: 'softplus', softsign: 'softsign', mish: 'mish' },
  ...{ hardsigmoid: 'hardSigmoid', hardswish: 'hardSilu', hardtanh: 'hardTanh', relu6: 'relu6', celu: 'celu' },
  ...{ logsigmoid: 'logSigmoid', tanhshrink: 'tanhShrink', softshrink: 'softShrink', hardshrink: 'hardShrink' },
};

export type Fail = (message: string) => never;

/** What does nothing when a model predicts, and may be named all the same. */
export const passing = /^(dropout([123]d)?|alpha_?dropout|identity)$/i;

const classes = ['Linear', 'Embedding', 'LayerNorm', 'BatchNorm', 'Conv1d', 'Conv2d'] as const;
type SingleKind = (typeof classes)[number];

/** The options that a module of each class has in `forward`, besides `module` and `as`. */
const optionsOfKind: Readonly<Record<string, readonly string[]>> = {
  ...{ LayerNorm: ['eps'], BatchNorm: ['eps'], RNN: ['nonlinearity'] },
  ...{ Conv1d: ['stride', 'padding', 'dilation', 'groups'], Conv2d: ['stride', 'padding', 'dilation', 'groups'] },
};

/** Makes the layers of `forward`. `fail` is for what the file does not say or says otherwise. */
export class ForwardBuilder {
  readonly #modules: ModuleTensors;
  readonly #fail: Fail;
  readonly #layers: (() => Layer)[] = [];
  readonly #names: Record<string, string[]> = {};
  /** Makes the last recurrent layer again with its last output alone. */
  #last: { module: string; isBoth: boolean; make: (returnSequences: boolean) => Layer } | undefined;
  readonly #inputShape: BatchShape | undefined;

  /** @param isSequence whether the first dense layer reads sequences. */
  constructor(modules: ModuleTensors, inputShape: BatchShape | undefined, fail: Fail) {
    this.#modules = modules;
    this.#inputShape = inputShape;
    this.#fail = fail;
  }

  finish(): ForwardLayers {
    return { layers: this.#layers.map((make) => make()), names: this.#names };
  }

  add(step: ForwardStep): void {
    if (typeof step === 'string') {
      if (this.#modules.has(step)) this.#module({ module: step });
      else if (step === 'last' || step === 'hidden') this.#takeLast(step);
      else if (step === 'flatten') this.#push(() => flatten() as Layer);
      else if (Object.hasOwn(activations, step)) {
        this.#push(() => activation({ activation: activations[step] as never }) as Layer);
      } else if (!passing.test(step)) this.#unknown(step);
    } else if (step instanceof Layer) this.#push(() => step);
    else if ((step as { network?: unknown } | null)?.network instanceof Layer) {
      this.#push(() => (step as { network: Layer }).network);
    } else this.#module(checkOptions('importTorch: forward', step as ForwardModule, moduleNames));
  }

  #unknown(step: unknown): never {
    const known = [...this.#modules.keys()].map((name) => `'${name}'`).join(', ');
    throw new ArgumentError(
      `importTorch: forward expected modules of the file (${known}), 'last', 'hidden', 'flatten', an activation (${Object.keys(activations).join(', ')}) or a layer, got ${shown(step)}`,
    );
  }

  #push(make: () => Layer): void {
    this.#last = undefined;
    this.#layers.push(make);
  }

  /** The shape for the first layer, `given` unless the caller said another one. */
  #first(given: BatchShape): { inputShape?: BatchShape } {
    return this.#layers.length === 0 ? { inputShape: this.#inputShape ?? given } : {};
  }

  #takeLast(step: 'last' | 'hidden'): void {
    const last = this.#last;
    if (!last) throw new ArgumentError(`importTorch: forward expected a recurrent module before '${step}'`);
    if (step === 'last' && last.isBoth) {
      throw new ArgumentError(
        `importTorch: forward: 'last' of '${last.module}' expected one direction: x[:, -1] has one step of the backward direction, which no layer takes. 'hidden' takes the last states of both; for x[:, -1] write model(…) with ops, and use loadStateDict`,
      );
    }
    this.#layers[this.#layers.length - 1] = () => last.make(false);
    this.#last = undefined;
  }

  #module(step: ForwardModule): void {
    const { module: name } = step;
    const tensors = this.#modules.get(name) ?? this.#unknown(name);
    if (this.#names[name]) throw new ArgumentError(`importTorch: forward expected '${name}' once, got it twice`);
    if ([...tensors.keys()].some((key) => /^weight_ih_l\d+$/.test(key))) {
      this.#recurrent(step, tensors);
      return;
    }
    const make = this.#single(step, tensors);
    this.#names[name] = [name];
    this.#push(make);
  }

  /** Throws `ArgumentError` for an option that a module of this class has not. */
  #expectOptions(step: ForwardModule, kind: string): void {
    const known = optionsOfKind[kind] ?? [];
    const other = Object.entries(step).find(
      ([key, value]) => key !== 'module' && key !== 'as' && value !== undefined && !known.includes(key),
    );
    if (!other) return;
    throw new ArgumentError(
      `importTorch: forward: module '${step.module}' is an nn.${kind}, which has no ${other[0]}; expected ${known.join(', ') || 'no option'}`,
    );
  }

  /** A module of one layer. */
  #single(step: ForwardModule, tensors: ReadonlyMap<string, TorchTensor>): () => Layer {
    const { module: name, eps = 1e-5 } = step;
    if (step.as !== undefined && !classes.includes(step.as)) {
      throw new ArgumentError(
        `importTorch: forward: as of '${name}' expected ${classes.join(', ')}, got ${shown(step.as)}`,
      );
    }
    const unsupported = unsupportedOf(name, this.#modules);
    if (unsupported) this.#fail(`module '${name}' is ${unsupported}`);
    const kind = step.as ?? kindOf(name, tensors);
    // A BatchNorm without factors has its averages alone.
    const weight = tensors.get('weight') ?? (kind === 'BatchNorm' ? tensors.get('running_mean') : undefined);
    const useBias = tensors.has('bias');
    const rank = weight?.shape.length;
    const expected = { Linear: 2, Embedding: 2, LayerNorm: 1, BatchNorm: 1, Conv1d: 3, Conv2d: 4 }[kind ?? 'Linear'];
    if (!weight || kind === undefined || rank !== expected) this.#untold(name, tensors, step.as);
    this.#expectOptions(step, kind);
    const [first, second] = weight.shape as [number, number];
    if (kind === 'Linear') {
      const shape = this.#first([second]);
      return () => dense({ units: first, useBias, name, ...shape }) as Layer;
    }
    if (kind === 'Embedding') return () => embedding({ inputDim: first, outputDim: second, name }) as Layer;
    if (kind === 'LayerNorm') {
      const shape = this.#first([null, first]);
      return () => layerNormalization({ epsilon: eps, center: useBias, name, ...shape }) as Layer;
    }
    if (kind === 'BatchNorm') {
      const options = { epsilon: eps, momentum: 0.9, center: useBias, scale: tensors.has('weight') };
      const shape = this.#first([null, first]);
      return () => batchNormalization({ ...options, name, ...shape }) as Layer;
    }
    return this.#convolution(step, weight.shape, useBias);
  }

  /** Fails for tensors that are not those of a class. */
  #untold(name: string, tensors: ReadonlyMap<string, TorchTensor>, as: SingleKind | undefined): never {
    const tell = [...tensors].map(([key, { shape }]) => `${key} [${shape}]`).join(', ');
    if (as !== undefined) return this.#fail(`module '${name}' has ${tell}, which is no ${as}`);
    const rank = tensors.get('weight')?.shape.length ?? 0;
    const fitting = { 1: "'LayerNorm'", 2: "'Linear' or 'Embedding'", 3: "'Conv1d'", 4: "'Conv2d'" }[rank];
    if (fitting === undefined) {
      return this.#fail(`module '${name}' has ${tell}, which is none of ${classes.join(', ')}, LSTM, GRU and RNN`);
    }
    const others = rank === 1 ? '; nn.GroupNorm, nn.PReLU and nn.RMSNorm look the same and are not supported' : '';
    return this.#fail(
      `module '${name}' has ${tell}, which does not say what it is: say it in forward, as { module: '${name}', as: ${fitting} }${others}`,
    );
  }

  #convolution(step: ForwardModule, shape: readonly number[], useBias: boolean): () => Layer {
    const { module: name, stride = 1, padding = 0, dilation = 1, groups = 1 } = step;
    const rank = shape.length - 2;
    const [filters, channels, ...taps] = shape as [number, number, ...number[]];
    const listOf = (option: string, given: unknown, least: number): number[] => {
      const list = [given].flat() as number[];
      if ((list.length === rank || list.length === 1) && list.every((n) => Number.isInteger(n) && n >= least)) {
        return list.length === rank ? list : Array(rank).fill(list[0]);
      }
      throw new ArgumentError(
        `importTorch: forward: ${option} of '${name}' expected an integer ≥ ${least}, or ${rank} in a list, got ${shown(given)}`,
      );
    };
    const [strides, rates] = [listOf('stride', stride, 1), listOf('dilation', dilation, 1)];
    const halves = taps.map((n, i) => ((n - 1) * rates[i]!) / 2);
    const pads = padding === 'same' ? halves : listOf('padding', padding, 0);
    const isSame = padding === 'same' || (strides.every((n) => n === 1) && pads.every((n, i) => n === halves[i]));
    const input = this.#first([...Array(rank).fill(null), channels * groups]);
    const isPadded = !isSame && pads.some((n) => n > 0);
    if (isPadded) {
      const around = pads.map((n): [number, number] => [n, n]);
      this.#push(() =>
        rank === 1
          ? (zeroPadding1d({ padding: around[0]!, ...input }) as Layer)
          : (zeroPadding2d({ padding: around as never, ...input }) as Layer),
      );
    }
    const options = {
      ...{ filters, useBias, name, padding: isSame ? ('same' as const) : ('valid' as const) },
      ...(groups > 1 ? { groups } : {}),
      ...(isPadded ? {} : input),
    };
    return rank === 1
      ? () => conv1d({ ...options, kernelSize: taps[0]!, strides: strides[0]!, dilationRate: rates[0]! }) as Layer
      : () =>
          conv2d({
            ...options,
            kernelSize: taps as never,
            strides: strides as never,
            dilationRate: rates as never,
          }) as Layer;
  }

  /** The layers of an `nn.LSTM`, `nn.GRU` or `nn.RNN`. */
  #recurrent(step: ForwardModule, tensors: ReadonlyMap<string, TorchTensor>): void {
    const { module: name, nonlinearity } = step;
    if (step.as !== undefined) {
      throw new ArgumentError(
        `importTorch: forward: module '${name}' is recurrent, as its tensors tell; as: ${shown(step.as)} expected to be left out`,
      );
    }
    if (nonlinearity !== undefined && nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ArgumentError(
        `importTorch: forward: nonlinearity of '${name}' expected 'tanh' or 'relu', got ${shown(nonlinearity)}`,
      );
    }
    const levels = [...tensors.keys()].filter((key) => /^weight_ih_l\d+$/.test(key)).length;
    const isBoth = tensors.has('weight_ih_l0_reverse');
    this.#names[name] = [];
    for (let level = 0; level < levels; level++) {
      const [input, hidden] = ['weight_ih', 'weight_hh'].map((key) => tensors.get(`${key}_l${level}`)?.shape);
      const projection = tensors.get(`weight_hr_l${level}`)?.shape;
      if (input?.length !== 2 || hidden?.length !== 2 || (projection && projection.length !== 2)) {
        this.#fail(`module '${name}' expected weight_ih_l${level} and weight_hh_l${level}, two matrices`);
      }
      const units = projection ? projection[1]! : hidden![1]!;
      const gates = hidden![0]! / units;
      const layerName = levels === 1 ? name : `${name}_l${level}`;
      const useBias = tensors.has(`bias_ih_l${level}`);
      const common = { units, useBias, ...(isBoth ? {} : { name: layerName, ...this.#first([null, input![1]!]) }) };
      this.#expectOptions(step, { 4: 'LSTM', 3: 'GRU' }[gates] ?? 'RNN');
      if (gates === 1 && nonlinearity === undefined) {
        const mend = `{ module: '${name}', nonlinearity: 'tanh' }`;
        this.#fail(
          `module '${name}' is an nn.RNN, whose tensors do not say its nonlinearity: give forward with ${mend} or 'relu'`,
        );
      }
      const outer = { name: layerName, ...(isBoth ? this.#first([null, input![1]!]) : {}) };
      const make = (returnSequences: boolean): Layer => {
        const options = { ...common, returnSequences };
        const one =
          gates === 4
            ? lstm({ ...options, ...(projection ? { projSize: projection[0]! } : {}) })
            : gates === 3
              ? gru(options)
              : simpleRnn({ ...options, activation: nonlinearity });
        return (isBoth ? bidirectional(one as never, outer) : one) as Layer;
      };
      if (gates !== 4 && gates !== 3 && gates !== 1) {
        this.#fail(`module '${name}': weight_hh_l${level} [${hidden}] is that of no LSTM, GRU or RNN`);
      }
      this.#names[name]!.push(layerName);
      this.#push(() => make(true));
      this.#last = { module: name, isBoth, make };
    }
  }
}

/** The class of a module, if its tensors tell it. */
function kindOf(name: string, tensors: ReadonlyMap<string, TorchTensor>): ForwardModule['as'] {
  const rank = tensors.get('weight')?.shape.length;
  if (tensors.has('running_mean')) return 'BatchNorm';
  if (rank === 2 && tensors.get('bias')?.shape.length === 1) return 'Linear';
  // A matrix without a bias may be either. Names such as embed, emb and word_embeddings tell.
  return rank === 2 && /emb[^.]*$/i.test(name) ? 'Embedding' : undefined;
}

/** What a module is that is not supported, if its tensors tell it; with what to do. */
export function unsupportedOf(name: string, modules: ModuleTensors): string | undefined {
  const tensors = modules.get(name)!;
  const has = (pattern: RegExp): boolean => [...tensors.keys()].some((key) => pattern.test(key));
  const mend = 'before the state dict is saved';
  if (has(/^(in|q|k|v)_proj_(weight|bias)$/)) return 'an nn.MultiheadAttention, which is not supported';
  if (has(/^\w+_mask$/) && has(/^\w+_orig$/)) return `pruned: call torch.nn.utils.prune.remove ${mend}`;
  if (has(/^\w+_orig$/)) return `under spectral_norm: call torch.nn.utils.remove_spectral_norm ${mend}`;
  if (has(/^weight_[gv]$/)) return `under weight_norm: call torch.nn.utils.remove_weight_norm ${mend}`;
  if ([...modules.keys()].some((each) => `${each}.`.startsWith(`${name}.parametrizations.`)))
    return `under a parametrization: call torch.nn.utils.parametrize.remove_parametrizations ${mend}`;
  const shape = tensors.get('weight')?.shape ?? [];
  if (shape.length > 1 && String(tensors.get('bias')?.shape) === String(shape))
    return `an nn.LayerNorm over ${shape.length} axes, which is not supported; one over the last axis is`;
  return undefined;
}
