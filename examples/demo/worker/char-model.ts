// The character model, its text and the record of its run: the same as `tapeloop train` makes, so that a file saved here
// goes on there, and the other way round.
import {
  adam,
  buildVocabulary,
  decodeModel,
  dense,
  embedding,
  encodeModel,
  encodeText,
  gru,
  type Layer,
  lstm,
  type Model,
  ModelFileError,
  ndarray,
  type RecurrentOptions,
  sequential,
  setSeed,
  simpleRnn,
  sparseCategoricalCrossentropy,
  TextError,
  type TextStreams,
  textStreams,
} from 'tapeloop';
import type { CellName, LossPoint } from '../protocol.ts';

export interface RunOptions {
  cell: CellName;
  layers: number;
  hidden: number;
  embedding: number;
  batch: number;
  time: number;
  steps?: number;
  lr: number;
  clip: number;
  dropout: number;
  split: number;
  evalEvery: number;
  seed: number;
}

export interface RunRecord {
  options: RunOptions;
  /** Updates made. */
  step: number;
  /** Window of the text that comes next. */
  position: number;
  /** SHA-256 of the text's ids; empty where the page may not compute one. */
  text: string;
  train: LossPoint[];
  validation: LossPoint[];
}

export interface CharRun {
  model: Model;
  vocabulary: readonly string[];
  record: RunRecord;
}

/** A text as a run trains on it. */
export interface AttachedText {
  streams: TextStreams;
  validationIds: Int32Array;
}

const DEFAULTS = {
  ...{ embedding: 64, batch: 32, time: 50, lr: 2e-3, clip: 5, dropout: 0, split: 0.9, evalEvery: 500, seed: 1 },
};
// Updates that `tapeloop train --resume` adds when it is not told how many.
const FURTHER_STEPS = 3000;
// A validation must be over before anybody waits for it.
const VALIDATION_WINDOWS = 8;

const makers: Record<CellName, (options: RecurrentOptions) => Layer> = {
  lstm: (options) => lstm(options) as Layer,
  gru: (options) => gru(options) as Layer,
  rnn: (options) => simpleRnn(options) as Layer,
};

/** A recurrent layer of a kind, by the name the page has for it. */
export const recurrentLayer = (cell: CellName, units: number, stateful = true): Layer =>
  makers[cell]({ units, returnSequences: true, stateful });

export function newRun(text: string, shape: Pick<RunOptions, 'cell' | 'layers' | 'hidden'>): CharRun {
  const vocabulary = buildVocabulary(text);
  if (vocabulary.length < 2) throw new TextError('The text expected two distinct characters or more, got one alone');
  const options: RunOptions = { ...DEFAULTS, ...shape };
  setSeed(options.seed);
  const model = sequential(
    [
      embedding({
        inputDim: vocabulary.length,
        outputDim: options.embedding,
        embeddingsInitializer: { name: 'randomNormal', stddev: 1 },
      }),
      ...Array.from({ length: options.layers }, () => recurrentLayer(options.cell, options.hidden)),
      dense({ units: vocabulary.length }),
    ],
    { name: 'characters' },
  );
  model.compile({
    optimizer: adam({ learningRate: options.lr, globalClipNorm: options.clip }),
    loss: sparseCategoricalCrossentropy({ fromLogits: true }),
  });
  return { model, vocabulary, record: { options, step: 0, position: 0, text: '', train: [], validation: [] } };
}

/**
 * Cuts a text for a run: where the run left off if it is the run's own text, else from its start with states at zero.
 *
 * @throws TextError if the text is too short, or has a character that the model does not know.
 */
export async function attachText(
  run: CharRun,
  text: string,
): Promise<AttachedText & { continues: boolean; length: number }> {
  const { model, record } = run;
  const { batch, time, split } = record.options;
  const ids = encodeForModel(text, run.vocabulary);
  const cut = Math.floor(ids.length * split);
  if (cut < batch * time + 1) {
    const needed = Math.ceil((batch * time + 1) / split);
    throw new TextError(`The text expected ${needed} characters or more to train on, got ${ids.length}`);
  }
  const streams = textStreams(ids.subarray(0, cut), { batch, time });
  const hash = await hashIds(ids);
  const continues = hash !== '' && hash === record.text && record.position < streams.windows;
  if (continues) streams.position = record.position;
  else model.resetStates();
  record.text = hash;
  return { streams, validationIds: ids.subarray(cut), continues, length: ids.length };
}

function encodeForModel(text: string, vocabulary: readonly string[]): Int32Array<ArrayBuffer> {
  try {
    return encodeText(text, vocabulary);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const reason = error.message.replace(/^encodeText: /, '');
    throw new TextError(`This text does not fit the model, start a new one for it: ${reason}`);
  }
}

/** One update on the next window; notes its loss. Throws `NonFiniteLossError` where training diverges. */
export function trainStep({ model, record }: CharRun, streams: TextStreams): LossPoint {
  const { batch, time } = streams;
  const { x, y, first } = streams.next();
  if (first) model.resetStates();
  const { loss } = model.trainOnBatch(ndarray(x, [batch, time]), ndarray(y, [batch, time]));
  const point: LossPoint = [++record.step, loss!];
  record.position = streams.position;
  addPoint(record.train, point);
  return point;
}

/** Mean loss over the first windows of the text that is kept back; undefined where that is too short. */
export function validate({ model, record }: CharRun, ids: Int32Array): LossPoint | undefined {
  if (ids.length < 2) return undefined;
  const time = Math.min(record.options.time, ids.length - 1);
  const batch = Math.min(record.options.batch, Math.floor((ids.length - 1) / time));
  const streams = textStreams(ids, { batch, time });
  const windows = Math.min(streams.windows, VALIDATION_WINDOWS);
  const total = model.withFreshStates(() => {
    let sum = 0;
    for (let i = 0; i < windows; i++) {
      const { x, y } = streams.next();
      sum += model.evaluate(ndarray(x, [batch, time]), ndarray(y, [batch, time]), { batchSize: batch }).loss!;
    }
    return sum;
  });
  const point: LossPoint = [record.step, total / windows];
  addPoint(record.validation, point);
  return point;
}

const MAX_POINTS = 16384;

/** Adds a point to a curve; one that has grown too long keeps every second point, and takes them as far apart from then on. */
export function addPoint(points: LossPoint[], point: LossPoint): void {
  const spacing = points.length > MAX_POINTS / 2 ? points[1]![0] - points[0]![0] : 0;
  if (points.length > 0 && point[0] - points.at(-1)![0] < spacing) return;
  points.push(point);
  if (points.length > MAX_POINTS) points.splice(0, points.length, ...points.filter((_, i) => i % 2 === 0));
}

export function encodeRun({ model, vocabulary, record }: CharRun): Uint8Array<ArrayBuffer> {
  const options = { ...record.options, steps: record.step + FURTHER_STEPS };
  return encodeModel(model, { vocabulary, extra: { ...record, options } });
}

/** Throws `ModelFileError` for a file that holds no character model with the record of its run. */
export function decodeRun(bytes: Uint8Array, file: string): CharRun {
  const { model, vocabulary, extra } = decodeModel(bytes, { file });
  const record = extra as unknown as RunRecord | undefined;
  if (!vocabulary || !model.isCompiled || !isRecord(record)) {
    model.dispose();
    throw new ModelFileError('expected a character model, as this page or tapeloop train saves it', { file });
  }
  return { model, vocabulary, record };
}

function isRecord(record: RunRecord | undefined): record is RunRecord {
  const options = record?.options;
  if (!options || !Object.hasOwn(makers, options.cell)) return false;
  const counts = [options.batch, options.time, options.layers, options.hidden, record.step + 1, record.position + 1];
  const isPoint = (point: unknown) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
  return (
    counts.every((n) => Number.isSafeInteger(n) && n >= 1) &&
    options.split > 0 &&
    options.split < 1 &&
    [record.train, record.validation].every((points) => Array.isArray(points) && points.every(isPoint))
  );
}

// Only pages from https or localhost may hash; elsewhere a resumed run begins the text anew.
async function hashIds(ids: Int32Array<ArrayBuffer>): Promise<string> {
  if (!globalThis.crypto?.subtle) return '';
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', ids));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
