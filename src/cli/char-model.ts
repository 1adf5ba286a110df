// The character model of `tapeloop train`: how it is built, measured and put into a file.
import { createHash } from 'node:crypto';
import { ndarray } from '../data/array.ts';
import { type TextStreams, textStreams } from '../data/text.ts';
import { setSeed } from '../engine/random.ts';
import { readFileChecked, writeFileAtomic } from '../io/node-files.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { embedding } from '../layers/embedding.ts';
import type { Layer } from '../layers/layer.ts';
import { gru, lstm, type RecurrentOptions, simpleRnn } from '../layers/recurrent.ts';
import { sparseCategoricalCrossentropy } from '../train/losses.ts';
import { type Model, sequential } from '../train/model.ts';
import { adam } from '../train/optimizers.ts';
import { decodeModel, encodeModel } from '../train/saved-model.ts';
import type { TrainOptions } from './flags.ts';
import type { LossPoint } from './loss-curve.ts';

/** The options that make the run what it is; where it writes and what it prints is another matter. */
export type RunOptions = Omit<TrainOptions, 'out' | 'resume' | 'log' | 'quiet'>;

export function runOptions({ out: _, resume: __, log: ___, quiet: ____, ...options }: TrainOptions): RunOptions {
  return options;
}

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

/** Mean loss over the whole of `ids`, read as parallel streams with their states carried; undefined where there is too little to predict. */
export function validate(model: Model, ids: Int32Array, options: RunOptions): number | undefined {
  if (ids.length < 2) return undefined;
  const time = Math.min(options.time, ids.length - 1);
  const batch = Math.min(options.batch, Math.floor((ids.length - 1) / time));
  const streams = textStreams(ids, { batch, time });
  return model.withFreshStates(() => {
    let total = 0;
    for (let i = 0; i < streams.windows; i++) {
      const { x, y } = streams.next();
      const logs = model.evaluate(ndarray(x, [batch, time]), ndarray(y, [batch, time]), { batchSize: batch });
      total += logs.loss!;
    }
    return total / streams.windows;
  });
}

export const hashIds = (ids: Int32Array): string => createHash('sha256').update(ids).digest('hex');

export function saveRun(path: string, { model, vocabulary, run }: SavedRun): void {
  writeFileAtomic(path, encodeModel(model, { vocabulary, extra: { ...run, options: { ...run.options } } }));
}

/** Reads a file that `saveRun` wrote. Throws ModelFileError for one that holds no character model. */
export function loadRun(path: string): SavedRun {
  const { model, vocabulary, extra } = decodeModel(readFileChecked(path), { file: path });
  const run = extra as unknown as Run | undefined;
  const last = model.layers.at(-1);
  if (!vocabulary || last?.outputShape([null, null]).at(-1) !== vocabulary.length) {
    throw new ModelFileError('expected a character model with its vocabulary, as tapeloop train writes', {
      file: path,
    });
  }
  if (!isRun(run)) throw new ModelFileError('expected the record of its training run', { file: path });
  return { model, vocabulary, run };
}

function isRun(run: Run | undefined): run is Run {
  return (
    typeof run?.options === 'object' &&
    Number.isSafeInteger(run.step) &&
    Number.isSafeInteger(run.position) &&
    Array.isArray(run.train) &&
    Array.isArray(run.validation)
  );
}
