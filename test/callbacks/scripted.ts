// Runs of `fit` with given logs, for callbacks that decide by the logs.
import { dense } from '../../src/layers/dense.ts';
import type { Callback, FitOptions } from '../../src/models/model.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { sgd } from '../../src/optimizers/index.ts';
import type { History } from '../../src/train/callback.ts';

/** A model of one weight, compiled with a rate of 1. */
export function oneWeight(optimizer = sgd({ learningRate: 1 })): Model {
  const model = sequential([dense({ units: 1, useBias: false, kernelInitializer: 'zeros', inputShape: [1] })]);
  model.compile({ optimizer, loss: 'meanAbsoluteError' });
  return model;
}

/** Epochs whose `val_loss` is given and whose `loss` is twice that; the weight ends each as its number. */
export async function runScript(
  values: readonly number[],
  callbacks: readonly Callback[],
  options: FitOptions = {},
): Promise<{ model: Model; history: History }> {
  const model = oneWeight();
  const script: Callback = {
    onEpochEnd(epoch, logs) {
      model.weights[0]!.assign([epoch]);
      logs.loss = 2 * values[epoch]!;
      if ('val_loss' in logs) logs.val_loss = values[epoch]!;
    },
  };
  const history = await model.fit([[0]], [[0]], {
    epochs: values.length,
    validationData: [[[0]], [[0]]],
    ...options,
    callbacks: [script, ...callbacks],
  });
  return { model, history };
}

/** Epochs of batches whose losses are given. */
export async function runEpochs(losses: readonly number[][], callbacks: readonly Callback[]): Promise<void> {
  let epoch = 0;
  const script: Callback = {
    onEpochBegin: (number) => void (epoch = number),
    onBatchEnd: (batch, logs) => void (logs.loss = losses[epoch]![batch]!),
  };
  const rows = losses[0]!.map(() => [0]);
  const options = { epochs: losses.length, batchSize: 1, callbacks: [script, ...callbacks] };
  await oneWeight().fit(rows, rows, options);
}
