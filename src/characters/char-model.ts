// The character model of `tapeloop train` and of the demo's page: building, one training step, validation.

import { expectList, expectType } from '../checks/argument-error.ts';
import { NonFiniteLossError } from '../checks/divergence.ts';
import { ndarray } from '../data/array.ts';
import { encodeText, TextError, type TextStreams, textStreams } from '../data/text/text.ts';
import { setSeed } from '../engine/random.ts';
import type { Layer } from '../layers/base/layer.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { embedding } from '../layers/embedding.ts';
import { gru } from '../layers/rnn/gru.ts';
import type { RecurrentOptions } from '../layers/rnn/keras-recurrent.ts';
import { lstm } from '../layers/rnn/lstm.ts';
import { simpleRnn } from '../layers/rnn/simple-rnn.ts';
import { sparseCategoricalCrossentropy } from '../losses/index.ts';
import { type Model, sequential } from '../models/model.ts';
import { allowStreams } from '../models/register-all.ts';
import { adam } from '../optimizers/index.ts';
import type { CharCell, CharModelOptions, RunOptions } from './run-options.ts';

const makers: Record<CharCell, (options: RecurrentOptions) => Layer> = {
  lstm: (options) => lstm(options) as Layer,
  gru: (options) => gru(options) as Layer,
  rnn: (options) => simpleRnn(options) as Layer,
};

/**
 * Embedding, recurrent layers that carry their states, and logits; dropout before and after each recurrent layer.
 * Throws `ArgumentError` for an option out of its range.
 */
export function buildCharModel(options: CharModelOptions, vocabularySize: number): Model {
  setSeed(options.seed);
  // Text is generated with streams.
  allowStreams();
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

/** Sets loss and optimizer from the options. Throws `ArgumentError` for an option out of its range. */
export function compileCharModel(model: Model, { lr, clip }: Pick<CharModelOptions, 'lr' | 'clip'>): void {
  const optimizer = adam({ learningRate: lr, ...(clip > 0 ? { globalClipNorm: clip } : {}) });
  model.compile({ optimizer, loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
}

/**
 * One update on the next window of the streams.
 *
 * @returns the loss of the window, in nats per character.
 * @throws NonFiniteLossError or NonFiniteGradientError if training has diverged; ArgumentError if the batch size of the
 *   streams differs from that of earlier streams.
 */
export function trainOnWindow(model: Model, streams: TextStreams): number {
  const { batch, time } = streams;
  const { x, y, first } = streams.next();
  if (first) model.resetStates();
  return model.trainOnBatch(ndarray(x, [batch, time]), ndarray(y, [batch, time])).loss!;
}

export interface ValidateOptions {
  /** Upper limit of the number of windows. Default: all. */
  windows?: number | undefined;
  /** Called before each window; false ends the validation. `ids` may be long, so the caller can yield or stop here. */
  goOn?: (() => Promise<boolean>) | undefined;
}

/**
 * Mean loss over `ids`, in nats per character. The ids are read as parallel streams whose states are carried. The
 * states that training carries are restored afterwards.
 *
 * @param run batch size and window length; both are reduced if the text is too short for them.
 * @returns undefined if there are fewer than two ids, or if `goOn` returned false.
 * @throws NonFiniteLossError if the mean is not finite.
 */
export async function validate(
  model: Model,
  ids: Int32Array,
  run: Pick<RunOptions, 'batch' | 'time'>,
  { windows = Number.POSITIVE_INFINITY, goOn }: ValidateOptions = {},
): Promise<number | undefined> {
  if (ids.length < 2) return undefined;
  const time = Math.min(run.time, ids.length - 1);
  const batch = Math.min(run.batch, Math.floor((ids.length - 1) / time));
  const streams = textStreams(ids, { batch, time });
  const count = Math.min(streams.windows, windows);
  const restores = model.trainer.statefulLayers.map((layer) => layer.carried!.suspend());
  try {
    let total = 0;
    for (let i = 0; i < count; i++) {
      if (goOn && !(await goOn())) return undefined;
      const { x, y } = streams.next();
      const logs = model.evaluate(ndarray(x, [batch, time]), ndarray(y, [batch, time]), { batchSize: batch });
      total += logs.loss!;
    }
    const mean = total / count;
    if (!Number.isFinite(mean)) throw new NonFiniteLossError(`the validation loss became ${mean}`);
    return mean;
  } finally {
    for (const restore of restores) restore();
  }
}

/**
 * The id before the first character of a text without a prompt: the id of the line end, or 0 if there is none. Throws
 * `ArgumentError` if the vocabulary is not a list.
 */
export function startId(vocabulary: readonly string[]): number {
  expectList('startId: vocabulary', vocabulary);
  return Math.max(vocabulary.indexOf('\n'), 0);
}

/**
 * `encodeText` with a name in its errors in place of the function's name.
 *
 * @param name start of the error message.
 * @throws TextError at the first character outside the vocabulary; ArgumentError if `name` is not a string.
 */
export function encodeNamed(text: string, vocabulary: readonly string[], name: string): Int32Array {
  expectType('encodeNamed: name', name, 'a string');
  try {
    return encodeText(text, vocabulary);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw new TextError(error.message.replace('encodeText', name));
  }
}
