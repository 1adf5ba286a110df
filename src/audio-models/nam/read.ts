// The `.nam` files of Neural Amp Modeler: JSON with an architecture, its sizes, and all weights in one list. The order of
// the weights is that of NeuralAmpModelerCore (https://github.com/sdatkinson/NeuralAmpModelerCore): lstm.cpp,
// wavenet/model.cpp, convnet.cpp, dsp.cpp.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import { sizeOf } from '../../checks/shape.ts';
import type { Json, SavedLayer } from '../../io/model-file.ts';
import { describe, expectList, expectObject, expectString, type Parsed } from '../../io/parsed-json.ts';
import { expectEpsilon } from '../../ops/epsilon.ts';
import { type Converted, expectKnownKeys, expectSize, transposed, valuesOf } from '../json-file.ts';
import { checkWaveNet, waveNetWeights } from '../wavenet/structure.ts';
import { activationIn, plainActivation } from './activations.ts';
import { arrayOf } from './wavenet-array.ts';

/** What a `.nam` file says besides its weights. */
export interface NamFacts {
  readonly version: string;
  readonly architecture: 'LSTM' | 'WaveNet' | 'ConvNet' | 'Linear';
  /** In Hz, if the file says it. */
  readonly sampleRate?: number | undefined;
  /** The file's metadata as they are: loudness, gain, names, date and the like. */
  readonly metadata?: Json | undefined;
}

/** Weights of a file, in order. Each is taken once, and all must be taken. */
class Weights {
  readonly taken = new Map<string, { shape: Shape; data: Float32Array }>();
  readonly #values: Float32Array;
  #next = 0;

  constructor(given: unknown) {
    const list = expectList('weights', given);
    this.#values = valuesOf('weights', list, [list.length]);
  }

  next(count: number): Float32Array {
    const from = this.#next;
    this.#next += count;
    if (this.#next <= this.#values.length) return this.#values.subarray(from, this.#next);
    throw new ArgumentError(
      `weights expected ${this.#next} numbers or more for this config, got ${this.#values.length}`,
    );
  }

  take(name: string, shape: Shape, data = this.next(sizeOf(shape))): void {
    this.taken.set(name, { shape, data });
  }

  expectNone(): void {
    if (this.#next === this.#values.length) return;
    throw new ArgumentError(`weights expected ${this.#next} numbers for this config, got ${this.#values.length}`);
  }
}

/** Converts the object of a `.nam` file. Throws `ArgumentError` for what it cannot. */
export function convertNam(file: Parsed): Converted & { readonly facts: NamFacts } {
  if (file.architecture === undefined && file.layers !== undefined)
    throw new ArgumentError('the file is one of RTNeural, which importRtNeural reads');
  const known = ['version', 'metadata', 'architecture', 'config', 'weights', 'sample_rate'];
  expectKnownKeys('the file', file, known);
  const version = expectString('version', file.version);
  if (!/^0\.[567]\.\d+$/.test(version))
    throw new ArgumentError(`version expected 0.5 to 0.7, got ${describe(version)}`);
  const architecture = expectString('architecture', file.architecture);
  const config = expectObject('config', file.config);
  if (architecture === 'SlimmableContainer')
    return convertNam({ version, ...largestOf(config), ...withoutNulls(file) });
  const reader = Object.hasOwn(readers, architecture) ? readers[architecture as keyof typeof readers] : undefined;
  if (!reader) {
    throw new ArgumentError(
      `architecture ${describe(architecture)} is not supported; LSTM, WaveNet, ConvNet and Linear are`,
    );
  }
  const sampleRate = file.sample_rate ?? undefined;
  if (sampleRate !== undefined && !(typeof sampleRate === 'number' && sampleRate > 0)) {
    throw new ArgumentError(`sample_rate expected a positive number, got ${describe(sampleRate)}`);
  }
  const weights = new Weights(file.weights);
  const layers = reader(config, weights);
  weights.expectNone();
  const metadata = (file.metadata ?? undefined) as Json | undefined;
  const facts: NamFacts = { version, architecture: architecture as NamFacts['architecture'], sampleRate, metadata };
  return { name: 'nam', layers, weights: weights.taken, extra: { nam: facts as unknown as Json }, facts };
}

const withoutNulls = ({ metadata, sample_rate }: Parsed): Parsed => ({
  ...(metadata != null && { metadata }),
  ...(sample_rate != null && { sample_rate }),
});

/** The model of a container of models by size that plays unless another size is asked for: the last one. */
function largestOf(config: Parsed): Parsed {
  const last = expectObject('config.submodels[]', expectList('config.submodels', config.submodels).at(-1));
  const model = expectObject('config.submodels[].model', last.model);
  if (model.architecture !== 'SlimmableContainer') return model;
  throw new ArgumentError('config.submodels[].model expected a model, got a container');
}

type Reader = (config: Parsed, weights: Weights) => SavedLayer[];

const inputOf = (channels: number): { batchInputShape: (number | null)[] } => ({
  batchInputShape: [null, null, channels],
});

const readers: Readonly<Record<NamFacts['architecture'], Reader>> = {
  // Each layer: [W, U] `[4H, I + H]`, gates i f g o, then b, h and c; at the end the head.
  LSTM(config, weights) {
    expectKnownKeys('config', config, ['input_size', 'hidden_size', 'num_layers']);
    const inputs = expectSize('config.input_size', config.input_size);
    const units = expectSize('config.hidden_size', config.hidden_size);
    const count = expectSize('config.num_layers', config.num_layers);
    const layers: SavedLayer[] = [];
    for (let i = 0; i < count; i++) {
      const width = i === 0 ? inputs : units;
      const matrix = transposed(weights.next(4 * units * (width + units)), [4 * units, width + units]);
      const name = `lstm_${i}`;
      const split = 4 * units * width;
      weights.take(`${name}/lstm/kernel`, [width, 4 * units], matrix.subarray(0, split));
      weights.take(`${name}/lstm/recurrentKernel`, [units, 4 * units], matrix.subarray(split));
      weights.take(`${name}/lstm/bias`, [4 * units]);
      for (const state of [0, 1]) weights.take(`${name}/initial${state}`, [units]);
      const lstm = { className: 'LSTM', config: { name: 'lstm', units, returnSequences: true } };
      layers.push({ className: 'LearnedState', config: { name, ...(i === 0 && inputOf(inputs)), layer: lstm } });
    }
    weights.take('head/kernel', [units, 1]);
    weights.take('head/bias', [1]);
    return [...layers, { className: 'Dense', config: { name: 'head', units: 1 } }];
  },

  WaveNet(config, weights) {
    const { head, condition_dsp, in_channels, ...own } = config;
    expectKnownKeys('config', own, ['layers', 'head_scale']);
    if (head != null) throw new ArgumentError('config.head is not supported');
    if (condition_dsp != null) throw new ArgumentError('config.condition_dsp is not supported');
    const given = expectList('config.layers', config.layers).map((layer, i) =>
      expectObject(`config.layers[${i}]`, layer),
    );
    const arrays = given.map((layer, i) => arrayOf(`config.layers[${i}]`, layer));
    const inputs = expectSize('config.layers[0].input_size', given[0]?.input_size);
    if ((in_channels ?? inputs) !== inputs)
      throw new ArgumentError(`config.in_channels expected ${inputs}, got ${describe(in_channels)}`);
    given.forEach(({ input_size, condition_size }, i) => {
      const before = i === 0 ? inputs : arrays[i - 1]!.channels;
      if (input_size === before && condition_size === inputs) return;
      throw new ArgumentError(
        `config.layers[${i}] expected input_size ${before} and condition_size ${inputs}, got ${describe(input_size)} and ${describe(condition_size)}`,
      );
    });
    checkWaveNet('config', { arrays });
    for (const { name, shape } of waveNetWeights({ arrays }, inputs)) {
      // In the file, outputs are the first axis and taps the last.
      const outputs = shape.at(-1)!;
      const rest = sizeOf(shape) / outputs;
      const turned = transposed(weights.next(sizeOf(shape)), [outputs, rest]);
      const [taps, depth] = shape as [number, number];
      const data = shape.length === 3 ? tapsFirst(turned, taps, depth, outputs) : turned;
      weights.take(`wave_net/${name}`, shape, data);
    }
    // The last number is the factor that the trainer wrote; Core reads it in place of the one in `config`.
    const [headScale] = weights.next(1) as unknown as [number];
    return [{ className: 'WaveNet', config: { name: 'wave_net', ...inputOf(inputs), arrays, headScale } as never }];
  },

  // Convolutions of two taps with an activation each, and a dense layer.
  ConvNet(config, weights) {
    const known = ['channels', 'dilations', 'batchnorm', 'activation', 'groups', 'in_channels', 'out_channels'];
    expectKnownKeys('config', config, known);
    for (const name of ['groups', 'in_channels', 'out_channels']) {
      if ((config[name] ?? 1) !== 1)
        throw new ArgumentError(`config.${name} expected 1, got ${describe(config[name])}`);
    }
    const filters = expectSize('config.channels', config.channels);
    const { batchnorm } = config;
    if (typeof batchnorm !== 'boolean')
      throw new ArgumentError(`config.batchnorm expected true or false, got ${describe(batchnorm)}`);
    const activation = plainActivation('config.activation', activationIn('config.activation', config.activation));
    const dilations = expectList('config.dilations', config.dilations);
    const layers = dilations.flatMap((given, i): SavedLayer[] => {
      const dilationRate = expectSize(`config.dilations[${i}]`, given);
      const [name, inputs] = [`conv_${i}`, i === 0 ? 1 : filters];
      const turned = transposed(weights.next(2 * inputs * filters), [filters, 2 * inputs]);
      weights.take(`${name}/kernel`, [2, inputs, filters], tapsFirst(turned, 2, inputs, filters));
      if (!batchnorm) weights.take(`${name}/bias`, [filters]);
      const options = { filters, kernelSize: 2, dilationRate, padding: 'causal', useBias: !batchnorm };
      const first = { name, ...(i === 0 && inputOf(1)), ...options };
      if (!batchnorm) return [{ className: 'Conv1D', config: { ...first, activation } }];
      for (const weight of ['moving_mean', 'moving_variance', 'gamma', 'beta'])
        weights.take(`norm_${i}/${weight}`, [filters]);
      const [epsilon] = weights.next(1) as unknown as [number];
      expectEpsilon(`weights: epsilon of block ${i}`, epsilon);
      return [
        { className: 'Conv1D', config: first },
        { className: 'BatchNormalization', config: { name: `norm_${i}`, epsilon } },
        { className: 'Activation', config: { name: `act_${i}`, activation } },
      ];
    });
    weights.take('head/kernel', [filters, 1]);
    weights.take('head/bias', [1]);
    return [...layers, { className: 'Dense', config: { name: 'head', units: 1 } }];
  },

  // An impulse response, newest sample first.
  Linear(config, weights) {
    expectKnownKeys('config', config, ['receptive_field', 'bias', 'in_channels', 'out_channels', 'implementation']);
    for (const name of ['in_channels', 'out_channels']) {
      if ((config[name] ?? 1) !== 1)
        throw new ArgumentError(`config.${name} expected 1, got ${describe(config[name])}`);
    }
    const kernelSize = expectSize('config.receptive_field', config.receptive_field);
    const useBias = config.bias === true;
    weights.take('linear/kernel', [kernelSize, 1, 1], weights.next(kernelSize).slice().reverse());
    if (useBias) weights.take('linear/bias', [1]);
    const options = { filters: 1, kernelSize, padding: 'causal', useBias };
    return [{ className: 'Conv1D', config: { name: 'linear', ...inputOf(1), ...options } }];
  },
};

/** `[depth, taps, outputs]` as `[taps, depth, outputs]`. */
function tapsFirst(values: Float32Array, taps: number, depth: number, outputs: number): Float32Array {
  return Float32Array.from(values, (_, i) => {
    const [tap, input] = [Math.floor(i / (depth * outputs)), Math.floor(i / outputs) % depth];
    return values[(input * taps + tap) * outputs + (i % outputs)]!;
  });
}
