import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import type { Shape } from '../../checks/shape.ts';
import { utf8Of } from '../../host/utf8.ts';
import type { Json, LayerConfig } from '../../io/model-file.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { type AnyModel, expectModel } from '../../models/model.ts';
import { expectPlainJson } from '../plain-json.ts';
import { rtNeuralActivations, soundEntries } from './read.ts';

/** Options of `exportRtNeural`. */
export interface ExportRtNeuralOptions {
  /** More entries of the file, such as `samplerate` or `author`. Default: none. */
  metadata?: { readonly [name: string]: Json | undefined } | undefined;
}

/**
 * Writes a model as a JSON file of RTNeural.
 *
 * @param model a stack of dense, lstm, gru, causal conv1d, prelu, batchNormalization and activation layers.
 * @param options.metadata more entries of the file.
 * @returns the bytes of the file, owned by the caller. `importRtNeural` gives a model with the same bits of weights.
 * @throws ArgumentError if `model` is not built, a layer or one of its options has no equal there, an option is unknown,
 *   JSON does not hold the metadata as they are, or they have `layers`, `in_shape`, or a gain or `in_skip` of AIDA-X.
 * @see https://github.com/jatinchowdhury18/RTNeural
 *
 * @example
 * const bytes = exportRtNeural(amp, { metadata: { samplerate: 48_000 } });
 */
export function exportRtNeural(model: AnyModel, options: ExportRtNeuralOptions = {}): Uint8Array<ArrayBuffer> {
  const { metadata = {} } = checkOptions('exportRtNeural', options, { metadata: 1 });
  expectModel('exportRtNeural', model);
  if (!model.network.isBuilt) throw new ArgumentError(`exportRtNeural: ${model.name} expected a built model`);
  const shape = model.network.builtShape as Shape | undefined;
  const width = shape?.at(-1);
  if (!Array.isArray(shape) || typeof width !== 'number') {
    throw new ArgumentError(`exportRtNeural: ${model.name} expected one input [B, T, I]`);
  }
  expectPlainJson('exportRtNeural: metadata', metadata);
  for (const [name, value] of Object.entries(metadata)) {
    const isTaken = name === 'layers' || name === 'in_shape';
    if (value === undefined || !(isTaken || (soundEntries.includes(name) && value !== 0))) continue;
    throw new ArgumentError(
      `exportRtNeural: metadata.${name} expected none, ${isTaken ? 'because the file has its own' : 'because it changes sound outside the layers'}: leave it out`,
    );
  }
  let features = width;
  const layers = model.network.stack
    .filter(({ className }) => !/Dropout|GaussianNoise|ActivityRegularization/.test(className))
    .map((layer) => {
      const written = exported(layer, features);
      features = written.shape.at(-1)!;
      return written;
    });
  return utf8Of(JSON.stringify({ ...metadata, in_shape: [null, null, width], layers }));
}

interface Written {
  readonly type: string;
  readonly activation: string;
  readonly shape: readonly [null, null, number];
  readonly weights: unknown[];
  readonly [more: string]: unknown;
}

type Write = (layer: AnyLayer, config: LayerConfig, features: number) => Omit<Written, 'shape'> & { width: number };

function exported(layer: AnyLayer, features: number): Written {
  const write = Object.hasOwn(writers, layer.className) ? writers[layer.className]! : undefined;
  if (!write) {
    const known = Object.keys(writers).join(', ');
    throw new ArgumentError(`exportRtNeural: ${layer.describe()} expected one of ${known}, got a ${layer.className}`);
  }
  const { width, ...written } = write(layer, layer.config(), features);
  return { ...written, shape: [null, null, width] } as unknown as Written;
}

/** Nested lists of a weight's values; zeros of `shape` for a bias that the layer does not have. */
function nested(layer: AnyLayer, name: string, shape: Shape): unknown {
  const values = layer.weights.find((weight) => weight.name === `${layer.path}/${name}`)?.toArray();
  let at = 0;
  const list = ([length, ...rest]: Shape): unknown =>
    Array.from({ length: length! }, () => (rest.length === 0 ? (values?.[at++] ?? 0) : list(rest)));
  return list(shape);
}

function expectOptions(layer: AnyLayer, config: LayerConfig, expected: LayerConfig): void {
  for (const [name, value] of Object.entries(expected)) {
    if (config[name] === undefined || config[name] === value) continue;
    throw new ArgumentError(
      `exportRtNeural: ${layer.describe()} expected ${name} ${JSON.stringify(value)}, got ${JSON.stringify(config[name])}`,
    );
  }
}

function activationOf(layer: AnyLayer, name: unknown): string {
  if (name === undefined || name === 'linear') return '';
  if ((rtNeuralActivations as readonly unknown[]).includes(name)) return name as string;
  throw new ArgumentError(
    `exportRtNeural: ${layer.describe()} expected an activation of ${rtNeuralActivations.join(', ')}, got ${JSON.stringify(name)}`,
  );
}

const recurrent =
  (type: string, gates: number, biases: readonly number[], more: LayerConfig = {}): Write =>
  (layer, config, features) => {
    const options = { activation: 'tanh', recurrentActivation: 'sigmoid', goBackwards: false, stateful: false };
    expectOptions(
      layer,
      { ...config, returnSequences: config.returnSequences ?? false },
      { ...options, returnSequences: true, ...more },
    );
    if (config.peephole || config.projSize) expectOptions(layer, config, { peephole: false, projSize: 0 });
    const units = config.units as number;
    const width = gates * units;
    const weights = [
      nested(layer, 'kernel', [features, width]),
      nested(layer, 'recurrentKernel', [units, width]),
      nested(layer, 'bias', [...biases, width]),
    ];
    return { type, activation: 'tanh', width: units, weights };
  };

const writers: Readonly<Record<string, Write>> = {
  Dense(layer, config, features) {
    const width = config.units as number;
    const weights = [nested(layer, 'kernel', [features, width]), nested(layer, 'bias', [width])];
    return { type: 'dense', activation: activationOf(layer, config.activation), width, weights };
  },
  LSTM: recurrent('lstm', 4, []),
  GRU: recurrent('gru', 3, [2], { resetAfter: true }),
  Conv1D(layer, config, features) {
    const { filters, kernelSize, dilationRate = 1, groups = 1, padding = 'valid' } = config as Record<string, number>;
    expectOptions(
      layer,
      { ...config, padding: kernelSize === 1 ? 'causal' : padding },
      { padding: 'causal', strides: 1 },
    );
    const weights = [
      nested(layer, 'kernel', [kernelSize!, features / groups, filters!]),
      nested(layer, 'bias', [filters!]),
    ];
    const more = { kernel_size: [kernelSize], dilation: [dilationRate], ...(groups > 1 && { groups: [groups] }) };
    return { type: 'conv1d', activation: activationOf(layer, config.activation), width: filters!, ...more, weights };
  },
  Activation: (layer, config, width) => ({
    ...{ type: 'activation', activation: activationOf(layer, config.activation), width, weights: [] },
  }),
  PReLU: (layer, _, width) => ({
    ...{ type: 'prelu', activation: '', width, weights: [[nested(layer, 'alpha', [width])]] },
  }),
  BatchNormalization(layer, config, width) {
    expectOptions(layer, config, { axis: -1 });
    const { scale = true, center = true, epsilon = 1e-3 } = config;
    const isAffine = Boolean(scale || center);
    if (scale !== center) expectOptions(layer, { scale, center }, { scale: true, center: true });
    const names = [...(isAffine ? ['gamma', 'beta'] : []), 'moving_mean', 'moving_variance'];
    return {
      type: 'batchnorm',
      activation: '',
      width,
      epsilon,
      weights: names.map((name) => nested(layer, name, [width])),
    };
  },
};
