import type { Engine } from '../../engine/engine.ts';
import { transaction } from '../../engine/transaction.ts';

/** Runs `body` in a step and returns its result, after every change that it made to layers is undone. */
export function undone<T>(engine: Engine, body: () => T): T {
  const undo = new Error('undo');
  let result: T;
  try {
    transaction(() => {
      result = engine.step(body);
      throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  return result!;
}
