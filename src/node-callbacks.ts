// Callbacks that write to files and terminals: each is one of src/train/callbacks with a path for a sink.

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
 * `modelCheckpoint` into files. Each is replaced whole or not at all; its folder is made where there is none.
 *
 * @param path may hold `{epoch}` and `{batch}`, counted from 1, and any number of the logs, each with a format as
 *   Python's: `model-{epoch:03d}-{val_loss:.2f}.safetensors`. Without any of them the file is replaced by the next.
 * @throws ArgumentError, at the first checkpoint, if the logs have no number of a name; FileError if a file cannot be
 *   written.
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

/** A number by a format of Python's: `[0][width][.precision][d, e, f or g]`. */
function formatNumber(value: number, format: string): string {
  const parsed = /^(0?)(\d*)(?:\.(\d+))?([defg]?)$/.exec(format);
  if (!parsed) throw new ArgumentError(`checkpointFile: path expected a format such as 03d or .2f, got '${format}'`);
  const [, zero, width, precision, kind] = parsed;
  const digits = precision === undefined ? 6 : Number(precision);
  let text = String(value);
  if (kind === 'f') text = value.toFixed(digits);
  // An exponent has two digits or more.
  else if (kind === 'e') text = value.toExponential(digits).replace(/(?<=e.)(?=\d$)/, '0');
  else if (kind === 'g' || precision !== undefined) text = String(Number(value.toPrecision(Math.max(digits, 1))));
  return text.padStart(Number(width), zero || ' ');
}

/**
 * `csvLogger` into a file, each row of it written when its epoch is over.
 *
 * @param options.append goes on after what stands in the file, without a second header.
 * @throws FileError if the file cannot be written.
 */
export function csvFile(path: string, options: CsvLoggerOptions = {}): Callback {
  const { separator, append = false } = checkOptions('csvFile', options, { separator: 1, append: true });
  let file: GrowingFile | undefined;
  let rows: Callback;
  // What the file is cut to before the next row.
  let length: number | undefined;
  return {
    onTrainBegin(model, plan) {
      file = new GrowingFile(path, { append: true });
      length = append ? undefined : 0;
      const write = (line: string): void => {
        // Not before, for a run that is restored goes on behind the rows that it wrote.
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
 * `tensorBoard` into the folders `train` and `validation` of one that `tensorboard --logdir` is given.
 *
 * @param folder made where there is none.
 * @throws FileError if a file cannot be written.
 */
export const tensorBoardFolder = (folder: string, options: TensorBoardOptions = {}): Callback =>
  tensorBoard((run) => {
    const runFolder = `${folder}/${run}`;
    makeFolder(runFolder);
    const seconds = Math.floor(Date.now() / 1000);
    return new GrowingFile(`${runFolder}/events.out.tfevents.${seconds}.${processName()}.${eventFiles++}.v2`);
  }, options);

/**
 * `backupAndRestore` with a file, which is removed when training has come to its end.
 *
 * @throws FileError if the file cannot be read, written or removed.
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
 * Shows training on a terminal: one line an epoch, drawn in place as it goes on. Where output goes to a file there is
 * only the epoch's last.
 *
 * @param given.stream default: standard output.
 */
export function progress(given: ProgressTextOptions & { stream?: TextStream | undefined } = {}): Callback {
  const names = { stream: 1, everyMs: 1, now: 1 };
  const { stream = process.stdout, ...options } = checkOptions('progress', given, names);
  if (typeof stream?.write !== 'function')
    throw new ArgumentError(`progress: stream expected one with a method write, got ${shown(stream)}`);
  const status = new StatusLine(stream);
  return progressText((line, isLast) => (isLast ? status.keep(line) : status.draw(line)), options);
}
