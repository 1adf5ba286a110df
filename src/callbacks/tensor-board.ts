import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { fileVersionRecord, scalarsRecord } from '../io/event-file.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import type { Logs } from '../train/logs.ts';

/** Which numbers: of training, or of the validations in it. TensorBoard shows each as a curve of its own. */
export type TensorBoardRun = 'train' | 'validation';

/** Where the bytes of one event file go. */
export interface EventSink {
  /**
   * Gets whole records in their order, so that the file can be read as training goes on. The bytes are the sink's own;
   * training waits for it.
   */
  write(bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** Called once, when training has ended, however it did. */
  close?(): void | Promise<void>;
}

/** What `tensorBoard` writes, and when. */
export interface TensorBoardOptions {
  /**
   * Writes the logs of batches as well: of each, or of one in so many, counted by `optimizer.steps`. Default `epoch`:
   * of none.
   */
  updateFreq?: 'epoch' | 'batch' | number | undefined;
  /** The time in seconds since 1970, which each record is stamped with. Default: the host's clock. */
  now?: (() => number) | undefined;
}

/**
 * Writes what TensorBoard shows, under Keras's tags: `epoch_loss` and every other number of an epoch, the learning
 * rate, `evaluation_loss_vs_iterations` of validations, and on demand `batch_loss`.
 *
 * @param open makes the file of a run, called when there is something to write; `tensorBoardFolder` of `tapeloop/node`
 *   writes to a folder. In a folder of the run's name a file must be called `events.out.tfevents.…` to be found.
 * @returns a callback for `fit`; one for each run at a time.
 * @throws ArgumentError if `updateFreq` is neither a word nor a count.
 * @see keras.callbacks.TensorBoard
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
