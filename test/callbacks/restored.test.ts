// A run that is interrupted and restored equals an uninterrupted run, with every callback.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { backupAndRestore } from '../../src/callbacks/backup-and-restore.ts';
import { csvLogger } from '../../src/callbacks/csv-logger.ts';
import { earlyStopping } from '../../src/callbacks/early-stopping.ts';
import { learningRateScheduler, reduceLrOnPlateau } from '../../src/callbacks/learning-rate.ts';
import { modelCheckpoint } from '../../src/callbacks/model-checkpoint.ts';
import { swapEmaWeights } from '../../src/callbacks/swap-ema-weights.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import type { Callback } from '../../src/models/model.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { csvFile } from '../../src/node-callbacks.ts';
import { adam } from '../../src/optimizers/index.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';
import type { History } from '../../src/train/callback.ts';
import { firstDifference } from '../train/first-difference.ts';
import { sequences, targets } from '../train/regression.ts';

const folder = mkdtempSync(join(tmpdir(), 'restored-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [x, y] = [sequences(8), targets(8)];
const LOSSES = [5, 4, 4.5, 4.4, 4.3, 4.2, 4.1, 4.05];
const EPOCHS = LOSSES.length;

function make(): Model {
  setSeed(3);
  const model = sequential([lstm({ units: 3, inputShape: [null, 2] }), dropout({ rate: 0.3 }), dense({ units: 1 })]);
  model.compile({ optimizer: adam({ learningRate: 0.01, useEma: true }), loss: 'meanSquaredError' });
  return model;
}

/** Has every epoch end with a given `val_loss`. */
const script: Callback = {
  onEpochEnd(epoch, logs) {
    logs.val_loss = LOSSES[epoch]!;
  },
};

/** What a callback tells, beside what it does to the model. */
type Told = unknown[];
const file = (): string => join(folder, 'log.csv');
const callbacks: Record<string, { make: (told: Told) => Callback; told?: (told: Told) => unknown }> = {
  earlyStopping: { make: () => earlyStopping({ patience: 4, restoreBestWeights: true }) },
  reduceLrOnPlateau: { make: () => reduceLrOnPlateau({ factor: 0.5, patience: 2, cooldown: 1 }) },
  learningRateScheduler: { make: () => learningRateScheduler((_, rate) => rate * 0.9) },
  modelCheckpoint: {
    make: (told) => modelCheckpoint((bytes, { epoch }) => told.push([epoch, bytes.length]), { saveBestOnly: true }),
  },
  'modelCheckpoint of batches': {
    make: (told) =>
      modelCheckpoint((bytes, { epoch, batch }) => told.push([epoch, batch, bytes.length]), { saveFreq: 3 }),
  },
  csvLogger: { make: (told) => csvLogger((line) => void told.push(line)) },
  csvFile: { make: () => csvFile(file()), told: () => readFileSync(file(), 'utf8') },
  swapEmaWeights: { make: () => swapEmaWeights({ swapOnEpoch: true }) },
};

describe.each(Object.entries(callbacks))('%s', (_, { make: makeCallback, told: read = (told: Told) => told }) => {
  const options = { epochs: EPOCHS, batchSize: 4, validationData: [x, y] } as const;
  const end = (model: Model, history: History, told: Told) => ({
    bytes: encodeModel(model),
    history,
    told: read(told),
  });

  test.each([
    ['before', 1],
    ['before', 4],
    ['before', 3],
    ['behind', 2],
    ['behind', 5],
  ] as const)(
    'with backupAndRestore %s it, cut off at epoch %i and restored, ends as if it had not been',
    async (place, at) => {
      const whole = make();
      const toldOfWhole: Told = [];
      const all = [script, makeCallback(toldOfWhole)];
      const undisturbed = end(whole, await whole.fit(x, y, { ...options, callbacks: all }), toldOfWhole);

      let kept: Uint8Array | undefined;
      const backup = (): Callback =>
        backupAndRestore({
          read: () => kept,
          write: (bytes) => void (kept = bytes),
          remove: () => void (kept = undefined),
        });
      const told: Told = [];
      const listed = (): Callback[] => {
        const own = makeCallback(told);
        return [script, ...(place === 'before' ? [backup(), own] : [own, backup()])];
      };
      const cut: Callback = {
        onEpochBegin(epoch) {
          if (epoch === at) throw new Error('power cut');
        },
      };
      await expect(make().fit(x, y, { ...options, callbacks: [...listed(), cut] })).rejects.toThrow('power cut');
      expect(kept).toBeDefined();
      const again = make();
      const restored = end(again, await again.fit(x, y, { ...options, callbacks: listed() }), told);
      expect(firstDifference(restored.bytes, undisturbed.bytes)).toBe(-1);
      expect({ ...restored, bytes: 0 }).toEqual({ ...undisturbed, bytes: 0 });
      expect(kept).toBeUndefined();
    },
  );
});

describe('backupAndRestore', () => {
  const fitWith = (model: Model, read: () => Uint8Array, more: Callback[] = []): Promise<History> =>
    model.fit(x, y, { callbacks: [backupAndRestore({ read, write: () => {} }), ...more] });

  test.each<[string, unknown, RegExp]>([
    ['no epoch', {}, /expected a backup with the number of its epoch, got \{\}/],
    ['an epoch that is none', { epoch: -1 }, /got \{"epoch":-1\}/],
    ['the state of other callbacks', { epoch: 0, states: [{}, {}] }, /expected the 2 callbacks with state .*, got 1/],
  ])('given a file with %s, leaves the model as it was', async (_, extra, message) => {
    const model = make();
    const other = make();
    other.trainOnBatch(x, y);
    const bytes = encodeModel(other, { extra: extra as never });
    const before = encodeModel(model);
    await expect(fitWith(model, () => bytes, [csvLogger(() => {})])).rejects.toThrow(message);
    expect(firstDifference(encodeModel(model), before)).toBe(-1);
  });

  test('given a file of an epoch alone, as 0.1.0 wrote them, goes on behind it', async () => {
    const model = make();
    const bytes = encodeModel(model, { extra: { epoch: 1 } });
    const { epoch } = await model.fit(x, y, {
      epochs: 4,
      callbacks: [backupAndRestore({ read: () => bytes, write: () => {} }), csvLogger(() => {})],
    });
    expect(epoch).toEqual([2, 3]);
  });
});
