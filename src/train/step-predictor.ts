import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { NdArray } from '../data/array.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import type { WeightFormat } from '../streaming/program.ts';
import { Stream } from '../streaming/stream.ts';
import { type Column, type PredictHow, range } from './feeds/samples.ts';
import type { Trainer } from './trainer.ts';

/** Steps in one call of the stream: enough to make the cost of a call negligible, few enough for small buffers. */
const CHUNK = 32;

/**
 * Implements `predict` with a stream, for weights in a format that the layers do not compute with. The stream, which
 * holds the converted weights, is kept for the next call with batches of the same size.
 */
export class StepPredictor {
  readonly #trainer: Trainer;
  readonly #weights: WeightFormat;
  #stream: Stream | undefined;

  constructor(trainer: Trainer, weights: WeightFormat) {
    this.#trainer = trainer;
    this.#weights = weights;
  }

  /**
   * Throws `ArgumentError` if sequences have no steps, if a layer masks a step, because a stream computes every step,
   * or for `training` or `resets`.
   */
  predict(x: Column, batchSize: number, { training, resets }: PredictHow): NdArray<Float32Array> {
    if (training || resets) {
      throw new ArgumentError(`predict: ${training ? 'training' : 'resetMask'} expected weights 'float32', got 'int8'`);
    }
    const xs = x.values as NdArray;
    const { network } = this.#trainer;
    network.build(xs.shape);
    const [count, ...rest] = network.outputShape(xs.shape) as number[];
    const outputs = new Float32Array(rest.reduce((size, n) => size * n, count!));
    for (let from = 0; from < count!; from += batchSize) {
      const to = Math.min(from + batchSize, count!);
      this.#expectNoPadding(x, from, to);
      this.#predictBatch(xs, from, to, outputs);
    }
    return new NdArray(outputs, [count!, ...rest]);
  }

  dispose(): void {
    this.#stream?.dispose();
    this.#stream = undefined;
  }

  #expectNoPadding(x: Column, from: number, to: number): void {
    const trainer = this.#trainer;
    const { engine, network } = trainer;
    const layers = network.stack;
    const last = layers.findLastIndex((layer) => layer.tree().some(({ makesMask }) => makesMask));
    if (last < 0) return;
    const isPadded = trainer.withFreshStates(() =>
      engine.step(() => {
        let value = x.upload(engine, { order: range(to), from, to });
        for (const layer of layers.slice(0, last + 1)) value = layer(value) as Tensor;
        return value.mask?.toArray().includes(0);
      }),
    );
    if (!isPadded) return;
    throw new ArgumentError(
      `predict: x expected no padding with int8 weights, got steps that '${layers[last]!.name}' masks`,
    );
  }

  #predictBatch(xs: NdArray, from: number, to: number, outputs: Float32Array): void {
    const trainer = this.#trainer;
    const width = trainer.network.inputDtype === 'i32' ? 1 : xs.shape.at(-1)!;
    const rows = to - from;
    // `begin` checks the number of samples. The copies that it makes are freed with the step.
    trainer.engine.step(() => {
      for (const layer of trainer.network.tree()) layer.carried?.begin(rows);
    });
    const stream = this.#streamFor(rows, width);
    const sample = xs.data.length / xs.shape[0]!;
    const time = sample / width;
    if (time === 0) throw new ArgumentError('predict: x expected one step or more with int8 weights, got none');
    const result = outputs.length / xs.shape[0]!;
    // If the model has one output for a sequence, this is the output of the last step.
    const first = time - result / stream.outputWidth;
    stream.reset();
    this.#carryIn(stream);
    const inputs = new Float32Array(Math.min(time, CHUNK) * rows * width);
    for (let t = 0; t < time; t += CHUNK) {
      const steps = Math.min(CHUNK, time - t);
      swapSteps(xs.data, from * sample + t * width, sample, inputs, width, rows, steps);
      const y = stream.steps(inputs.subarray(0, steps * rows * width), steps);
      for (let s = Math.max(0, first - t); s < steps; s++) {
        for (let row = 0; row < rows; row++) {
          const at = (s * rows + row) * stream.outputWidth;
          const to = (from + row) * result + (t + s - first) * stream.outputWidth;
          outputs.set(y.subarray(at, at + stream.outputWidth), to);
        }
      }
    }
    this.#carryOut(stream);
  }

  #streamFor(batch: number, width: number): Stream {
    if (this.#stream?.batch !== batch) {
      this.dispose();
      const { engine, network } = this.#trainer;
      this.#stream = new Stream(engine, [network], width, { batch, maxSteps: CHUNK, weights: this.#weights });
    }
    return this.#stream!;
  }

  /** The layers that have states in a stream, each with the index of its first state. */
  #withStates(): { layer: AnyLayer; at: number }[] {
    let next = 0;
    return this.#trainer.network.tree().flatMap((layer) => {
      const at = next;
      next += layer.streamedStates;
      return layer.streamedStates > 0 ? [{ layer, at }] : [];
    });
  }

  #carryIn(stream: Stream): void {
    const carrying = this.#withStates().filter(({ layer }) => layer.carried?.values);
    if (carrying.length === 0) return;
    const states = stream.state;
    for (const { layer, at } of carrying) layer.carried!.values!.forEach((state, i) => (states[at + i] = state));
    stream.setState(states);
  }

  #carryOut(stream: Stream): void {
    const carrying = this.#withStates().filter(({ layer }) => layer.carried);
    if (carrying.length === 0) return;
    const states = stream.state;
    for (const { layer, at } of carrying) {
      layer.carried!.set(states.slice(at, at + layer.streamedStates), stream.batch);
    }
  }
}

/**
 * Copies `steps` steps of `rows` samples to `[steps, rows, width]`. The first step begins at `at`; samples are `sample`
 * numbers apart.
 */
function swapSteps(
  data: ArrayLike<number>,
  at: number,
  sample: number,
  to: Float32Array,
  width: number,
  rows: number,
  steps: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let s = 0; s < steps; s++) {
      for (let i = 0; i < width; i++) to[(s * rows + row) * width + i] = data[at + row * sample + s * width + i]!;
    }
  }
}
