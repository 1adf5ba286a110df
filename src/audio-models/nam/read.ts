// The `.nam` files of Neural Amp Modeler: JSON with an architecture, its sizes, and all weights in one list. The order of
// the weights is that of NeuralAmpModelerCore (https://github.com/sdatkinson/NeuralAmpModelerCore): lstm.cpp,
// wavenet.cpp, dsp.cpp.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import { sizeOf } from '../../checks/shape.ts';
import type { Json, SavedLayer } from '../../io/model-file.ts';
import { clip, describe, expectList, expectObject, expectString, isObject, type Parsed } from '../../io/parsed-json.ts';
import { type Converted, expectKnownKeys, expectSize, transposed, valuesOf } from '../json-file.ts';
import { checkWaveNet, type WaveNetArray, waveNetWeights } from '../wavenet/structure.ts';
import { namActivations } from './activations.ts';

/** What a `.nam` file says besides its weights. */
export interface NamFacts {
  readonly version: string;
  readonly architecture: 'LSTM' | 'WaveNet' | 'Linear';
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
    throw new ArgumentError(`architecture ${describe(architecture)} is not supported; LSTM, WaveNet and Linear are`);
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

/** Whether a part of newer files, such as a modulation, is off. */
const isOff = (value: unknown): boolean =>
  value == null || value === false || (isObject(value) && value.active === false);
const isOne = (value: unknown): boolean => value === 1;

/** Options of newer files that are supported only where they change nothing. */
const neutral: Readonly<Record<string, (value: unknown, channels: number) => boolean>> = {
  bottleneck: (value, channels) => value === channels,
  head_kernel_size: isOne,
  groups_input: isOne,
  groups_input_mixin: isOne,
  groups_1x1: isOne,
  layer1x1: (value) => isObject(value) && value.active === true && isOne(value.groups ?? 1),
  head1x1: isOff,
  slimmable: isOff,
  conv_pre_film: isOff,
  conv_post_film: isOff,
  input_mixin_pre_film: isOff,
  input_mixin_post_film: isOff,
  activation_pre_film: isOff,
  activation_post_film: isOff,
  layer1x1_post_film: isOff,
  head1x1_post_film: isOff,
};

/** The value that all layers of an array have: newer files may have a list of one for each. */
function sharedBy(count: number, what: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const texts = new Set(value.map((each) => JSON.stringify(each)));
  if (value.length === count && texts.size === 1) return value[0];
  const got = value.length === count ? clip([...texts].join(' and ')) : value.length;
  throw new ArgumentError(`${what} expected ${count} equal values, got ${got}`);
}

/** The name of an activation: newer files have an object with `type`. */
function activationIn(what: string, value: unknown): string {
  if (!isObject(value)) return expectString(what, value);
  const { type, ...options } = value;
  const name = expectString(`${what}.type`, type);
  if (Object.hasOwn(namActivations, name)) expectKnownKeys(what, options, []);
  return name;
}

/** The head of an array in the names of older files. */
function headOf(what: string, { head, ...layer }: Parsed): Parsed {
  if (head == null) return layer;
  const { out_channels, kernel_size, bias, ...rest } = expectObject(`${what}.head`, head);
  expectKnownKeys(`${what}.head`, { ...rest, ...(kernel_size !== 1 && { kernel_size }) }, []);
  return { ...layer, head_size: out_channels, head_bias: bias };
}

/** The gate of an array in the name of older files. */
function gateOf(what: string, count: number, { gating_mode, secondary_activation, ...layer }: Parsed): Parsed {
  if (gating_mode == null) {
    expectKnownKeys(what, secondary_activation == null ? {} : { secondary_activation }, []);
    return layer;
  }
  const mode = sharedBy(count, `${what}.gating_mode`, gating_mode);
  if (mode !== 'none' && mode !== 'gated')
    throw new ArgumentError(`${what}.gating_mode expected "none" or "gated", got ${describe(mode)}`);
  const second = sharedBy(count, `${what}.secondary_activation`, secondary_activation);
  const name = second == null ? 'Sigmoid' : activationIn(`${what}.secondary_activation`, second);
  if (mode === 'gated' && name !== 'Sigmoid')
    throw new ArgumentError(`${what}.secondary_activation expected "Sigmoid", got ${describe(name)}`);
  return { ...layer, gated: mode === 'gated' };
}

function arrayOf(what: string, given: Parsed): WaveNetArray {
  const own = ['input_size', 'condition_size', 'head_size', 'channels', 'kernel_size', 'dilations', 'activation'];
  const dilations = expectList(`${what}.dilations`, given.dilations).map((dilation, i) =>
    expectSize(`${what}.dilations[${i}]`, dilation),
  );
  const count = dilations.length;
  let layer = gateOf(what, count, headOf(what, given));
  if (layer.kernel_size == null && layer.kernel_sizes != null) {
    const { kernel_sizes, ...others } = layer;
    layer = { ...others, kernel_size: sharedBy(count, `${what}.kernel_sizes`, kernel_sizes) };
  }
  const sizeNamed = (name: string): number => expectSize(`${what}.${name}`, layer[name]);
  const channels = sizeNamed('channels');
  for (const name of ['gated', 'head_bias']) {
    if (typeof layer[name] !== 'boolean') {
      throw new ArgumentError(`${what}.${name} expected true or false, got ${describe(layer[name])}`);
    }
  }
  const rest = Object.entries(layer).filter(
    ([name, value]) => !(Object.hasOwn(neutral, name) && neutral[name]!(value, channels)),
  );
  expectKnownKeys(what, Object.fromEntries(rest), [...own, 'gated', 'head_bias']);
  const activation = activationIn(`${what}.activation`, sharedBy(count, `${what}.activation`, layer.activation));
  if (!Object.hasOwn(namActivations, activation)) {
    const known = Object.keys(namActivations).join(', ');
    throw new ArgumentError(`${what}.activation ${describe(activation)} is not supported; ${known} are`);
  }
  return {
    channels,
    kernelSize: sizeNamed('kernel_size'),
    dilations,
    headSize: sizeNamed('head_size'),
    activation: namActivations[activation]!,
    gated: layer.gated as boolean,
    headBias: layer.head_bias as boolean,
  };
}
