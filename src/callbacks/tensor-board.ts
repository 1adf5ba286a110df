import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { fileVersionRecord, scalarsRecord } from '../io/event-file.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import type { Logs } from '../train/logs.ts';

/** The run of an event file: training, or the validations during training. TensorBoard draws one curve for each run. */
export type TensorBoardRun = 'train' | 'validation';

/** The destination of the bytes of one event file. */
export interface EventSink {
  /**
   * Gets whole records in order, so that the file is readable during training. The sink owns the bytes. Training waits
   * for the returned promise.
   */
  write(bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** Called once when training has ended, also after an error. */
  close?(): void | Promise<void>;
}

/** Options of `tensorBoard`. */
export interface TensorBoardOptions {
  /**
   * Whether to write the logs of batches as well: `batch` writes those of each batch, a number n those of every n-th,
   * counted by `optimizer.steps`. Default `epoch`: no logs of batches.
   */
  updateFreq?: 'epoch' | 'batch' | number | undefined;
  /** The time stamp of each record, in seconds since 1970. Default: the host's clock. */
  now?: (() => number) | undefined;
}

/**
 * Writes event files for TensorBoard, with the tags of Keras: `epoch_loss` and every other number of an epoch,
 * `epoch_learning_rate`, `evaluation_loss_vs_iterations` for validations, and `batch_loss` on demand.
 *
 * @param open makes the sink of a run, when the first record of that run is written. `tensorBoardFolder` of
 *   `tapeloop/node` writes to a folder. TensorBoard finds files named `events.out.tfevents.…`.
 * @param options updateFreq and now.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `open` or `now` is not a function, `updateFreq` is not 'epoch', 'batch' or an integer ≥ 1,
 *   or an option is unknown.
 * @see keras.callbacks.TensorBoard
 * @example
 * const chunks = { train: [], validation: [] };
 * const open = (run) => ({ write: (bytes) => { chunks[run].push(bytes); } });
 * await model.fit(x, y, { epochs: 2, callbacks: [tensorBoard(open)] });
 */
export function tensorBoard(open: (run: TensorBoardRun) => EventSink, options: TensorBoardOptions = {}): Callback {
  checkOptions('tensorBoard', options, { updateFreq: 1, now: 1 });
  const { updateFreq = 'epoch', now = () => Date.now() / 1000 } = options;
  expectType('tensorBoard: open', open, 'a function');
  expectType('tensorBoard: now', now, 'a function');
  const every = updateFreq === 'epoch' ? Number.POSITIVE_INFINITY : updateFreq === 'batch' ? 1 : updateFreq;
  if (!(every === Number.POSITIVE_INFINITY || Number.isInteger(every)) || every < 1) {
    throw new ArgumentError(
      `tensorBoard: updateFreq expected 'epoch', 'batch' or an integer ≥ 1, got ${shown(updateFreq)}`,
    );
  }
  const sinks = new Map<TensorBoardRun, EventSink>();
  let model: AnyModel;

  async function write(run: TensorBoardRun, step: number, logs: Logs, tag: (name: string) => string): Promise<void> {
    const scalars = Object.fromEntries(Object.entries(logs).map(([name, value]) => [tag(name), value]));
    if (Object.keys(scalars).length === 0) return;
    let sink = sinks.get(run);
    if (!sink) {
      sink = open(run);
      expectType('tensorBoard: write of what open gives', sink?.write, 'a function');
      sinks.set(run, sink);
      await sink.write(fileVersionRecord(now()));
    }
    await sink.write(scalarsRecord(now(), step, scalars));
  }

  return {
    onTrainBegin(trained) {
      model = trained;
    },
    async onBatchEnd(_, logs) {
      const { steps } = model.optimizer;
      if (steps % every === 0) await write('train', steps - 1, logs, (name) => `batch_${name}`);
    },
    onTestEnd: (logs) => write('validation', model.optimizer.steps, logs, (name) => `evaluation_${name}_vs_iterations`),
    async onEpochEnd(epoch, logs) {
      const isValidation = (name: string): boolean => name.startsWith('val_');
      const { learningRate = model.optimizer.learningRate, ...rest } = logs;
      const train = Object.entries(rest).filter(([name]) => !isValidation(name));
      const validation = Object.entries(rest).filter(([name]) => isValidation(name));
      const all = { ...Object.fromEntries(train), learning_rate: learningRate };
      await write('train', epoch, all, (name) => `epoch_${name}`);
      await write('validation', epoch, Object.fromEntries(validation), (name) => `epoch_${name.slice('val_'.length)}`);
    },
    async onTrainEnd() {
      const open = [...sinks.values()];
      sinks.clear();
      for (const sink of open) await sink.close?.();
    },
  };
}
