// A run of the page: a character model like that of the command line, trained on a text one step at a time.
import { buildVocabulary, TextError, type TextStreams, textStreams } from 'tapeloop';
import {
  addPoint,
  buildCharModel,
  type CharRun,
  encodeNamed,
  encodeRun,
  hashIds,
  type LossPoint,
  type RunOptions,
  runDefaults,
  trainOnWindow,
  validate,
} from 'tapeloop/characters';

/** A text, prepared for a run. */
export interface AttachedText {
  streams: TextStreams;
  validationIds: Int32Array;
}

// Updates that `tapeloop train --resume` adds by default.
const FURTHER_STEPS = 3000;
// A validation must be short enough not to be noticed.
const VALIDATION_WINDOWS = 8;

export function newRun(text: string, shape: Pick<RunOptions, 'cell' | 'layers' | 'hidden'>): CharRun {
  const vocabulary = buildVocabulary(text);
  if (vocabulary.length < 2) throw new TextError('The text expected two distinct characters or more, got one alone');
  const options = { ...runDefaults, ...shape };
  const model = buildCharModel(options, vocabulary.length);
  return { model, vocabulary, run: { options, step: 0, position: 0, text: '', train: [], validation: [] } };
}

/**
 * Cuts a text for a run. If it is the text of the run, the run continues where it stopped. Another text starts at its
 * beginning, with zero states.
 *
 * @throws TextError if the text is too short, or has a character that the model does not know.
 */
export async function attachText(
  { model, vocabulary, run }: CharRun,
  text: string,
): Promise<AttachedText & { continues: boolean; length: number }> {
  const { batch, time, split } = run.options;
  const ids = encodeNamed(text, vocabulary, 'This text does not fit the model, start a new one for it');
  const cut = Math.floor(ids.length * split);
  if (cut < batch * time + 1) {
    const needed = Math.ceil((batch * time + 1) / split);
    throw new TextError(`The text expected ${needed} characters or more to train on, got ${ids.length}`);
  }
  const streams = textStreams(ids.subarray(0, cut), { batch, time });
  const hash = await hashIds(ids);
  const continues = hash !== '' && hash === run.text && run.position < streams.windows;
  if (continues) streams.position = run.position;
  else model.resetStates();
  run.text = hash;
  return { streams, validationIds: ids.subarray(cut), continues, length: ids.length };
}

/** Makes one update on the next window and records its loss. Throws `NonFiniteLossError` if training diverges. */
export function trainStep({ model, run }: CharRun, streams: TextStreams): LossPoint {
  const loss = trainOnWindow(model, streams);
  const point: LossPoint = [++run.step, loss];
  run.position = streams.position;
  addPoint(run.train, point);
  return point;
}

/** Mean loss over the first windows of the validation text, or undefined if that is too short. */
export async function measure({ model, run }: CharRun, ids: Int32Array): Promise<LossPoint | undefined> {
  const loss = await validate(model, ids, run.options, { windows: VALIDATION_WINDOWS });
  if (loss === undefined) return undefined;
  const point: LossPoint = [run.step, loss];
  addPoint(run.validation, point);
  return point;
}

/** The run as a file, from which the command line can also continue. The file must say how many steps to make. */
export function fileOf({ model, vocabulary, run }: CharRun): Uint8Array<ArrayBuffer> {
  const options = { ...run.options, steps: run.step + FURTHER_STEPS, epochs: undefined };
  return encodeRun({ model, vocabulary, run: { ...run, options } });
}
