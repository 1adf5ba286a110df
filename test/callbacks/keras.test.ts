// Callbacks make the same decisions as Keras's (test/golden/callbacks.py).
import { describe, expect, test } from 'vitest';
import { csvLogger } from '../../src/callbacks/csv-logger.ts';
import { earlyStopping } from '../../src/callbacks/early-stopping.ts';
import { reduceLrOnPlateau } from '../../src/callbacks/learning-rate.ts';
import { modelCheckpoint } from '../../src/callbacks/model-checkpoint.ts';
import golden from '../golden/callbacks.json' with { type: 'json' };
import { runEpochs, runScript } from './scripted.ts';

const label = (each: { options: object }): string => JSON.stringify(each.options);
const casesOf = <T extends { options: object }>(cases: readonly T[]): [string, T][] =>
  cases.map((each, i) => [`${i} ${label(each)}`, each]);

describe('earlyStopping', () => {
  test.each(casesOf(golden.earlyStopping))('%s, stops and restores as Keras', async (_, each) => {
    const callback = earlyStopping(each.options as Parameters<typeof earlyStopping>[0]);
    const { history, model } = await runScript(each.values, [callback]);
    expect(history.epoch.length).toBe(each.epochs);
    expect(model.weights[0]!.toArray()[0]).toBe(each.weight);
    if (each.epochs < each.values.length) expect(callback.stoppedEpoch).toBe(each.epochs - 1);
  });
});

describe('reduceLrOnPlateau', () => {
  test.each(casesOf(golden.reduceLrOnPlateau))('%s, sets and logs the rates of Keras', async (_, each) => {
    const callback = reduceLrOnPlateau(each.options as Parameters<typeof reduceLrOnPlateau>[0]);
    const { history, model } = await runScript(each.values, [callback]);
    expect(history.history.learningRate).toEqual(each.rates);
    expect(model.optimizer.learningRate).toBe(each.last);
  });
});

describe('modelCheckpoint', () => {
  test.each(casesOf(golden.modelCheckpoint))('%s, saves after the epochs that Keras saves after', async (_, each) => {
    const saved: number[] = [];
    const callback = modelCheckpoint((_, { epoch }) => void saved.push(epoch + 1), each.options as object);
    await runScript(each.values, [callback]);
    // The epoch is the first number of every template.
    expect(saved).toEqual(each.saved.map((name) => Number(/\d+/.exec(name)![0])));
  });

  test.each(casesOf(golden.byBatch))('%s, saves after the batches that Keras saves after', async (_, each) => {
    const saved: string[] = [];
    const callback = modelCheckpoint((_, { epoch, batch }) => void saved.push(`${epoch + 1}-0${batch! + 1}`), {
      ...each.options,
      mode: 'min',
    });
    await runEpochs(each.losses, [callback]);
    expect(saved).toEqual(each.saved.map((name) => name.slice(0, 4)));
  });
});

describe('csvLogger', () => {
  test.each(golden.csv)('$separator append=$append, writes the text of Keras', async ({ separator, append, text }) => {
    let written = '';
    const logs = (epoch: number) => ({ loss: 0.5 + epoch, accuracy: 0.25, 'a;b': epoch / 4 });
    for (const initialEpoch of append ? [0, 2] : [0]) {
      const callback = csvLogger((line) => void (written += line), { separator, append: written !== '' });
      const scripted = {
        onEpochEnd: (epoch: number, own: Record<string, number>) => void Object.assign(own, logs(epoch)),
      };
      // Keras has columns for a validation that comes later.
      await runScript([1, 1, 1, 1], [scripted, callback], {
        initialEpoch,
        epochs: initialEpoch + 2,
        validationFreq: 9,
      });
    }
    expect(written).toBe(text.replaceAll('.0', ''));
  });
});
