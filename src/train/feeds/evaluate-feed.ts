import type { Transaction } from '../../engine/transaction.ts';
import { yielder } from '../../host/yielder.ts';
import type { Logs } from '../logs.ts';
import type { ClassWeight } from '../objective.ts';
import type { Trainer } from '../trainer.ts';
import type { Feed } from './feeds.ts';

/** Computes loss and metrics over one pass of a feed. Lets the host handle events between batches. */
export async function evaluateFeed(
  trainer: Trainer,
  feed: Feed,
  {
    classWeight,
    signal,
    changes,
  }: { classWeight?: ClassWeight | undefined; signal?: AbortSignal | undefined; changes: Transaction },
): Promise<Logs> {
  const logs = trainer.runningLogs();
  const yieldToHost = yielder();
  try {
    for await (const { samples, rows, resetStates } of feed.batches()) {
      changes.part(() => {
        if (resetStates) trainer.network.resetStates();
        trainer.evaluateStep(samples, rows, logs, classWeight);
      });
      await yieldToHost();
      signal?.throwIfAborted();
    }
  } finally {
    await feed.close?.();
  }
  return logs.value();
}
