// Callbacks that write to files and terminals. Each of them connects a callback of src/callbacks to a file or a stream.

import { type BackupOptions, backupAndRestore } from './callbacks/backup-and-restore.ts';
import { type CsvLoggerOptions, csvLogger } from './callbacks/csv-logger.ts';
import { type CheckpointMoment, type ModelCheckpointOptions, modelCheckpoint } from './callbacks/model-checkpoint.ts';
import { progressText } from './callbacks/progress-text.ts';
import { type TensorBoardOptions, tensorBoard } from './callbacks/tensor-board.ts';
import { ArgumentError, shown } from './checks/argument-error.ts';
import { checkOptions } from './checks/options.ts';
import type { Json } from './io/model-file.ts';
import {
  folderOf,
  GrowingFile,
  makeFolder,
  processName,
  readFileIfAny,
  removeFile,
  writeFileAtomic,
} from './io/node-files.ts';
import { StatusLine, type TextStream } from './io/status-line.ts';
import type { Callback } from './models/model.ts';
import type { ProgressTextOptions } from './train/progress-lines.ts';

/**
 * Saves the model to files during training, as `modelCheckpoint` does. Each file is replaced whole or not at all.
 *
 * @param path of the files; missing folders are made. It may contain `{epoch}` and `{batch}`, counted from 1, and names
 *   of the logs. Each may have a Python format: `model-{epoch:03d}-{val_loss:.2f}.safetensors`. Without these fields
 *   every checkpoint replaces the previous one.
 * @param options default: monitor 'val_loss', mode 'auto', saveBestOnly false, saveFreq 'epoch'.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError for an unknown option or one out of its range; with `saveBestOnly`, when training begins, if
 *   `monitor` begins with `val_` and there is no validation data; at a checkpoint, if the logs lack the monitored name
 *   or a name in the path, or if a format is unknown. FileError if a file cannot be written.
 * @see keras.callbacks.ModelCheckpoint
 * @example
 * const path = 'checkpoints/{epoch:02d}-{loss:.3f}.safetensors';
 * await model.fit(x, y, { epochs: 2, callbacks: [checkpointFile(path)] });
 */
export const checkpointFile = (path: string, options: ModelCheckpointOptions = {}): Callback =>
  modelCheckpoint((bytes, moment) => {
    const target = fillTemplate(path, moment);
    makeFolder(folderOf(target));
    writeFileAtomic(target, bytes);
  }, options);

function fillTemplate(path: string, { epoch, batch, logs }: CheckpointMoment): string {
  const values: Record<string, number | undefined> = { ...logs, epoch: epoch + 1 };
  if (batch !== undefined) values.batch = batch + 1;
  return path.replace(/\{(\w+)(?::([^}]*))?\}/g, (_, name: string, format = '') => {
    const value = values[name];
    if (value !== undefined) return formatNumber(value, format);
    throw new ArgumentError(`checkpointFile: path expected one of ${Object.keys(values).join(', ')}, got '{${name}}'`);
  });
}

/** Formats a number as Python does, by `[0][width][.precision][d, e, f or g]`. */
function formatNumber(value: number, format: string): string {
  const parsed = /^(0?)(\d*)(?:\.(\d+))?([defg]?)$/.exec(format);
  if (!parsed) throw new ArgumentError(`checkpointFile: path expected a format such as 03d or .2f, got '${format}'`);
  const [, zero, width, precision, kind] = parsed;
  const digits = precision === undefined ? 6 : Number(precision);
  let text = String(value);
  if (kind === 'f') text = value.toFixed(digits);
  // Python writes an exponent with at least two digits.
  else if (kind === 'e') text = value.toExponential(digits).replace(/(?<=e.)(?=\d$)/, '0');
  else if (kind === 'g' || precision !== undefined) text = String(Number(value.toPrecision(Math.max(digits, 1))));
  return text.padStart(Number(width), zero || ' ');
}

/**
 * Writes loss and metrics of each epoch to a CSV file, as `csvLogger` does. A row is written at the end of its epoch.
 *
 * @param path of the file.
 * @param options.append whether to add rows to an existing file, without a second header. Default false.
 * @param options.separator one character between values. Default `,`.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if the separator is not a single character or an option is unknown; during training, FileError
 *   if the file cannot be written.
 * @see keras.callbacks.CSVLogger
 * @example
 * await model.fit(x, y, { epochs: 2, callbacks: [csvFile('training.csv')] });
 */
export function csvFile(path: string, options: CsvLoggerOptions = {}): Callback {
  const { separator, append = false } = checkOptions('csvFile', options, { separator: 1, append: true });
  let file: GrowingFile | undefined;
  let rows: Callback;
  // The size in bytes to which the file is cut before the next row is written.
  let length: number | undefined;
  return {
    onTrainBegin(model, plan) {
      file = new GrowingFile(path, { append: true });
      length = append ? undefined : 0;
      const write = (line: string): void => {
        // The file is cut only now, because a restored run continues after the rows that it wrote earlier.
        if (length !== undefined) file!.cut(length);
        length = undefined;
        file!.write(line);
      };
      rows = csvLogger(write, { separator, append: append && file.hadContent });
      return rows.onTrainBegin!(model, plan);
    },
    onEpochEnd: (epoch, logs) => rows.onEpochEnd!(epoch, logs),
    state: () => ({ length: file!.size, rows: rows.state!() }),
    restore(state) {
      const kept = state as { length: number; rows: Json };
      length = kept.length;
      rows.restore!(kept.rows);
    },
    onTrainEnd() {
      file?.close();
      file = undefined;
    },
  };
}

let eventFiles = 0;

/**
 * Writes event files for TensorBoard into the subfolders `train` and `validation` of a folder, as `tensorBoard` does.
 *
 * @param folder for `tensorboard --logdir`; it is made if it does not exist.
 * @param options updateFreq and now, as for `tensorBoard`.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `updateFreq` is not 'epoch', 'batch' or an integer ≥ 1, `now` is not a function, or an
 *   option is unknown; during training, FileError if a file cannot be written.
 * @see keras.callbacks.TensorBoard
 * @example
 * await model.fit(x, y, { epochs: 2, callbacks: [tensorBoardFolder('logs')] });
 */
export const tensorBoardFolder = (folder: string, options: TensorBoardOptions = {}): Callback =>
  tensorBoard((run) => {
    const runFolder = `${folder}/${run}`;
    makeFolder(runFolder);
    const seconds = Math.floor(Date.now() / 1000);
    return new GrowingFile(`${runFolder}/events.out.tfevents.${seconds}.${processName()}.${eventFiles++}.v2`);
  }, options);

/**
 * Keeps a backup of a training run in a file, as `backupAndRestore` does. The file is removed when training has ended
 * as planned.
 *
 * @param path of the file, in a folder that exists.
 * @param options custom objects for loading the backup.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError for an unknown option. When training begins: FileError if the file cannot be read,
 *   ModelFileError if it is not a file of this model, ArgumentError if it was made with other callbacks or has no
 *   epoch, or if the model is not built. After an epoch: FileError if the file cannot be written or removed.
 * @see keras.callbacks.BackupAndRestore
 * @example
 * await model.fit(x, y, { epochs: 3, callbacks: [backupFile('backup.safetensors')] });
 */
export const backupFile = (path: string, options: BackupOptions = {}): Callback =>
  backupAndRestore(
    {
      read: () => readFileIfAny(path),
      write: (bytes) => writeFileAtomic(path, bytes),
      remove: () => removeFile(path),
    },
    options,
  );

/**
 * Shows training progress on a terminal: one line for each epoch, redrawn in place. If the output is not a terminal,
 * only the last line of each epoch is written.
 *
 * @param given.stream where to write. Default: standard output.
 * @param given.everyMs the shortest time between two redraws, in milliseconds.
 * @param given.now the current time in milliseconds. Default: the host's clock.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `stream` has no method `write`, everyMs is not a number ≥ 0, `now` is not a function, or an
 *   option is unknown.
 * @see keras.callbacks.ProgbarLogger
 * @example
 * await model.fit(x, y, { epochs: 2, callbacks: [progress({ stream: { write: () => true } })] });
 */
export function progress(given: ProgressTextOptions & { stream?: TextStream | undefined } = {}): Callback {
  const names = { stream: 1, everyMs: 1, now: 1 };
  const { stream = process.stdout, ...options } = checkOptions('progress', given, names);
  if (typeof stream?.write !== 'function')
    throw new ArgumentError(`progress: stream expected one with a method write, got ${shown(stream)}`);
  const status = new StatusLine(stream);
  return progressText((line, isLast) => (isLast ? status.keep(line) : status.draw(line)), options);
}
