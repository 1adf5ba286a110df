import { Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../checks/shape.ts';
import { NdArray } from '../data/array.ts';
import { entriesOf, leavesOf, mapNested, type Nested, type NestedKey } from '../data/nested.ts';
import type { Transaction } from '../engine/transaction.ts';
import { yielder } from '../host/yielder.ts';
import { type Batches, BatchSource, type InputBatch, namedBatch } from './feeds/batches.ts';
import { columnsOf, resetsOf } from './feeds/checked-data.ts';
import { type Column, countOf, isColumn, type PredictHow, type Rows, range, uploadAll } from './feeds/samples.ts';
import { optionalParts } from './optional-parts.ts';
import type { Trainer } from './trainer.ts';

/** Predictions outside linear memory, nested as the model's outputs. */
export type Predictions<Y> = Y extends Tensor ? NdArray<Float32Array> : { [K in keyof Y]: NdArray<Float32Array> };

type Arrays = Nested<NdArray<Float32Array>>;

/** Computes the outputs for samples, batch by batch. */
export function predictSamples(trainer: Trainer, x: Nested<Column>, batchSize: number, how: PredictHow): Arrays {
  const gatherer = new PredictionGatherer();
  const count = leavesOf(x, isColumn)[0]!.count === 0 ? 0 : countOf([x, how.resets]);
  const order = range(count);
  for (let from = 0; from < count; from += batchSize) {
    const rows: Rows = { order, from, to: Math.min(from + batchSize, count), pad: 'longest' };
    gatherer.compute(trainer, x, rows, how);
  }
  return (count === 0 && optionalParts.emptyOutputs?.(trainer, x)) || gatherer.value();
}

/** Computes the outputs for batches as they arrive. Lets the host handle events between batches. */
export async function predictBatches(
  trainer: Trainer,
  batches: Batches<InputBatch>,
  { steps, training }: { steps?: number | undefined; training?: boolean | undefined },
  changes: Transaction,
): Promise<Arrays> {
  const source = new BatchSource('predict: batches', batches);
  const gatherer = new PredictionGatherer();
  const yieldToHost = yielder();
  try {
    for await (const batch of source.take(steps)) {
      const given = namedBatch('predict: batches', batch);
      const x = columnsOf('x', trainer.network.inputs, given.x);
      const resets = resetsOf(given);
      const count = countOf([x, resets]);
      const rows = { order: range(count), from: 0, to: count };
      changes.part(() => gatherer.compute(trainer, x, rows, { training, resets }));
      await yieldToHost();
    }
  } finally {
    await source.close();
  }
  return gatherer.value();
}

interface Gathered {
  /** Shape of the output for one sample. */
  shape: Shape;
  parts: Float32Array[];
  rows: number;
}

/** Gathers the outputs of batches, copied out of the step that made them. */
class PredictionGatherer {
  readonly #gathered = new Map<NestedKey, Gathered>();
  #form: Nested<NestedKey> | undefined;

  /** Computes and adds the outputs of some rows. */
  compute(trainer: Trainer, x: Nested<Column>, rows: Rows, { training, resets }: PredictHow): void {
    const { engine } = trainer;
    engine.step(() => this.add(trainer.call(uploadAll(engine, x, rows), training, resets?.upload(engine, rows))));
  }

  /** Throws `ArgumentError` if the output of a sample differs in shape from those of the batches before. */
  add(outputs: Nested<Tensor>): void {
    this.#form ??= mapNested<Tensor, NestedKey>(outputs, isTensor, (_, key) => key);
    for (const [key, output] of entriesOf<Tensor>(outputs, isTensor)) {
      const shape = output.shape.slice(1);
      const gathered = this.#gathered.get(key) ?? { shape, parts: [], rows: 0 };
      if (!sameShape(shape, gathered.shape)) {
        throw new ArgumentError(
          `predict: every batch expected outputs of ${formatShape(gathered.shape)} as the first, got ${formatShape(shape)}`,
        );
      }
      gathered.parts.push(output.toArray() as Float32Array);
      gathered.rows += output.shape[0]!;
      this.#gathered.set(key, gathered);
    }
  }

  /** All outputs as arrays `[N, …]`, nested like the outputs of a batch; `[0]` if no batch was added. */
  value(): Arrays {
    if (this.#gathered.size === 0) return new NdArray(new Float32Array(0), [0]);
    return mapNested(this.#form as Nested<NestedKey>, isKey, (key) => this.#join(this.#gathered.get(key)!));
  }

  #join({ shape, parts, rows }: Gathered): NdArray<Float32Array> {
    const data = new Float32Array(sizeOf([rows, ...shape]));
    let at = 0;
    for (const part of parts) {
      data.set(part, at);
      at += part.length;
    }
    return new NdArray(data, [rows, ...shape]);
  }
}

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;
const isKey = (x: unknown): x is NestedKey => typeof x !== 'object';
