import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { classOf } from '../host/class-of.ts';
import { extrasOf, type Json, openModelFile } from '../io/model-file.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { encodeModel, type LoadOptions, restoreModel } from '../saving/saved-model.ts';
import type { History, TrainingPlan } from '../train/callback.ts';

/** Where a backup is kept. */
export interface BackupStore {
  /** The bytes that were written last; undefined if there are none. */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /**
   * Replaces the bytes that were written before, whole or not at all. The store owns `bytes`. Training waits for the
   * returned promise.
   */
  write(bytes: Uint8Array<ArrayBuffer>): unknown;
  /** Called when training has ended as planned. */
  remove?(): unknown;
}

/** Options of `backupAndRestore`. Objects that `compile` was given by name need no custom objects. */
export type BackupOptions = Pick<LoadOptions, 'customObjects'>;

/** The contents of a backup beside the model. */
interface Kept {
  epoch: number;
  history: Omit<History, 'profile'>;
  /** One state for each callback that has a state. */
  states: (Json | null)[];
}

/**
 * Saves the model, the history and the state of all callbacks after every epoch. When the same `fit` runs again after
 * an interruption, training continues from the last backup bit for bit.
 *
 * The backup holds the weights that training uses, also while `swapEmaWeights` has replaced them by their averages.
 *
 * @param store `browserStore` in a page or its worker; `backupFile` of `tapeloop/node` takes a path instead. An error
 *   that the store throws ends `fit`.
 * @param options custom objects for loading the backup.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `store` lacks `read` or `write`, or an option is unknown. When training begins:
 *   ModelFileError if the backup is not a file of this model; ArgumentError if it was made with other callbacks or has
 *   no epoch, or if the model is not built. The model is then unchanged.
 * @see keras.callbacks.BackupAndRestore
 * @example
 * let backup;
 * const store = { read: () => backup, write: (bytes) => { backup = bytes; }, remove: () => { backup = undefined; } };
 * await model.fit(x, y, { epochs: 3, callbacks: [backupAndRestore(store)] });
 */
export function backupAndRestore(store: BackupStore, options: BackupOptions = {}): Callback {
  const { customObjects } = checkOptions('backupAndRestore', options, { customObjects: 1 });
  for (const name of ['read', 'write', 'remove'] as const) {
    if (name !== 'remove' || store?.remove !== undefined)
      expectType(`backupAndRestore: store.${name}`, store?.[name], 'a function');
  }
  let model: AnyModel;
  let plan: TrainingPlan;
  let isDone = false;
  return {
    async onTrainBegin(trained, given) {
      model = trained;
      plan = given;
      isDone = false;
      const bytes = await store.read();
      if (!bytes) return;
      if (classOf(bytes) !== 'Uint8Array')
        throw new ArgumentError(`backupAndRestore: store.read expected to give a Uint8Array, got ${shown(bytes)}`);
      const file = openModelFile('backupAndRestore', bytes, undefined);
      const { epoch, history, states } = keptOf(file.asFileErrors(() => extrasOf(file)).extra, plan);
      restoreModel(model, bytes, { customObjects });
      plan.initialEpoch = epoch + 1;
      if (history) Object.assign(plan.history, history);
      const stateful = statefulOf(plan);
      if (states) plan.states = plan.callbacks.map((each) => states[stateful.indexOf(each)] ?? undefined);
      isDone = plan.initialEpoch >= plan.epochs;
    },
    async onEpochDone(epoch) {
      const { profile: _, ...history } = plan.history;
      const states = statefulOf(plan).map((each) => each.state!() ?? null);
      const encode = () => encodeModel(model, { extra: { epoch, history, states } as unknown as Json });
      // `withEma` exchanges averages and weights, so it puts the trained weights back while the bytes are made.
      await store.write(model.isCompiled && model.optimizer.isSwapped ? model.withEma(encode) : encode());
      isDone = epoch === plan.epochs - 1 || model.stopTraining;
    },
    async onTrainEnd() {
      if (isDone) await store.remove?.();
    },
  };
}

const statefulOf = ({ callbacks }: TrainingPlan): Callback[] => callbacks.filter(({ state }) => state !== undefined);

/**
 * Throws `ArgumentError` if there is no epoch, or if the number of states is not the number of callbacks. Backups of
 * version 0.1.0 have only an epoch.
 */
function keptOf(extra: Json | undefined, plan: TrainingPlan): Pick<Kept, 'epoch'> & Partial<Kept> {
  const kept = extra as Partial<Kept> | null | undefined;
  const { epoch, states } = kept ?? {};
  if (!Number.isInteger(epoch) || epoch! < 0) {
    throw new ArgumentError(
      `backupAndRestore: expected a backup with the number of its epoch, got ${JSON.stringify(extra)}`,
    );
  }
  const { length } = statefulOf(plan);
  if (states && states.length !== length) {
    throw new ArgumentError(
      `backupAndRestore: expected the ${states.length} callbacks with state of the run that was cut off, got ${length}`,
    );
  }
  return kept as Kept;
}
