import { ArgumentError } from '../checks/argument-error.ts';
import { DivergenceError } from '../checks/divergence.ts';
import type { Profiler } from '../engine/profile.ts';
import { restoreOnUndo, type Transaction } from '../engine/transaction.ts';
import { yielder } from '../host/yielder.ts';
import { type CallbackOf, callbackList, type History, type TrainingPlan } from './callback.ts';
import { evaluateFeed } from './feeds/evaluate-feed.ts';
import type { Feed } from './feeds/feeds.ts';
import { checkFitOptions, type FitOptionsOf } from './fit-options.ts';
import type { Logs } from './logs.ts';
import { optionalParts } from './optional-parts.ts';
import type { Run } from './runs.ts';
import type { Trainer } from './trainer.ts';

/** A run of `fit`, as its parts need it. */
interface Training<M> {
  /** The model that callbacks get. */
  model: M;
  trainer: Trainer;
  run: Run;
  feed: Feed;
  options: FitOptionsOf<M>;
  /** The callbacks of the caller, after the one that shows progress. */
  callbacks: readonly CallbackOf<M>[];
  profiler: Profiler | undefined;
  yieldToHost: () => Promise<void>;
}

/**
 * Trains on all batches `epochs` times, and lets the host handle events between batches.
 *
 * @param model the model that callbacks get.
 * @throws ArgumentError before anything changes, if data or options do not fit or another call runs on the model;
 *   NonFiniteLossError or NonFiniteGradientError if training diverges, with the weights of the last good step kept.
 */
export async function fitModel<M>(
  model: M,
  trainer: Trainer,
  feedOf: (changes: Transaction) => Feed,
  options: FitOptionsOf<M>,
): Promise<History> {
  trainer.runs.expectNone('fit');
  checkFitOptions(options);
  const given = callbackList(options.callbacks);
  const callbacks = optionalParts.addProgress?.(options.verbose, given) ?? given;
  return trainer.runs.during('fit', async (run) => {
    const feed = run.changes.part(() => feedOf(run.changes));
    options.signal?.throwIfAborted();
    const { Profiler } = optionalParts;
    if (options.profile && !Profiler) {
      throw new ArgumentError("fit: profile expected addMethods() to have been called, as 'tapeloop/lean' wants it");
    }
    const profiler = options.profile ? new Profiler!(trainer.engine) : undefined;
    return train({ model, trainer, run, feed, options, callbacks, profiler, yieldToHost: yielder() }, given);
  });
}

async function train<M>(training: Training<M>, given: readonly CallbackOf<M>[]): Promise<History> {
  const { model, trainer, run, feed, options, profiler } = training;
  const { epochs = 1, initialEpoch = 0 } = options;
  const { changes } = run;
  const history: History = { epoch: [], history: {}, validated: [] };
  const plan: TrainingPlan = {
    epochs,
    initialEpoch,
    steps: feed.steps,
    validates: feed.validation !== undefined,
    callbacks: given,
    history,
  };
  const begun: CallbackOf<M>[] = [];
  let failure: { error: unknown } | undefined;
  trainer.stopTraining = false;
  try {
    await callEach(training, (each) => {
      begun.push(each);
      return each.onTrainBegin?.(model, plan);
    });
    plan.states?.forEach((state, i) => state != null && given[i]?.restore?.(state));
    for (let epoch = plan.initialEpoch; epoch < epochs && !trainer.stopTraining; epoch++) {
      await callEach(training, (each) => each.onEpochBegin?.(epoch));
      const logs = await trainEpoch(training);
      if (feed.validation && isDue(epoch, options.validationFreq ?? 1)) {
        const measured = await validate(training, feed.validation);
        for (const [name, value] of Object.entries(measured)) logs[`val_${name}`] = value;
        history.validated.push(epoch);
      }
      await callEach(training, (each) => each.onEpochEnd?.(epoch, logs));
      history.epoch.push(epoch);
      for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value);
      await callEach(training, (each) => each.onEpochDone?.(epoch));
    }
    // As in Keras, the weights are set to their averages, if the optimizer keeps averages.
    if (history.epoch.length > 0) trainer.optimizer.finalizeVariableValues(trainer.weights);
    changes.commit();
  } catch (error) {
    changes.undo();
    failure = (await isHandled(training, error)) ? undefined : { error };
  }
  if (profiler) history.profile = profiler.profile;
  run.isWaiting = true;
  // Call every onTrainEnd even if one throws, then rethrow the first error.
  for (const end of [...begun.map((each) => () => each.onTrainEnd?.(history)), () => feed.close?.()]) {
    try {
      await end();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure) throw failure.error;
  return history;
}

/** Calls each callback in turn and waits for it. */
async function callEach<M>({ run, callbacks }: Training<M>, call: (callback: CallbackOf<M>) => unknown): Promise<void> {
  run.isWaiting = true;
  try {
    for (const each of callbacks) await call(each);
  } finally {
    run.isWaiting = false;
  }
}

/** Whether a callback handles the divergence, so that training ends without an error. */
async function isHandled<M>(training: Training<M>, error: unknown): Promise<boolean> {
  let handled = false;
  if (error instanceof DivergenceError) {
    await callEach(training, async (each) => {
      handled = (await each.onDivergence?.(error)) || handled;
    });
  }
  return handled;
}

/** Trains on one pass over the batches. Returns the mean losses and the metrics. */
async function trainEpoch<M>(training: Training<M>): Promise<Logs> {
  const { trainer, run, feed, options, profiler, yieldToHost } = training;
  const { changes } = run;
  const running = trainer.runningLogs();
  let batch = 0;
  // If no step of the epoch succeeds, its samples are not shuffled either.
  changes.part(() => restoreOnUndo(trainer.random));
  for await (const { samples, rows, resetStates } of feed.batches()) {
    await callEach(training, (each) => each.onBatchBegin?.(batch));
    const step = (): Logs => {
      if (resetStates) trainer.network.resetStates();
      return trainer.trainStep(samples, rows, options.classWeight, running.tracker);
    };
    const { gradientNorm: _, ...logs } = changes.part(() => (profiler ? profiler.measure(step) : step()));
    changes.commit();
    running.add(logs, rows.to - rows.from);
    await callEach(training, (each) => each.onBatchEnd?.(batch, logs));
    await yieldToHost();
    options.signal?.throwIfAborted();
    batch++;
    if (trainer.stopTraining) break;
  }
  return running.value();
}

const isDue = (epoch: number, frequency: number | readonly number[]): boolean =>
  typeof frequency === 'number' ? (epoch + 1) % frequency === 0 : frequency.includes(epoch + 1);

/** Measures the validation data. Stateful layers start from zeros, and get their states back afterwards. */
async function validate<M>(training: Training<M>, feed: Feed): Promise<Logs> {
  const { trainer, run, options } = training;
  await callEach(training, (each) => each.onTestBegin?.());
  const restores = trainer.statefulLayers.map(({ carried }) => carried.suspend());
  let logs: Logs;
  try {
    // As in Keras, class weights are for training alone.
    logs = await evaluateFeed(trainer, feed, { signal: options.signal, changes: run.changes });
  } finally {
    for (const restore of restores) restore();
  }
  await callEach(training, (each) => each.onTestEnd?.(logs));
  return logs;
}
