import type { Parameter } from '../autograd/parameter.ts';
import { isRecording, valueAndGrad } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { NonFiniteLossError } from '../checks/divergence.ts';
import type { Nested } from '../data/nested.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import { transaction } from '../engine/transaction.ts';
import type { CarriedStates } from '../layers/base/carried-states.ts';
import { type AnyLayer, type Layer, withTraining } from '../layers/base/layer.ts';
import { add } from '../ops/elementwise/elementwise.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { optionalResets } from './feeds/optional-resets.ts';
import { type Rows, type Samples, uploadAll } from './feeds/samples.ts';
import type { Logs } from './logs.ts';
import type { ClassWeight, MetricTracker, Objective } from './objective.ts';
import { RunningLogs } from './running-logs.ts';
import { Runs } from './runs.ts';

/** The optimizer, losses and metrics that a network is trained with. */
export interface Compiled {
  optimizer: Optimizer;
  /** Whether `compile` made the optimizer, from a name. */
  isOwn: boolean;
  objective: Objective;
}

/** A layer that carries states from one batch to the next. */
export type StatefulLayer = AnyLayer & { readonly carried: CarriedStates };

interface LossContext {
  training?: boolean;
  classWeight?: ClassWeight | undefined;
  /** Updated with the outputs. */
  tracker?: MetricTracker | undefined;
}

/**
 * Trains and measures a network: one training step, one evaluation step, and the loss with its penalties. It contains
 * no loop and reads no data of callers.
 */
export class Trainer {
  // biome-ignore lint/suspicious/noExplicitAny: inputs and outputs are as the network declares them.
  readonly network: Layer<any, any>;
  /** Random numbers for shuffling. */
  readonly random: RandomStream;
  readonly runs: Runs;
  /** Ends training after the batch in progress. */
  stopTraining = false;
  #compiled: Compiled | undefined;

  constructor(network: Trainer['network'], random: RandomStream) {
    this.network = network;
    this.random = random;
    this.runs = new Runs(network);
  }

  get weights(): readonly Parameter[] {
    return this.network.weights;
  }

  /** The engine whose memory holds the weights. */
  get engine(): Engine {
    return this.weights[0]?.tensor.engine ?? currentEngine();
  }

  get isCompiled(): boolean {
    return this.#compiled !== undefined;
  }

  /** Throws `ArgumentError` before `compile`. */
  get compiled(): Compiled {
    if (this.#compiled) return this.#compiled;
    throw new ArgumentError(`${this.network.name}: call compile() before training or evaluating`);
  }

  set compiled(value: Compiled | undefined) {
    this.#compiled = value;
  }

  get optimizer(): Optimizer {
    return this.compiled.optimizer;
  }

  get objective(): Objective {
    return this.compiled.objective;
  }

  /** Default number of samples in a batch: the batch size that the first layer declares, else 32. */
  get batchSize(): number {
    return this.network.batchInputShape?.[0] ?? 32;
  }

  /** The layers that carry states between batches. */
  get statefulLayers(): StatefulLayer[] {
    return this.network.tree().filter((layer): layer is StatefulLayer => layer.carried !== undefined);
  }

  /** Runs `body` with stateful layers starting from zeros, then restores their states. */
  withFreshStates<T>(body: () => T): T {
    const restores = this.statefulLayers.map(({ carried }) => carried.suspend());
    try {
      return body();
    } finally {
      for (const restore of restores) restore();
    }
  }

  /**
   * The outputs for a batch, as tensors of the open step.
   *
   * @param resets where rows start anew, `[B]` or `[B, T]`.
   */
  call(x: Nested<Tensor>, training = false, resets?: Tensor): Nested<Tensor> {
    const run = (): Nested<Tensor> => withTraining(training, () => this.network(x));
    return resets ? optionalResets.resets!.during(resets, run) : run();
  }

  /** Makes empty logs of losses and metrics. */
  runningLogs(): RunningLogs {
    return new RunningLogs(this.objective.metricTracker());
  }

  /**
   * One gradient step on some samples: forward, backward, clip, update.
   *
   * @param tracker tracks the metrics. The logs have its metrics, over all batches that it was updated with.
   * @returns `loss`, `gradientNorm` (before clipping) and the metrics, all before the update.
   * @throws NonFiniteLossError or NonFiniteGradientError if training has diverged. After an error weights, optimizer
   *   state and carried states are as before.
   */
  trainStep(
    samples: Samples,
    rows: Rows,
    classWeight?: ClassWeight,
    tracker: MetricTracker = this.objective.metricTracker(),
  ): Logs {
    const { optimizer } = this;
    return transaction(() =>
      this.engine.step(() => {
        const trainable = this.weights.filter((weight) => weight.trainable);
        let parts: Logs = {};
        const { value, grads } = valueAndGrad(() => {
          const loss = this.lossOf(samples, rows, { training: true, classWeight, tracker });
          ({ parts } = loss);
          return loss.total;
        }, trainable);
        if (!Number.isFinite(value)) {
          throw new NonFiniteLossError(`the loss became ${value} at step ${optimizer.steps + 1}`);
        }
        const metrics = tracker.logs();
        // The update comes last, because it cannot be undone.
        return {
          loss: value,
          gradientNorm: trainable.length > 0 ? optimizer.apply(trainable, grads) : 0,
          ...parts,
          ...metrics,
        };
      }),
    );
  }

  /** Adds loss and metrics of some samples to `logs`. */
  evaluateStep(samples: Samples, rows: Rows, logs: RunningLogs, classWeight?: ClassWeight): void {
    this.engine.step(() => {
      const { total, parts } = this.lossOf(samples, rows, { classWeight, tracker: logs.tracker });
      logs.add({ loss: total.item(), ...parts }, rows.to - rows.from);
    });
  }

  /**
   * The loss of some samples, `[]`, with the penalties of regularizers, and the losses of several outputs. To be called
   * in a step.
   */
  lossOf(samples: Samples, rows: Rows, context: LossContext): { total: Tensor; parts: Logs } {
    const { training = false, classWeight, tracker } = context;
    const { engine } = this;
    const x = uploadAll(engine, samples.x, rows);
    const y = uploadAll(engine, samples.y, rows);
    const sampleWeight = samples.weights && uploadAll(engine, samples.weights, rows);
    const weighing = { sampleWeight, classWeight };
    const outputs = this.call(x, training, samples.resets?.upload(engine, rows));
    const { total: loss, parts } = this.objective.compute(y, outputs, weighing, tracker);
    const total = this.#penalised(loss);
    // The loss of a batch without any step is 0 and depends on no weight.
    if (training && !isRecording([total]) && total.item() !== 0 && this.weights.some(({ trainable }) => trainable)) {
      throw new ArgumentError('loss expected to depend on a trainable weight, got a constant');
    }
    return { total, parts };
  }

  /** The loss plus the penalties of the layers' regularizers. */
  #penalised(loss: Tensor): Tensor {
    return this.network
      .tree()
      .flatMap((layer) => layer.penalties())
      .reduce<Tensor>((sum, penalty) => add(sum, penalty), loss);
  }
}
