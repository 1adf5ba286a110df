import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { classOf } from '../host/class-of.ts';
import { extrasOf, type Json, openModelFile } from '../io/model-file.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { encodeModel, type LoadOptions, restoreModel } from '../saving/saved-model.ts';
import type { History, TrainingPlan } from '../train/callback.ts';

/** Where a backup is kept. */
export interface BackupStore {
  /** The bytes that were kept last; undefined where there are none. */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Keeps bytes in the place of those before, whole or not at all; they are the store's own. Training waits for it. */
  write(bytes: Uint8Array<ArrayBuffer>): unknown;
  /** Called when training has come to its end. */
  remove?(): unknown;
}

/** What a backup may need. Names of what `compile` was told need nothing. */
export type BackupOptions = Pick<LoadOptions, 'customObjects'>;

/** What a backup has beside the model. */
interface Kept {
  epoch: number;
  history: Omit<History, 'profile'>;
  /** Of the callbacks that have any. */
  states: (Json | null)[];
}

/**
 * Keeps the model, the history and the state of all callbacks after every epoch, and goes on from there bit for bit
 * when the same `fit` is run again after it was cut off.
 *
 * Weights are kept as training has them, also where `swapEmaWeights` has put averages in their place.
 *
 * @param store `browserStore` in a page or its worker; `backupFile` of `tapeloop/node` has a path instead. What it
 *   throws ends `fit`.
 * @throws ModelFileError when training begins, if what is kept is no such model; ArgumentError if it is of other
 *   callbacks or has no epoch, or the model is not built then. The model is then as it was.
 * @see keras.callbacks.BackupAndRestore
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
      const { epoch, history, states } = keptOf(file.understand(() => extrasOf(file)).extra, plan);
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
      // The averages are exchanged with the weights for as long.
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
 * Throws `ArgumentError` where there is no epoch, or not as many states as callbacks. Backups of 0.1.0 have an epoch
 * alone.
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
