import { ArgumentError } from '../../autograd/tensor.ts';
import type { Json } from '../../layers/layer.ts';
import type { Callback } from '../fit.ts';
import type { AnyModel } from '../model.ts';
import { encodeModel, restoreModel } from '../saved-model.ts';

/** Where a backup is kept. */
export interface BackupStore {
  /** The bytes that were kept last; undefined where there are none. */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Keeps bytes in the place of those before, whole or not at all; they are the store's own. Training waits for it. */
  write(bytes: Uint8Array<ArrayBuffer>): unknown;
  /** Called when training has come to its end. */
  remove?(): unknown;
}

/**
 * Keeps the model after every epoch, and goes on from there bit for bit when the same `fit` is run again after it was cut off.
 *
 * @param store `browserStore` in a page or its worker; `backupFile` of `tapeloop/node` has a path instead. What it throws ends `fit`.
 * @throws ModelFileError when training begins, if what is kept is no such model; ArgumentError if the model is not built then.
 * @see keras.callbacks.BackupAndRestore
 */
export function backupAndRestore(store: BackupStore): Callback {
  let model: AnyModel;
  let last = 0;
  let isDone = false;
  return {
    async onTrainBegin(trained, plan) {
      model = trained;
      isDone = false;
      last = plan.epochs - 1;
      const bytes = await store.read();
      if (!bytes) return;
      plan.initialEpoch = epochOf(restoreModel(model, bytes).extra) + 1;
      isDone = plan.initialEpoch > last;
    },
    async onEpochEnd(epoch) {
      await store.write(encodeModel(model, { extra: { epoch } }));
      isDone = epoch === last || model.stopTraining;
    },
    async onTrainEnd() {
      if (isDone) await store.remove?.();
    },
  };
}

function epochOf(extra: Json | undefined): number {
  const epoch = (extra as { epoch?: unknown } | undefined)?.epoch;
  if (Number.isInteger(epoch) && (epoch as number) >= 0) return epoch as number;
  throw new ArgumentError(
    `backupAndRestore: expected a backup with the number of its epoch, got ${JSON.stringify(extra)}`,
  );
}
