import { ArgumentError, type DType, type Tensor } from '../autograd/tensor.ts';
import { inOrder } from '../ops/layout.ts';
import type { Loss } from './losses.ts';

/** A number to watch beside the loss: a mean over rows. */
export interface Metric {
  readonly name: string;
  /** Sum over the rows of a batch, and how many rows there were. */
  measure(yTrue: Tensor, yPred: Tensor): { sum: number; rows: number };
}

export type MetricName = 'accuracy' | 'meanSquaredError' | 'meanAbsoluteError';

/** The metric of a name; `accuracy` is the one that fits the loss. Throws `ArgumentError` for an unknown name. */
export function metricOf(name: MetricName | Metric, loss: Loss): Metric {
  if (typeof name === 'object') return name;
  if (name === 'accuracy') return accuracy(loss.targetDtype, loss.name === 'binaryCrossentropy', loss.config());
  if (name === 'meanSquaredError') return elementMean(name, (d) => d * d);
  if (name === 'meanAbsoluteError') return elementMean(name, Math.abs);
  throw new ArgumentError(`metric expected 'accuracy', 'meanSquaredError' or 'meanAbsoluteError', got '${name}'`);
}

function elementMean(name: string, each: (difference: number) => number): Metric {
  return {
    name,
    measure(yTrue, yPred) {
      const truth = yTrue.toArray();
      const prediction = yPred.toArray();
      let sum = 0;
      for (let i = 0; i < truth.length; i++) sum += each(prediction[i]! - truth[i]!);
      return { sum, rows: truth.length };
    },
  };
}

function accuracy(targets: DType, binary: boolean, { fromLogits = false }: { fromLogits?: boolean }): Metric {
  return {
    name: 'accuracy',
    measure(yTrue, yPred) {
      if (binary) {
        const threshold = fromLogits ? 0 : 0.5;
        const truth = yTrue.toArray();
        const prediction = yPred.toArray();
        return { sum: truth.filter((y, i) => prediction[i]! > threshold === y > 0.5).length, rows: truth.length };
      }
      const prediction = argmax(yPred);
      const truth = targets === 'i32' ? yTrue.toArray() : argmax(yTrue);
      return { sum: prediction.filter((y, i) => y === truth[i]).length, rows: prediction.length };
    },
  };
}

/** Index of the largest element of each row, rows in the order of `shape`. */
function argmax(x: Tensor): Int32Array {
  const { engine } = x;
  const ordered = inOrder(x, false);
  const columns = x.shape.at(-1)!;
  const rows = x.size / columns;
  return engine.scratch(() => {
    const at = engine.allocateScratch(rows);
    engine.kernels.argmax(rows, columns, ordered.ptr, at);
    return engine.i32(at, rows).slice();
  });
}
