import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { type Shape, sizeOf } from '../../checks/shape.ts';
import { utf8Of } from '../../host/utf8.ts';
import type { Json, LayerConfig } from '../../io/model-file.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { type AnyModel, expectModel } from '../../models/model.ts';
import { transposed } from '../json-file.ts';
import { LearnedState } from '../learned-state.ts';
import { expectPlainJson } from '../plain-json.ts';
import { WaveNet } from '../wavenet/layer.ts';
import { type WaveNetActivation, type WaveNetArray, waveNetWeights } from '../wavenet/structure.ts';
import { writtenActivation, writtenNames } from './activations.ts';
import { films } from './wavenet-array.ts';

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
 *   `waveNet` of one output; or one causal `conv1d` of one filter; or causal `conv1d` of two taps, each with an activation,
 *   with or without `batchNormalization` before it, and `dense({ units: 1 })`.
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
    // Players that read newer options of a WaveNet have newer versions.
    version: /"(head|kernel_sizes|bottleneck|gating_mode|layer1x1|head1x1|\w+_film)":[^n]/.test(JSON.stringify(config))
      ? '0.7.0'
      : '0.5.4',
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
  if (first?.className === 'Conv1D') return layers.length === 1 ? linearOf(first) : convNetOf(layers);
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
  const form = 'a stack of lstm layers and dense({ units: 1 }), a waveNet, or causal conv1d layers';
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

/** An array of layers in a file. What older files have is written as they have it. */
function writtenArray(
  layer: WaveNet,
  array: WaveNetArray,
  sizes: { input_size: number; condition_size: number },
): Json {
  const {
    channels,
    kernelSize,
    dilations,
    activation = 'tanh',
    headSize,
    headKernelSize = 1,
    headBias = false,
  } = array;
  const { bottleneck = channels, gated = false, gateActivation = 'sigmoid', film = {} } = array;
  const written = (given: WaveNetActivation): Json =>
    writtenActivation(given) ?? refuse(layer, `an activation of ${writtenNames.join(', ')} or a leaky rectifier`);
  const isOld = gated !== 'blended' && (!gated || gateActivation === 'sigmoid');
  return {
    ...sizes,
    ...(headKernelSize > 1
      ? { head: { out_channels: headSize, kernel_size: headKernelSize, bias: headBias } }
      : { head_size: headSize }),
    channels,
    ...(bottleneck !== channels && { bottleneck }),
    ...(Array.isArray(kernelSize) ? { kernel_sizes: [...kernelSize] } : { kernel_size: kernelSize as number }),
    dilations: [...dilations],
    activation: Array.isArray(activation) ? activation.map(written) : written(activation as WaveNetActivation),
    ...(isOld
      ? { gated: gated as boolean }
      : { gating_mode: gated === 'blended' ? 'blended' : 'gated', secondary_activation: written(gateActivation) }),
    ...(headKernelSize === 1 && { head_bias: headBias }),
    ...(array.residual === false && { layer1x1: { active: false, groups: 1 } }),
    ...(array.headChannels !== undefined && { head1x1: { active: true, out_channels: array.headChannels, groups: 1 } }),
    ...Object.fromEntries(
      Object.entries(films)
        .filter(([, place]) => film[place])
        .map(([name, place]) => [name, { active: true, shift: film[place] === 'shift', groups: 1 }]),
    ),
  };
}

function waveNetOf(layer: WaveNet): Exported {
  const { arrays, headScale = 1 } = layer.structure;
  const inputs = layer.weights[0]!.shape[0]!;
  if (arrays.at(-1)!.headSize !== 1) refuse(layer, 'headSize 1 of its last array');
  const config = {
    layers: arrays.map((array, i) =>
      writtenArray(layer, array, { input_size: arrays[i - 1]?.channels ?? inputs, condition_size: inputs }),
    ),
    head: null,
    head_scale: headScale,
  };
  const weights = waveNetWeights(layer.structure, inputs).flatMap(({ name, shape }) => {
    const values = valuesOf(layer, name)!;
    const outputs = shape.at(-1)!;
    const rows = sizeOf(shape) / outputs;
    return shape.length < 3 ? [...transposed(values, [rows, outputs])] : tapsLast(values, shape);
  });
  return { architecture: 'WaveNet', config: config as unknown as Json, weights: [...weights, headScale] };
}

/** A kernel `[taps, depth, outputs]` as `[outputs, depth, taps]`. */
function tapsLast(values: Float32Array, [taps, depth, outputs]: Shape): number[] {
  const rows = taps! * depth!;
  const turned = transposed(values, [rows, outputs!]);
  return Array.from({ length: outputs! }, (_, output) => [
    ...transposed(turned.subarray(output * rows, (output + 1) * rows), [taps!, depth!]),
  ]).flat();
}

/** Convolutions of two taps, each with an activation, behind batch normalization or not, and a dense layer. */
function convNetOf(layers: readonly AnyLayer[]): Exported {
  const convolutions = layers.filter(({ className }) => className === 'Conv1D');
  const head = layers.at(-1)!;
  const hasNorm = layers[1]!.className === 'BatchNormalization';
  const block = hasNorm ? ['Conv1D', 'BatchNormalization', 'Activation'] : ['Conv1D'];
  const expected = [...convolutions.flatMap(() => block), 'Dense'];
  const other = layers.findIndex(({ className }, i) => className !== expected[i]);
  if (other >= 0 || layers.length !== expected.length) {
    refuse(layers[Math.max(other, 0)], `${block.join(', ')} in turn and a dense layer`);
  }
  expectOptions(head, head.config(), { activation: 'linear', units: 1 });
  const { filters } = convolutions[0]!.config();
  const options = { filters: filters!, kernelSize: 2, padding: 'causal', strides: 1, groups: 1 };
  const weights: number[] = [];
  const names = convolutions.map((layer, i) => {
    const config = layer.config();
    expectOptions(layer, { padding: 'valid', ...config }, { ...options, ...(hasNorm && { activation: 'linear' }) });
    const kernel = layer.weights[0]!;
    if (i === 0 && kernel.shape[1] !== 1) refuse(layer, 'one input');
    weights.push(...tapsLast(kernel.toArray() as Float32Array, kernel.shape));
    const none = new Float32Array(filters as number);
    const bias = valuesOf(layer, 'bias');
    if (!hasNorm) weights.push(...(bias ?? none));
    const norm = layers[3 * i + 1]!;
    if (hasNorm) {
      if (bias) refuse(layer, 'useBias false before batchNormalization');
      expectOptions(norm, norm.config(), { axis: -1 });
      const parts = ['moving_mean', 'moving_variance', 'gamma', 'beta'].map((name) => valuesOf(norm, name));
      weights.push(...parts[0]!, ...parts[1]!, ...(parts[2] ?? none.map(() => 1)), ...(parts[3] ?? none));
      weights.push(Math.fround(Number(norm.config().epsilon ?? 1e-3)));
    }
    return (hasNorm ? layers[3 * i + 2]! : layer).config().activation ?? 'linear';
  });
  const name =
    names.find((each) => each !== names[0]) === undefined ? writtenActivation(names[0] as string) : undefined;
  const activation = name ?? refuse(convolutions[0], `one activation of ${writtenNames.join(', ')} for all`);
  weights.push(...head.weights[0]!.toArray(), ...(valuesOf(head, 'bias') ?? [0]));
  const dilations = convolutions.map((layer) => (layer.config().dilationRate ?? 1) as number);
  const config = { channels: filters as number, dilations, batchnorm: hasNorm, activation };
  return { architecture: 'ConvNet', config: config as Json, weights };
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
