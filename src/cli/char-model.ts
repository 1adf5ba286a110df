// The character model of `tapeloop train`: how it is built, measured and put into a file.
import { createHash } from 'node:crypto';
import { ndarray } from '../data/array.ts';
import { encodeText, TextError, type TextStreams, textStreams } from '../data/text.ts';
import { setSeed } from '../engine/random.ts';
import { readFileChecked, writeFileAtomic } from '../io/node-files.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { embedding } from '../layers/embedding.ts';
import type { Layer } from '../layers/layer.ts';
import { gru, lstm, type RecurrentOptions, simpleRnn } from '../layers/recurrent.ts';
import { NonFiniteLossError } from '../train/divergence.ts';
import { sparseCategoricalCrossentropy } from '../train/losses.ts';
import { type Model, sequential } from '../train/model.ts';
import { adam } from '../train/optimizers.ts';
import { decodeModel, encodeModel } from '../train/saved-model.ts';
import { type Flag, type TrainOptions, trainFlags } from './flags.ts';
import type { LossPoint } from './loss-curve.ts';

/** The options that make the run what it is; where it writes and what it prints is another matter. */
export type RunOptions = Omit<TrainOptions, 'out' | 'resume' | 'log' | 'quiet'>;

export function runOptions({ out: _, resume: __, log: ___, quiet: ____, ...options }: TrainOptions): RunOptions {
  return options;
}

const { out: _, resume: __, log: ___, quiet: ____, help: _____, 'eval-every': evalEvery, ...sameName } = trainFlags;
const runFlags: Record<keyof RunOptions, Flag<unknown>> = { ...sameName, evalEvery };

/** What a run needs to go on where it stopped, kept in the model file beside the weights. */
export interface Run {
  options: RunOptions;
  /** Updates made. */
  step: number;
  /** Window of the text that comes next. */
  position: number;
  /** SHA-256 of the text's ids, to tell whether a resumed run reads the same text. */
  text: string;
  train: LossPoint[];
  validation: LossPoint[];
}

export interface SavedRun {
  model: Model;
  vocabulary: readonly string[];
  run: Run;
}

const makers: Record<TrainOptions['cell'], (options: RecurrentOptions) => Layer> = {
  lstm: (options) => lstm(options) as Layer,
  gru: (options) => gru(options) as Layer,
  rnn: (options) => simpleRnn(options) as Layer,
};

/** Embedding, recurrent layers that carry their states, and logits; dropout before and after each recurrent layer. */
export function buildCharModel(options: RunOptions, vocabularySize: number): Model {
  setSeed(options.seed);
  const drop = (): Layer[] => (options.dropout > 0 ? [dropout({ rate: options.dropout })] : []);
  const layers: Layer[] = [
    // Unit variance, as in PyTorch: with Keras's ±0.05 the first thousand steps lag 0.15 nat behind.
    embedding({
      inputDim: vocabularySize,
      outputDim: options.embedding,
      embeddingsInitializer: { name: 'randomNormal', stddev: 1 },
    }),
    ...drop(),
  ];
  for (let i = 0; i < options.layers; i++) {
    layers.push(makers[options.cell]({ units: options.hidden, returnSequences: true, stateful: true }), ...drop());
  }
  layers.push(dense({ units: vocabularySize }));
  const model = sequential(layers, { name: 'characters' });
  compileCharModel(model, options);
  return model;
}

/** Sets loss and optimizer from the options. */
export function compileCharModel(model: Model, { lr, clip }: RunOptions): void {
  const optimizer = adam({ learningRate: lr, ...(clip > 0 ? { globalClipNorm: clip } : {}) });
  model.compile({ optimizer, loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
}

/** One update on the next window of the streams; returns its loss, in nat a character. */
export function trainOnWindow(model: Model, streams: TextStreams): number {
  const { batch, time } = streams;
  const { x, y, first } = streams.next();
  if (first) model.resetStates();
  return model.trainOnBatch(ndarray(x, [batch, time]), ndarray(y, [batch, time])).loss!;
}

/**
 * Mean loss over the whole of `ids`, read as parallel streams with their states carried.
 *
 * @param goOn asked before each window, for `ids` may be long.
 * @returns undefined where there is too little to predict, or `goOn` said no.
 * @throws NonFiniteLossError as training does.
 */
export async function validate(
  model: Model,
  ids: Int32Array,
  options: RunOptions,
  goOn: () => Promise<boolean> = async () => true,
): Promise<number | undefined> {
  if (ids.length < 2) return undefined;
  const time = Math.min(options.time, ids.length - 1);
  const batch = Math.min(options.batch, Math.floor((ids.length - 1) / time));
  const streams = textStreams(ids, { batch, time });
  const restores = model.statefulLayers.map((layer) => layer.carried!.setAside());
  try {
    let total = 0;
    for (let i = 0; i < streams.windows; i++) {
      if (!(await goOn())) return undefined;
      const { x, y } = streams.next();
      const logs = model.evaluate(ndarray(x, [batch, time]), ndarray(y, [batch, time]), { batchSize: batch });
      total += logs.loss!;
    }
    const mean = total / streams.windows;
    if (!Number.isFinite(mean)) throw new NonFiniteLossError(`the validation loss became ${mean}`);
    return mean;
  } finally {
    for (const restore of restores) restore();
  }
}

// Points of a curve that a model file keeps at most: many more than a page has pixels, for a long run's file must not grow without end.
const MAX_POINTS = 16384;

/** Adds a point to a curve. One that has grown too long keeps every second point, and from then on takes them as far apart. */
export function addPoint(points: LossPoint[], point: LossPoint): void {
  const spacing = points.length > MAX_POINTS / 2 ? points[1]![0] - points[0]![0] : 0;
  if (points.length > 0 && point[0] - points.at(-1)![0] < spacing) return;
  points.push(point);
  if (points.length > MAX_POINTS) points.splice(0, points.length, ...points.filter((_, i) => i % 2 === 0));
}

/** The id that a text without a prompt begins behind: a line's end, if there is one. */
export const startId = (vocabulary: readonly string[]): number => Math.max(vocabulary.indexOf('\n'), 0);

/** `encodeText` for a user, who does not know that function: an error begins with `name`. */
export function encodeNamed(text: string, vocabulary: readonly string[], name: string): Int32Array {
  try {
    return encodeText(text, vocabulary);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw new TextError(error.message.replace('encodeText', name));
  }
}

export const hashIds = (ids: Int32Array): string => createHash('sha256').update(ids).digest('hex');

export function saveRun(path: string, { model, vocabulary, run }: SavedRun): void {
  writeFileAtomic(path, encodeModel(model, { vocabulary, extra: { ...run, options: { ...run.options } } }));
}

/** Reads a file that `saveRun` wrote. Throws ModelFileError for one that holds no character model or no usable record of its run. */
export function loadRun(path: string): SavedRun {
  const { model, vocabulary, extra } = decodeModel(readFileChecked(path), { file: path });
  const fail = (message: string): never => {
    throw new ModelFileError(message, { file: path });
  };
  const ends = [model.layers[0]?.config().inputDim, model.layers.at(-1)?.outputShape([null, null]).at(-1)];
  if (!vocabulary || !model.isCompiled || model.compiled.optimizer.name !== 'adam') {
    return fail('expected a character model with its vocabulary, as tapeloop train writes');
  }
  if (ends.some((size) => size !== vocabulary.length)) {
    fail(`a vocabulary of ${vocabulary.length} expected as many ids in and logits out, got ${ends.join(' and ')}`);
  }
  vocabulary.forEach((character, id) => {
    if ([...character].length !== 1 || vocabulary.indexOf(character) !== id) {
      fail(`vocabulary[${id}] expected one character, not used before, got ${JSON.stringify(character.slice(0, 20))}`);
    }
  });
  const run = checkedRun(extra, fail);
  for (const { carried } of model.statefulLayers) {
    const { batch } = carried;
    if (batch !== undefined && batch !== run.options.batch) {
      fail(`carried states expected for a batch of ${run.options.batch}, as its run has it, got ${batch}`);
    }
  }
  return { model, vocabulary, run };
}

/** The record of a run, held to what the command line would have taken. */
function checkedRun(extra: unknown, fail: (message: string) => never): Run {
  const run = extra as Run | undefined;
  if (typeof run?.options !== 'object' || run.options === null) return fail('expected the record of its training run');
  const { options } = run;
  for (const [key, { expected, fallback, parse }] of Object.entries(runFlags)) {
    const value: unknown = options[key as keyof RunOptions];
    const isLeftOut = value === undefined && fallback === undefined;
    if (!isLeftOut && parse(String(value)) !== value) {
      fail(`its run's ${key} expected ${expected}, got ${JSON.stringify(value) ?? 'none'}`);
    }
  }
  if ((options.steps === undefined) === (options.epochs === undefined)) {
    fail('its run expected steps or epochs, got both or none');
  }
  for (const key of ['step', 'position'] as const) {
    if (!(Number.isSafeInteger(run[key]) && run[key] >= 0))
      fail(`its run's ${key} expected an integer ≥ 0, got ${run[key]}`);
  }
  for (const key of ['train', 'validation'] as const) {
    if (!(Array.isArray(run[key]) && run[key].every(isPoint))) fail(`its run's ${key} expected a list of [step, loss]`);
  }
  return run;
}

const isPoint = (point: unknown): point is LossPoint =>
  Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
