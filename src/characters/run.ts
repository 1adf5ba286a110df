// What a training run of a character model leaves in its file, beside the weights, so that it goes on where it stopped:
// on the command line what began in a page, and the other way round.
import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { ModelFileError } from '../io/safetensors.ts';
import type { Model } from '../models/model.ts';
import { decodeModel, encodeModel } from '../saving/saved-model.ts';
import { type RunOptions, ranges } from './run-options.ts';

/** A step, counted from 1, and its loss in nat a character. */
export type LossPoint = [step: number, loss: number];

/** The record of a run. */
export interface Run {
  options: RunOptions;
  /** Updates made. */
  step: number;
  /** Window of the text that comes next. */
  position: number;
  /** SHA-256 of the text's ids, as `hashIds` gives it, to tell whether a resumed run reads the same text. */
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

// Points of a curve that a model file keeps at most: many more than a page has pixels, for a long run's file must not
// grow without end.
const MAX_POINTS = 16384;

/**
 * Adds a point to a curve. One that has grown too long keeps every second point, and from then on takes them as far
 * apart.
 *
 * @throws ArgumentError if `points` or `point` are no numbers of a step and a loss.
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
 * SHA-256 of a text's ids, in hexadecimal digits; empty in a page that is neither from https nor from localhost, which
 * may not hash. Throws the host's TypeError for what is no typed array.
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
 * Reads what `encodeRun` wrote, or `tapeloop train`.
 *
 * @param file its name, for errors.
 * @throws ModelFileError if the bytes are no model file of tapeloop, or one of a newer version, lack a tensor or hold
 *   one that is not finite, or hold no character model or no usable record of its run.
 */
export function decodeRun(bytes: Uint8Array, file: string): CharRun {
  const { model, vocabulary, extra } = decodeModel(bytes, { file });
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

/** The record of a run, held to the ranges of its options. */
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
