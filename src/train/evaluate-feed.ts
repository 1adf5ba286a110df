import type { Transaction } from '../engine/transaction.ts';
import { yielder } from '../engine/yielder.ts';
import type { Feed } from './feeds.ts';
import type { AnyModel, Logs } from './model.ts';
import type { ClassWeight } from './objective.ts';

/** Loss and metrics over one pass of a feed; lets the host breathe between batches. */
export async function evaluateFeed(
  model: AnyModel,
  feed: Feed,
  {
    classWeight,
    signal,
    changes,
  }: { classWeight?: ClassWeight | undefined; signal?: AbortSignal | undefined; changes: Transaction },
): Promise<Logs> {
  const logs = model.runningLogs();
  const breathe = yielder();
  try {
    for await (const { samples, rows, resetStates } of feed.batches()) {
      changes.part(() => {
        if (resetStates) model.network.resetStates();
        model.evaluateRows(samples, rows, logs, classWeight);
      });
      await breathe();
      signal?.throwIfAborted();
    }
  } finally {
    await feed.close?.();
  }
  return logs.value();
}
