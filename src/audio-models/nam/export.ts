import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { sizeOf } from '../../checks/shape.ts';
import { utf8Of } from '../../host/utf8.ts';
import type { Json, LayerConfig } from '../../io/model-file.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { type AnyModel, expectModel } from '../../models/model.ts';
import { transposed } from '../json-file.ts';
import { LearnedState } from '../learned-state.ts';
import { expectPlainJson } from '../plain-json.ts';
import { WaveNet } from '../wavenet/layer.ts';
import { waveNetWeights } from '../wavenet/structure.ts';
import { namActivations } from './activations.ts';

/** Options of `exportNam`. */
export interface ExportNamOptions {
  /** In Hz. Default: the file does not say it; players then take 48,000. */
  sampleRate?: number | undefined;
  /** Loudness, gain, names and the like, as JSON. Default: none. */
  metadata?: Json | undefined;
}

interface Exported {
  readonly architecture: string;
  readonly config: Json;
  readonly weights: number[];
}

/**
 * Writes a model as a `.nam` file of Neural Amp Modeler, version 0.5.4.
 *
 * @param model a stack of `lstm` layers of one width, with learned states or not, and `dense({ units: 1 })`; or one
 *   `waveNet` of one output; or one causal `conv1d` of one filter.
 * @param options.sampleRate in Hz.
 * @param options.metadata what players show or use: `loudness`, `gain`, `name`.
 * @returns the bytes of the file, owned by the caller. `importNam` gives a model with the same bits of weights.
 * @throws ArgumentError if `model` is not built or has another form, an option is unknown, or JSON does not hold
 *   the metadata as they are.
 * @see https://github.com/sdatkinson/NeuralAmpModelerCore
 *
 * @example
 * const bytes = exportNam(amp, { sampleRate: 48_000 });
 */
export function exportNam(model: AnyModel, options: ExportNamOptions = {}): Uint8Array<ArrayBuffer> {
  const { sampleRate, metadata } = checkOptions('exportNam', options, { sampleRate: 1, metadata: 1 });
  expectModel('exportNam', model);
  if (sampleRate !== undefined && !(Number.isFinite(sampleRate) && sampleRate > 0)) {
    throw new ArgumentError(`exportNam: sampleRate expected a positive number, got ${sampleRate}`);
  }
  if (metadata !== undefined) expectPlainJson('exportNam: metadata', metadata);
  if (!model.network.isBuilt) throw new ArgumentError(`exportNam: ${model.name} expected a built model`);
  const layers = model.network.stack.filter(({ className }) => !/Dropout|GaussianNoise|ActivityReg/.test(className));
  const { architecture, config, weights } = exported(layers);
  const text = JSON.stringify({
    version: '0.5.4',
    metadata: metadata ?? null,
    architecture,
    config,
    weights,
    sample_rate: sampleRate,
  });
  return utf8Of(text);
}

function exported(layers: readonly AnyLayer[]): Exported {
  const [first] = layers;
  if (layers.length === 1 && first instanceof WaveNet) return waveNetOf(first);
  if (layers.length === 1 && first!.className === 'Conv1D') return linearOf(first!);
  return lstmOf(layers);
}

const valuesOf = (layer: AnyLayer, name: string): Float32Array | undefined =>
  layer.weights.find((weight) => weight.name === `${layer.path}/${name}`)?.toArray() as Float32Array | undefined;

/** Throws `ArgumentError`, which names the layer. */
function refuse(layer: AnyLayer | undefined, expected: string): never {
  throw new ArgumentError(`exportNam: ${layer?.describe() ?? 'the model'} expected ${expected}`);
}

/** Throws `ArgumentError` unless each option of a layer has its default or the value here. */
function expectOptions(layer: AnyLayer, config: LayerConfig, expected: LayerConfig): void {
  for (const [name, value] of Object.entries(expected)) {
    if (config[name] !== undefined && config[name] !== value) refuse(layer, `${name} ${JSON.stringify(value)}`);
  }
}

const plainLstm = { activation: 'tanh', recurrentActivation: 'sigmoid', peephole: false, goBackwards: false };

function lstmOf(layers: readonly AnyLayer[]): Exported {
  const form = 'a stack of lstm layers and dense({ units: 1 }), a waveNet, or a causal conv1d';
  const head = layers.at(-1);
  const [width, outputs] = head?.className === 'Dense' ? head.weights[0]!.shape : [];
  if (layers.length < 2 || outputs !== 1) refuse(head, form);
  expectOptions(head!, head!.config(), { activation: 'linear' });
  const weights: number[] = [];
  let inputSize = 0;
  for (const given of layers.slice(0, -1)) {
    const layer = given instanceof LearnedState ? given.layer : given;
    if (layer.className !== 'LSTM') refuse(layer, form);
    const config = layer.config();
    expectOptions(layer, config, { ...plainLstm, units: width! });
    if (config.returnSequences !== true || config.projSize !== undefined) {
      refuse(layer, 'returnSequences true and no projSize');
    }
    const units = width!;
    const [kernel, recurrent] = ['kernel', 'recurrentKernel'].map((name) => valuesOf(layer, name)!);
    const inputs = kernel!.length / (4 * units);
    inputSize ||= inputs;
    weights.push(...transposed([...kernel!, ...recurrent!], [inputs + units, 4 * units]));
    weights.push(...(valuesOf(layer, 'bias') ?? new Float32Array(4 * units)));
    for (const state of [0, 1]) weights.push(...(valuesOf(given, `initial${state}`) ?? new Float32Array(units)));
  }
  weights.push(...head!.weights[0]!.toArray(), ...(valuesOf(head!, 'bias') ?? [0]));
  const config = { input_size: inputSize, hidden_size: width!, num_layers: layers.length - 1 };
  return { architecture: 'LSTM', config, weights };
}

function waveNetOf(layer: WaveNet): Exported {
  const { arrays, headScale = 1 } = layer.structure;
  const names = new Map(Object.entries(namActivations).map(([theirs, ours]) => [ours, theirs]));
  const inputs = layer.weights[0]!.shape[0]!;
  if (arrays.at(-1)!.headSize !== 1) refuse(layer, 'headSize 1 of its last array');
  const config = {
    layers: arrays.map(({ channels, kernelSize, dilations, headSize, activation = 'tanh', ...rest }, i) => ({
      input_size: arrays[i - 1]?.channels ?? inputs,
      condition_size: inputs,
      head_size: headSize,
      channels,
      kernel_size: kernelSize,
      dilations,
      activation: names.get(activation) ?? refuse(layer, `an activation of ${[...names.keys()].join(', ')}`),
      gated: rest.gated ?? false,
      head_bias: rest.headBias ?? false,
    })),
    head: null,
    head_scale: headScale,
  };
  const weights = waveNetWeights(layer.structure, inputs).flatMap(({ name, shape }) => {
    const values = valuesOf(layer, name)!;
    const outputs = shape.at(-1)!;
    const rows = sizeOf(shape) / outputs;
    const turned = transposed(values, [rows, outputs]);
    if (shape.length < 3) return [...turned];
    // `[outputs, taps, depth]` as `[outputs, depth, taps]`.
    const [taps, depth] = shape as [number, number];
    return Array.from({ length: outputs }, (_, output) => [
      ...transposed(turned.subarray(output * rows, (output + 1) * rows), [taps, depth]),
    ]).flat();
  });
  return { architecture: 'WaveNet', config: config as unknown as Json, weights: [...weights, headScale] };
}

function linearOf(layer: AnyLayer): Exported {
  const config = layer.config();
  const kernel = layer.weights[0]!;
  expectOptions(layer, config, { filters: 1, strides: 1, dilationRate: 1, activation: 'linear' });
  if (config.padding !== 'causal' || kernel.shape[1] !== 1) refuse(layer, 'one input and causal padding');
  const bias = valuesOf(layer, 'bias');
  return {
    architecture: 'Linear',
    config: { receptive_field: kernel.shape[0]!, bias: bias !== undefined },
    weights: [...[...kernel.toArray()].reverse(), ...(bias ?? [])],
  };
}
