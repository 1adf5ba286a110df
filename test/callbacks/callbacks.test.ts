import { beforeEach, describe, expect, test } from 'vitest';
import { backupAndRestore } from '../../src/callbacks/backup-and-restore.ts';
import { csvLogger } from '../../src/callbacks/csv-logger.ts';
import { earlyStopping } from '../../src/callbacks/early-stopping.ts';
import { learningRateScheduler, reduceLrOnPlateau } from '../../src/callbacks/learning-rate.ts';
import { modelCheckpoint } from '../../src/callbacks/model-checkpoint.ts';
import { progressElement, progressText } from '../../src/callbacks/progress-text.ts';
import { swapEmaWeights } from '../../src/callbacks/swap-ema-weights.ts';
import { tensorBoard } from '../../src/callbacks/tensor-board.ts';
import { terminateOnNaN } from '../../src/callbacks/terminate-on-nan.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { setSeed } from '../../src/engine/random.ts';
import { ModelFileError } from '../../src/io/safetensors.ts';
import type { Callback } from '../../src/models/model.ts';
import { adam, sgd } from '../../src/optimizers/index.ts';
import { exponentialDecay } from '../../src/optimizers/schedules/index.ts';
import { decodeModel, encodeModel, restoreModel } from '../../src/saving/saved-model.ts';
import { firstDifference } from '../train/first-difference.ts';
import { regression, sequences, targets, weightsOf } from '../train/regression.ts';
import { oneWeight, runScript } from './scripted.ts';

beforeEach(() => setSeed(11));

const [x, y] = [sequences(6), targets(6)];
const validationData = [x, y] as const;

describe('what callbacks refuse', () => {
  test.each<[string, () => Callback, string]>([
    [
      'a name that tells no direction',
      () => earlyStopping({ monitor: 'val_mine' }),
      "earlyStopping: mode expected 'min' or 'max', for the name 'val_mine' does not tell which is better",
    ],
    [
      'another mode',
      () => earlyStopping({ mode: 'up' as 'max' }),
      `earlyStopping: mode expected 'auto', 'min' or 'max', got 'up'`,
    ],
    ['patience −1', () => earlyStopping({ patience: -1 }), 'earlyStopping: patience expected an integer ≥ 0, got -1'],
    [
      'factor 1',
      () => reduceLrOnPlateau({ factor: 1 }),
      'reduceLrOnPlateau: factor expected a number in [0, 1), got 1',
    ],
    [
      'saveFreq 0',
      () => modelCheckpoint(() => {}, { saveFreq: 0 }),
      "modelCheckpoint: saveFreq expected 'epoch' or an integer ≥ 1, got 0",
    ],
    [
      'the best of batches by a validation',
      () => modelCheckpoint(() => {}, { saveFreq: 2, saveBestOnly: true }),
      "modelCheckpoint: monitor expected what a batch has with saveFreq 2, such as 'loss', got 'val_loss'",
    ],
    [
      'a separator of two characters',
      () => csvLogger(() => {}, { separator: '; ' }),
      "csvLogger: separator expected one character, got '; '",
    ],
    [
      'updateFreq 1.5',
      () => tensorBoard(() => ({ write: () => {} }), { updateFreq: 1.5 }),
      "tensorBoard: updateFreq expected 'epoch', 'batch' or an integer ≥ 1, got 1.5",
    ],
  ])('%s, when they are made', (_, make, message) => {
    expect(make).toThrow(new ArgumentError(message));
  });

  test('a validation that will not be, before the first step', async () => {
    const model = regression();
    for (const callback of [earlyStopping(), reduceLrOnPlateau(), modelCheckpoint(() => {}, { saveBestOnly: true })]) {
      await expect(model.fit(x, y, { callbacks: [callback] })).rejects.toThrow(
        /: monitor 'val_loss' expected validation data or a split, got none$/,
      );
    }
    expect(model.optimizer.steps).toBe(0);
  });

  test('a number that no epoch has, after the first', async () => {
    const callbacks = [earlyStopping({ monitor: 'val_accuracy' })];
    await expect(regression().fit(x, y, { callbacks, validationData })).rejects.toThrow(
      "earlyStopping: monitor expected one of loss, meanAbsoluteError, val_loss, val_meanAbsoluteError, got 'val_accuracy'",
    );
  });

  test.each<[string, unknown, string]>([
    ['a list of them', [[earlyStopping()]], 'callbacks[0] expected an object with some of the methods onTrainBegin,'],
    ['the function that makes one', [terminateOnNaN(), earlyStopping], 'callbacks[1] expected'],
    [
      'a name that is none of theirs',
      [{ on_epoch_end: () => {} }],
      "callbacks[0]: unknown method 'on_epoch_end'; did you mean 'onEpochEnd'?",
    ],
    ['a method that is no function', [{ onEpochEnd: 5 }], 'got an object'],
    ['null', [null], 'got null'],
    ['a number without a list', 5, 'fit: callbacks[0] expected an object with some of the methods'],
  ])('%s, before the first step', async (_, callbacks, message) => {
    const model = regression();
    const before = weightsOf(model);
    const run = model.fit(x, y, { callbacks: callbacks as Callback[] });
    await expect(run).rejects.toThrow(ArgumentError);
    await expect(run).rejects.toThrow(message);
    expect(weightsOf(model)).toEqual(before);
  });

  test('the rate of an optimizer that follows a schedule', async () => {
    const model = oneWeight(
      sgd({ learningRate: exponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 }) }),
    );
    const callbacks = [learningRateScheduler(() => 0.1)];
    await expect(model.fit([[0]], [[0]], { callbacks })).rejects.toThrow(
      /learningRate follows the schedule 'exponentialDecay'/,
    );
  });
});

describe('mode auto', () => {
  test.each([
    ['loss', 'min'],
    ['val_a_loss', 'min'],
    ['val_meanAbsoluteError', 'min'],
    ['perplexity', 'min'],
    ['bitsPerCharacter', 'min'],
    ['accuracy', 'max'],
    ['val_out_binaryAccuracy', 'max'],
    ['auc', 'max'],
    ['f1Score', 'max'],
    ['val_precision_1', 'max'],
    ['topKCategoricalAccuracy', 'max'],
  ])('of %s, is %s', async (monitor, expected) => {
    const callback = earlyStopping({ monitor, patience: 5 });
    const script: Callback = { onEpochEnd: (epoch, logs) => void (logs[monitor] = [2, 1, 3][epoch]!) };
    await oneWeight().fit([[0]], [[0]], {
      epochs: 3,
      validationData: [[[0]], [[0]]],
      callbacks: [script, callback],
    });
    expect(callback.best).toBe(expected === 'min' ? 1 : 3);
    expect(callback.bestEpoch).toBe(expected === 'min' ? 1 : 2);
  });
});

describe('earlyStopping', () => {
  test('whose run fails, restores the best weights all the same', async () => {
    const model = oneWeight();
    const script: Callback = {
      onEpochEnd(epoch, logs) {
        model.weights[0]!.assign([epoch + 10]);
        logs.loss = [3, 1, 2, 4][epoch]!;
      },
    };
    const failing: Callback = {
      onEpochBegin(epoch) {
        if (epoch === 3) throw new Error('from outside');
      },
    };
    const callback = earlyStopping({ monitor: 'loss', patience: 9, restoreBestWeights: true });
    const run = model.fit([[0]], [[0]], { epochs: 9, callbacks: [script, callback, failing] });
    await expect(run).rejects.toThrow('from outside');
    expect(model.weights[0]!.toArray()[0]).toBe(11);
  });

  test('with epochs that are not validated, waits for those that are', async () => {
    const callback = earlyStopping({ patience: 1 });
    const { history } = await runScript([1, 1, 1, 1, 1, 1, 1, 1], [callback], { validationFreq: 2 });
    expect(history.epoch.length).toBe(4);
    expect(callback.stoppedEpoch).toBe(3);
  });

  test('where the value is NaN from the start, keeps nothing and stops', async () => {
    const nan = Number.NaN;
    const callback = earlyStopping({ patience: 2, restoreBestWeights: true });
    const { history, model } = await runScript([nan, nan, nan, nan], [callback]);
    expect([history.epoch.length, callback.best, model.weights[0]!.toArray()[0]]).toEqual([2, undefined, 1]);
  });

  test('used for a second run, starts anew', async () => {
    const callback = earlyStopping({ patience: 2 });
    await runScript([1, 2, 3, 4], [callback]);
    const { history } = await runScript([5, 4, 3, 2], [callback]);
    expect(history.epoch.length).toBe(4);
    expect([callback.best, callback.bestEpoch, callback.stoppedEpoch]).toEqual([2, 3, undefined]);
  });
});

describe('modelCheckpoint', () => {
  test('gives bytes from which training goes on bit for bit', async () => {
    const saved = new Map<number, Uint8Array>();
    const model = regression();
    const callbacks = [
      modelCheckpoint(async (bytes, { epoch }) => void saved.set(epoch, bytes), { extras: { extra: 'mine' } }),
    ];
    await model.fit(x, y, { epochs: 4, batchSize: 4, callbacks });
    const { model: loaded, extra } = decodeModel(saved.get(1)!);
    expect(extra).toBe('mine');
    await loaded.fit(x, y, { epochs: 4, initialEpoch: 2, batchSize: 4 });
    expect(firstDifference(encodeModel(loaded), encodeModel(model))).toBe(-1);
  });
});

describe('learningRateScheduler', () => {
  test('sets the rate of each epoch from the one before and logs it', async () => {
    const callbacks = [learningRateScheduler((epoch, rate) => (epoch < 2 ? rate : rate / 2))];
    const { history } = await runScript([1, 1, 1, 1], callbacks);
    expect(history.history.learningRate).toEqual([1, 1, 0.5, 0.25]);
  });
});

describe('terminateOnNaN', () => {
  test('ends a run that diverges quietly, with the weights of the last good step', async () => {
    const errors: string[] = [];
    const model = regression(sgd({ learningRate: 1e12 }));
    const { epoch } = await model.fit(x, y, {
      epochs: 100,
      batchSize: 3,
      callbacks: [terminateOnNaN((error) => errors.push(error.message))],
    });
    expect(epoch.length).toBeLessThan(100);
    expect(errors.length).toBe(1);
    expect(errors[0]).toMatch(/ at step \d+$/);
    for (const weight of weightsOf(model)) expect(weight.every(Number.isFinite)).toBe(true);
  });
});

describe('averages of the weights', () => {
  const make = () => regression(adam({ learningRate: 0.05, useEma: true, emaMomentum: 0.9 }));

  test('with swapEmaWeights, are what is validated; without it the weights themselves', async () => {
    const [plain, swapped] = [make(), make()];
    const seen: number[][] = [];
    const expected: Callback = {
      onEpochEnd() {
        seen.push([plain.evaluate(x, y).loss!, plain.withEma(() => plain.evaluate(x, y).loss!)]);
      },
    };
    const options = { epochs: 3, validationData };
    setSeed(5);
    const a = await plain.fit(x, y, { ...options, callbacks: [expected] });
    setSeed(5);
    const b = await swapped.fit(x, y, { ...options, callbacks: [swapEmaWeights()] });
    expect(a.history.val_loss).toEqual(seen.map(([raw]) => raw));
    expect(b.history.val_loss).not.toEqual(a.history.val_loss);
    expect(b.history.loss!.length).toBe(3);
  });

  test('are the weights in the end, as in Keras', async () => {
    const model = make();
    let averages: Float32Array[] = [];
    const callbacks: Callback[] = [{ onEpochEnd: () => void (averages = model.withEma(() => weightsOf(model))) }];
    await model.fit(x, y, { epochs: 2, callbacks });
    expect(weightsOf(model)).toEqual(averages);
    expect(model.optimizer.isSwapped).toBe(false);
  });

  test('with swapOnEpoch, are seen by the callbacks after it, and in the end', async () => {
    const model = make();
    const seen: Float32Array[][] = [];
    const note: Callback = { onEpochEnd: () => void seen.push(weightsOf(model)) };
    await model.fit(x, y, { epochs: 2, callbacks: [swapEmaWeights({ swapOnEpoch: true }), note] });
    expect(weightsOf(model)).toEqual(seen[1]);
    expect(model.optimizer.isSwapped).toBe(false);
  });

  test('of an optimizer that keeps none, are refused before the first step', async () => {
    const model = regression();
    await expect(model.fit(x, y, { callbacks: [swapEmaWeights()] })).rejects.toThrow('expected useEma');
    expect(model.optimizer.steps).toBe(0);
  });
});

describe('backupAndRestore', () => {
  test('after a run that was cut off, goes on bit for bit', async () => {
    let kept: Uint8Array | undefined;
    const store = {
      read: async () => kept,
      write: (bytes: Uint8Array) => void (kept = bytes),
      remove: () => void (kept = undefined),
    };
    const options = { epochs: 5, batchSize: 4 };
    const make = () => {
      setSeed(3);
      return regression();
    };
    const whole = make();
    const undisturbed = await whole.fit(x, y, options);

    const cut: Callback = {
      onEpochBegin(epoch) {
        if (epoch === 3) throw new Error('power cut');
      },
    };
    await expect(make().fit(x, y, { ...options, callbacks: [backupAndRestore(store), cut] })).rejects.toThrow();
    expect(kept).toBeDefined();
    const again = make();
    const history = await again.fit(x, y, { ...options, callbacks: [backupAndRestore(store)] });
    expect(history).toEqual(undisturbed);
    expect(firstDifference(encodeModel(again), encodeModel(whole))).toBe(-1);
    expect(kept).toBeUndefined();
  });

  test('of another kind, is refused', async () => {
    const model = regression();
    const read = () => encodeModel(model, { extra: { epoch: 'one' } });
    await expect(model.fit(x, y, { callbacks: [backupAndRestore({ read, write: () => {} })] })).rejects.toThrow(
      ArgumentError,
    );
    const nonsense = () => new Uint8Array(4);
    const callbacks = [backupAndRestore({ read: nonsense, write: () => {} })];
    await expect(model.fit(x, y, { callbacks })).rejects.toThrow(ModelFileError);
    restoreModel(model, read());
  });
});

describe('progressText', () => {
  test('tells an epoch in the words of Keras, and batches as they go', async () => {
    let time = 0;
    const lines: string[] = [];
    const callbacks: Callback[] = [
      { onBatchBegin: () => void (time += 250) },
      progressText((line, isLast) => void lines.push(`${isLast ? 'last' : 'now'} ${line}`), {
        now: () => time,
        everyMs: 300,
      }),
    ];
    const logged: Callback = {
      onBatchEnd: (_, logs) => {
        logs.loss = 0.5;
        logs.tiny = 0.00025;
      },
      onEpochEnd: (_, logs) => {
        delete logs.tiny;
        logs.loss = 0.25;
        logs.val_loss = 12;
      },
    };
    const rows = [[0], [0], [0], [0]];
    await oneWeight().fit(rows, rows, { epochs: 2, batchSize: 1, callbacks: [logged, ...callbacks] });
    expect(lines.slice(0, 3)).toEqual([
      'now Epoch 1/2 - 2/4 - 1s - 250ms/step - loss: 0.5000 - tiny: 2.5000e-4',
      'now Epoch 1/2 - 4/4 - 1s - 250ms/step - loss: 0.5000 - tiny: 2.5000e-4',
      'last Epoch 1/2 - 4/4 - 1s - 250ms/step - loss: 0.2500 - val_loss: 12.0000',
    ]);
    expect(lines.length).toBe(6);
  });

  test('in a page, keeps the last epochs and the line that changes', async () => {
    const element = { textContent: '' as string | null };
    const seen: string[] = [];
    const callbacks: Callback[] = [
      progressElement(element, { lines: 2, now: () => 0 }),
      { onEpochEnd: () => void seen.push(element.textContent!.replaceAll(/ - .*/g, '')) },
    ];
    await oneWeight().fit([[0]], [[0]], { epochs: 4, callbacks });
    expect(seen).toEqual(['Epoch 1/4', 'Epoch 1/4\nEpoch 2/4', 'Epoch 2/4\nEpoch 3/4', 'Epoch 3/4\nEpoch 4/4']);
  });
});

describe('callbacks of a run', () => {
  test('are all told of its end, whichever throws, and the first error is thrown', async () => {
    const told: string[] = [];
    const end = (name: string, error?: Error): Callback => ({
      onTrainEnd() {
        told.push(name);
        if (error) throw error;
      },
    });
    const model = oneWeight();
    const callbacks = [end('a', new Error('first')), end('b', new Error('second')), end('c')];
    await expect(model.fit([[0]], [[0]], { callbacks })).rejects.toThrow('first');
    const early: Callback = { onTrainBegin: () => Promise.reject(new Error('at the beginning')) };
    await expect(
      model.fit([[0]], [[0]], { callbacks: [...callbacks.slice(0, 2), early, end('never')] }),
    ).rejects.toThrow('at the beginning');
    expect(told).toEqual(['a', 'b', 'c', 'a', 'b']);
  });

  test('are told of validations, and stopTraining in a batch ends with it', async () => {
    const told: string[] = [];
    const model = oneWeight();
    const rows = [[0], [0], [0]];
    const callback: Callback = {
      onBatchEnd(batch) {
        told.push(`batch ${batch}`);
        if (batch === 1) model.stopTraining = true;
      },
      onTestBegin: () => void told.push('test'),
      onTestEnd: (logs) => void told.push(`tested ${Object.keys(logs)}`),
      onEpochEnd: (_, logs) => void told.push(`epoch ${Object.keys(logs)}`),
    };
    const { epoch } = await model.fit(rows, rows, {
      epochs: 3,
      batchSize: 1,
      callbacks: [callback],
      validationData: [rows, rows],
    });
    expect(told).toEqual(['batch 0', 'batch 1', 'test', 'tested loss', 'epoch loss,val_loss']);
    expect(epoch).toEqual([0]);
  });
});
