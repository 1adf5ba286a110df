// Calls each public function with each argument and option missing or wrong. A call has one wrong value, and all wrong
// values are tried.
import * as audio from '../../src/audio.ts';
import * as data from '../../src/data.ts';
import * as t from '../../src/index.ts';
import * as node from '../../src/node.ts';
import * as stateSpace from '../../src/state-space.ts';
import * as stream from '../../src/stream.ts';
import { argumentsOf, functions } from './called.ts';
import type { Plain } from './target.ts';
import { used } from './targets/calls.ts';
import { calls, layers, type Use } from './valid-calls.ts';

/** A call that is in order: its arguments are made anew each time. */
interface ValidCall {
  readonly name: string;
  readonly args: () => unknown[];
  readonly run: (args: unknown[]) => unknown;
  /** Of its arguments those that are left as they are: they name what it would write. */
  readonly kept?: readonly number[];
}

type Any = (...args: unknown[]) => unknown;

function called(name: string, use: Use, args: Plain): ValidCall {
  const made = functions.get(name) as Any;
  const isLayer = Object.hasOwn(layers, name);
  return {
    name,
    args: () => argumentsOf(args),
    run(given) {
      if (!isLayer) return use === 'nothing' ? made(...given) : used(use, made(...given));
      const layer = made(...given.slice(1)) as t.Layer;
      try {
        layer(given[0] as t.Tensor);
        layer.config();
      } finally {
        layer.dispose();
      }
    },
  };
}

const x = [
  [[1], [2]],
  [[3], [4]],
];
const y = [[1], [0]];
const model = (): t.Model => {
  const made = t.sequential([t.gru({ units: 2, inputShape: [null, 1] }), t.dense({ units: 1 })]);
  made.compile({ optimizer: 'sgd', loss: 'mse' });
  return made;
};
const speaker = (): t.Model =>
  t.sequential([
    t.embedding({ inputDim: 3, outputDim: 2 }),
    t.gru({ units: 2, returnSequences: true }),
    t.dense({ units: 3 }),
  ]);
const shared = model();
const words = speaker();
const bytes = t.encodeModel(words);
const flow = t.sequential([t.gru({ units: 2, inputShape: [null, 1], returnSequences: true })]);
const text = new TextEncoder().encode('a,b\n1,2\n3,4\n');
const sound = audio.writeWav({ sampleRate: 8000, channels: [Float32Array.of(0, 0.5)] });
const framesOf = audio.stftStream({ nFft: 4 });
const samplesOf = audio.istftStream({ nFft: 4 });
const idx = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 6);
const drained = async (iterable: unknown): Promise<void> => {
  let count = 0;
  for await (const _ of iterable as AsyncIterable<unknown>) if (++count >= 4) break;
};
const wholeWeights = { sampleWeight: [1, 1], classWeight: { 0: 1, 1: 2 } };
const drawing = { temperature: 1, topK: 2, topP: 0.9, seed: 1 };

const method = (name: string, args: () => unknown[], run: Any, kept?: number[]): ValidCall => ({
  name,
  args,
  run: (given) => run(...given),
  ...(kept && { kept }),
});

const chain = (): stateSpace.HiddenMarkovModel =>
  stateSpace.gaussianHmm({
    ...{ states: 2, initialProbabilities: [0.5, 0.5], means: [[0], [1]], covariances: [[1], [1]] },
    transitionMatrix: [
      [0.9, 0.1],
      [0.1, 0.9],
    ],
  });
const level = (): stateSpace.LinearGaussian => stateSpace.localLevel({ inputs: 1 });
const seen = [[0.5], [1.5], [0.2], [1]];
const limits = { tolerance: 1, maxIterations: 2 };

/** The methods of state-space models, each called on a new one. */
const ofStateSpace = (): ValidCall[] => [
  ...(['score', 'stepLogLikelihoods', 'decode', 'posteriors', 'aic', 'bic'] as const).map((name) =>
    method(
      `hmm.${name}`,
      () => [seen],
      (...a) => (chain()[name] as Any).apply(chain(), a),
    ),
  ),
  method(
    'hmm.fit',
    () => [
      seen,
      { ...limits, restarts: 1, seed: 1, initialization: 'current', learn: ['means'], covarianceFloor: 0.1 },
    ],
    (...a) => (chain().fit as Any).apply(chain(), a),
  ),
  method(
    'hmm.sample',
    () => [{ steps: 2, seed: 1 }],
    (...a) => (chain().sample as Any).apply(chain(), a),
  ),
  ...(['filter', 'smooth', 'score', 'stepLogLikelihoods', 'aic', 'bic'] as const).map((name) =>
    method(
      `linearGaussian.${name}`,
      () => [seen, { inputs: seen }],
      (...a) => (level()[name] as Any).apply(level(), a),
    ),
  ),
  method(
    'linearGaussian.forecast',
    () => [seen, { steps: 2, inputs: [...seen, [1], [2]] }],
    (...a) => (level().forecast as Any).apply(level(), a),
  ),
  method(
    'linearGaussian.sample',
    () => [{ steps: 4, inputs: seen, seed: 1 }],
    (...a) => (level().sample as Any).apply(level(), a),
  ),
  ...(['fitEm', 'fitGradient'] as const).map((name) =>
    method(
      `linearGaussian.${name}`,
      () => [seen, { inputs: seen, ...limits, learn: { observationCovariance: 'diag', feedthroughMatrix: [[1]] } }],
      (...a) => (level()[name] as Any).apply(level(), a),
    ),
  ),
];

/** What takes a model, bytes or a file, and the methods of what the functions make. */
const others: readonly ValidCall[] = [
  ...ofStateSpace(),
  method('readWav', () => [sound, { file: 'f' }], audio.readWav as Any),
  ...Object.entries({ stftStream: audio.stftStream, istftStream: audio.istftStream }).map(([name, make]) =>
    method(
      name,
      () => [
        {
          ...{ nFft: 4, hopLength: 1, winLength: 4, window: 'hann', center: true, normalized: true },
          ...(name === 'stftStream' && { padMode: 'reflect' }),
        },
      ],
      (options) => (make as (given: unknown) => audio.StftStream)(options).dispose(),
    ),
  ),
  method(
    'stftStream: samples',
    () => [[0, 1, 2]],
    (...a) => (framesOf.push as Any).apply(framesOf, a),
  ),
  method(
    'istftStream: frames',
    () => [[1, 0, 1, 0, 1, 0]],
    (...a) => (samplesOf.push as Any).apply(samplesOf, a),
  ),
  method('encodeModel', () => [words, { vocabulary: ['a', 'b', 'c'], extra: { a: 1 } }], t.encodeModel as Any),
  method('decodeModel', () => [bytes, { file: 'f', inputShape: [null], customObjects: {} }], t.decodeModel as Any),
  method('restoreModel', () => [words, bytes, { file: 'f', customObjects: {} }], t.restoreModel as Any),
  method(
    'generate',
    () => [words, [0, 1], { maxLength: 4, ...drawing }],
    (...a) => drained((t.generate as Any)(...a)),
  ),
  method(
    'generateBatch',
    () => [words, [[0], [1]], { maxLength: 3 }],
    (...a) => drained((t.generateBatch as Any)(...a)),
  ),
  method(
    'generateIds',
    () => [words, { prompt: [0], length: 2, ...drawing }],
    (...a) => drained((t.generateIds as Any)(...a)),
  ),
  method(
    'beamSearch',
    () => [
      words,
      [[0], [1]],
      {
        ...{
          width: 2,
          nBest: 2,
          maxLength: 3,
          minLength: 1,
          stopIds: [0],
          lengthPenalty: 0.5,
          lengthPenaltyForm: 'gnmt',
        },
        ...{ groups: 2, diversityPenalty: 0.5, noRepeatNgramSize: 2, earlyStopping: true, fromLogits: true },
      },
    ],
    t.beamSearch as Any,
  ),
  method(
    'beamSteps',
    () => [words, [[0]], { width: 2, maxLength: 2 }],
    (...a) => drained((t.beamSteps as Any)(...a)),
  ),
  method('gradientFlow', () => [shared, x, y, { ...wholeWeights }], t.gradientFlow as Any),
  method(
    'decodeStream',
    () => [bytes, { batch: 1, maxSteps: 1, weights: 'int8', file: 'f' }],
    stream.decodeStream as Any,
  ),
  method('loadStream', () => [bytes, { batch: 1, mode: 'fast' }], stream.loadStream as Any),
  method('compileKernels', () => ['fast'], stream.compileKernels as Any),
  method('saveModel', () => [words, '/no/folder/m', { extra: 1 }], node.saveModel as Any, [1]),
  method('loadModel', () => ['/no/file', { inputShape: [null] }], node.loadModel as Any),
  method('checkpointFile', () => ['x', { monitor: 'loss', saveFreq: 2 }], node.checkpointFile as Any, [0]),
  method('csvFile', () => ['x', { separator: ';', append: true }], node.csvFile as Any, [0]),
  method('tensorBoardFolder', () => ['x', { updateFreq: 1 }], node.tensorBoardFolder as Any, [0]),
  method('backupFile', () => ['x', { customObjects: {} }], node.backupFile as Any, [0]),
  method('progress', () => [{ everyMs: 1, stream: { write() {} }, now: () => 0 }], node.progress as Any),
  method(
    'loadCsv',
    () => [
      text,
      { delimiter: ',', header: true, columns: ['a'], missing: 'nan', decimal: '.', thousands: "'", encoding: 'utf-8' },
    ],
    data.loadCsv as Any,
  ),
  method('loadText', () => [text, {}], data.loadText as Any),
  method('loadLines', () => [text, {}], data.loadLines as Any),
  method('loadIdx', () => [idx, {}], data.loadIdx as Any),
  method('loadPairs', () => [new TextEncoder().encode('a\tb\n'), {}], data.loadPairs as Any),
  method('readSource', () => [text, {}], data.readSource as Any),
  method('textVectorization', () => [{ maxTokens: 5, split: 'whitespace' }], data.textVectorization as Any),
  method('ctc', () => [{ blank: 0 }], t.ctc as Any),
  method(
    'compile',
    () => [{ optimizer: 'sgd', loss: 'mse', lossWeights: 1, metrics: ['mae'], weightedMetrics: ['mse'] }],
    (...a) => (shared.compile as Any).apply(shared, a),
  ),
  method(
    'fit',
    () => [
      ...[x, y],
      {
        epochs: 1,
        initialEpoch: 0,
        batchSize: 2,
        stepsPerEpoch: 1,
        shuffle: false,
        validationSplit: 0.5,
        validationData: [x, y],
        validationBatchSize: 1,
        validationSteps: 1,
        validationFreq: 1,
        callbacks: [{ onEpochEnd() {} }],
        verbose: 0,
        profile: false,
        ...wholeWeights,
      },
    ],
    (...a) => (shared.fit as Any).apply(shared, a),
  ),
  method(
    'evaluate',
    () => [x, y, { batchSize: 2, ...wholeWeights }],
    (...a) => (shared.evaluate as Any).apply(shared, a),
  ),
  method(
    'predict',
    () => [x, { batchSize: 2, weights: 'float32' }],
    (...a) => (shared.predict as Any).apply(shared, a),
  ),
  method(
    'trainOnBatch',
    () => [x, y, { ...wholeWeights }],
    (...a) => (shared.trainOnBatch as Any).apply(shared, a),
  ),
  method(
    'stream',
    () => [{ batch: 1, maxSteps: 2, weights: 'int8' }],
    (...a) => (flow.stream as Any).apply(flow, a),
  ),
  method(
    'stream: steps',
    () => [[1, 2], 2],
    (...a) => {
      const made = flow.stream({ maxSteps: 2 });
      return (made.steps as Any).apply(made, a);
    },
  ),
  method(
    'stream: states',
    () => [[[0, 0]]],
    (...a) => {
      const made = flow.stream();
      return (made.setState as Any).apply(made, a);
    },
  ),
  method(
    'stream: sequence',
    () => [0],
    (...a) => {
      const made = flow.stream();
      return (made.reset as Any).apply(made, a);
    },
  ),
  method(
    'getLayer',
    () => ['gru'],
    (...a) => (shared.getLayer as Any).apply(shared, a),
  ),
  method(
    'countParams',
    () => [{ trainable: true }],
    (...a) => (shared.countParams as Any).apply(shared, a),
  ),
  method(
    'gru: a call',
    () => [
      t.tensor(x),
      {
        training: false,
        mask: [
          [1, 1],
          [1, 0],
        ],
        initialState: t.tensor(new Float32Array(4), [2, 2]),
      },
    ],
    (...a) => (shared.layers[0] as Any)(...a),
  ),
];

export const validCalls: readonly ValidCall[] = [
  ...calls.flatMap(([use, list]) =>
    Object.entries(list).flatMap(([name, variants]) => variants.map((args) => called(name, use, args))),
  ),
  ...others,
];

/** What takes the place of an argument or an option, by what a report calls it. */
const bad: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-1': () => -1,
  '0.5': () => 0.5,
  '1e39': () => 1e39,
  "'3'": () => '3',
  "'abc'": () => 'abc',
  true: () => true,
  '[]': () => [],
  '{}': () => ({}),
  "['a']": () => ['a'],
  '[NaN]': () => [Number.NaN],
  'a function': () => () => 1,
  '3n': () => 3n,
  'a date': () => new Date(0),
  'an i32 tensor': () => t.tensor(Int32Array.of(7, 7)),
  'a tensor [1, 1, 1, 1, 3]': () => t.tensor([1, 2, 3], [1, 1, 1, 1, 3]),
};

/** Numbers of things to do one after another. */
const LONG = ['epochs', 'stepsPerEpoch', 'maxLength', 'length'];

type Path = readonly (string | number)[];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Every argument, every option in one, and the first of each list. */
function placesOf(args: readonly unknown[]): Path[] {
  return args.flatMap((arg, i): Path[] => {
    const inner = isRecord(arg) ? Object.keys(arg) : Array.isArray(arg) && arg.length > 0 ? [0] : [];
    return [[i], ...inner.map((key) => [i, key])];
  });
}

/** A call with one wrong value. */
export interface SpoiledCall {
  readonly name: string;
  readonly path: Path;
  readonly value: string;
  /** What stood there. */
  readonly before: unknown;
  readonly wrong: unknown;
  run(): unknown;
}

export function* spoiledCalls(): Generator<SpoiledCall> {
  for (const { name, args, run, kept = [] } of validCalls) {
    for (const path of placesOf(args())) {
      if (kept.includes(path[0] as number)) continue;
      for (const [value, make] of Object.entries(bad)) {
        // A wish that takes long to come true, and no mistake.
        if (value === '1e39' && LONG.includes(path[1] as string)) continue;
        const given = args();
        const [at, key] = path as [number, string | number | undefined];
        // What other calls are given stays whole.
        if (key !== undefined) given[at] = Array.isArray(given[at]) ? [...given[at]] : { ...(given[at] as object) };
        const holder = (key === undefined ? given : given[at]) as Record<string | number, unknown>;
        const before = holder[key ?? at];
        const wrong = make();
        holder[key ?? at] = wrong;
        yield { name, path, value, before, wrong, run: () => run(given) };
      }
    }
  }
}
