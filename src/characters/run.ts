// The record of a training run in its model file, beside the weights. With it a run can be resumed, and a run that
// began in a page can continue on the command line, or the reverse.
import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { ModelFileError } from '../io/safetensors.ts';
import type { Model } from '../models/model.ts';
import { decodeModel, encodeModel, type LoadedModel } from '../saving/saved-model.ts';
import { type RunOptions, ranges } from './run-options.ts';

/** A step, counted from 1, and its loss in nats per character. */
export type LossPoint = [step: number, loss: number];

/** The record of a run. */
export interface Run {
  options: RunOptions;
  /** Number of updates made. */
  step: number;
  /** Index of the next window of the text. */
  position: number;
  /** SHA-256 of the text's ids, as `hashIds` returns it. It shows whether a resumed run reads the same text. */
  text: string;
  train: LossPoint[];
  validation: LossPoint[];
}

/** A character model with its vocabulary and the record of its run. */
export interface CharRun {
  model: Model;
  vocabulary: readonly string[];
  run: Run;
}

// Maximum number of points of a curve in a model file. It is far more than a page has pixels, and it limits the file
// size of a long run.
const MAX_POINTS = 16384;

/**
 * Adds a point to a curve. Beyond `MAX_POINTS` points it removes every second one. Later points are skipped unless they
 * have the new distance from the last one.
 *
 * @throws ArgumentError if `points` or `point` does not consist of a step and a loss.
 */
export function addPoint(points: LossPoint[], point: LossPoint): void {
  expectList('addPoint: points', points);
  for (const each of points.length > 0 ? [point, points[0], points.at(-1)] : [point]) {
    if (!isPoint(each)) throw new ArgumentError(`addPoint: expected points [step, loss], got ${shown(each)}`);
  }
  const spacing = points.length > MAX_POINTS / 2 ? points[1]![0] - points[0]![0] : 0;
  if (points.length > 0 && point[0] - points.at(-1)![0] < spacing) return;
  points.push(point);
  if (points.length > MAX_POINTS) points.splice(0, points.length, ...points.filter((_, i) => i % 2 === 0));
}

/**
 * SHA-256 of a text's ids, in hexadecimal digits. It is empty in a page that comes neither from https nor from
 * localhost, because browsers do not allow hashing there. Throws the host's TypeError if `ids` is not a typed array.
 */
export async function hashIds(ids: Int32Array): Promise<string> {
  if (!globalThis.crypto?.subtle) return '';
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', ids as Int32Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A model file with the record of its run. Throws `ArgumentError` if the model is not built or holds a number that is
 * not finite.
 */
export function encodeRun({ model, vocabulary, run }: CharRun): Uint8Array<ArrayBuffer> {
  return encodeModel(model, { vocabulary, extra: { ...run, options: { ...run.options } } });
}

/**
 * Reads a file that `encodeRun` or `tapeloop train` wrote.
 *
 * @param file name of the file, for errors.
 * @throws ModelFileError if the bytes are not a model file of tapeloop, the file has a newer version, it lacks a
 *   tensor, a tensor has a number that is not finite, or the file has no character model or no valid record of its run.
 */
export const decodeRun = (bytes: Uint8Array, file: string): CharRun => runOf(decodeModel(bytes, { file }), file);

/** The run that a loaded file has. Throws `ModelFileError` if it has none, and disposes of the model. @internal */
export function runOf({ model, vocabulary, extra }: LoadedModel, file: string): CharRun {
  const fail = (message: string): never => {
    model.dispose();
    throw new ModelFileError(message, { file });
  };
  const ends = [model.layers[0]?.config().inputDim, model.layers.at(-1)?.outputShape([null, null]).at(-1)];
  if (!vocabulary || !model.isCompiled || model.optimizer.name !== 'adam') {
    return fail('expected a character model with its vocabulary, as tapeloop train writes');
  }
  if (ends.some((size) => size !== vocabulary.length)) {
    fail(`a vocabulary of ${vocabulary.length} expected as many ids in and logits out, got ${ends.join(' and ')}`);
  }
  const seen = new Set<string>();
  vocabulary.forEach((character, id) => {
    if ([...character].length !== 1 || seen.has(character)) {
      fail(`vocabulary[${id}] expected one character, not used before, got ${JSON.stringify(character.slice(0, 20))}`);
    }
    seen.add(character);
  });
  const run = checkedRun(extra, fail);
  for (const { carried } of model.trainer.statefulLayers) {
    const { batch } = carried;
    if (batch !== undefined && batch !== run.options.batch) {
      fail(`carried states expected for a batch of ${run.options.batch}, as its run has it, got ${batch}`);
    }
  }
  return { model, vocabulary, run };
}

/** Checks the record of a run and returns it. */
function checkedRun(extra: unknown, fail: (message: string) => never): Run {
  const run = extra as Run | undefined;
  if (typeof run?.options !== 'object' || run.options === null) return fail('expected the record of its training run');
  const { options } = run;
  for (const [key, { expected, holds }] of Object.entries(ranges)) {
    const value: unknown = options[key as keyof RunOptions];
    const isLeftOut = value === undefined && (key === 'steps' || key === 'epochs');
    if (!isLeftOut && !holds(value)) {
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
