import { describe, expect, test, vi } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { losses } from '../../src/losses/all.ts';
import * as lossMakers from '../../src/losses/index.ts';
import { metrics } from '../../src/metrics/all.ts';
import * as metricMakers from '../../src/metrics/index.ts';
import { optimizers } from '../../src/optimizers/all.ts';
import * as optimizerMakers from '../../src/optimizers/index.ts';
import { schedules } from '../../src/optimizers/schedules/all.ts';
import * as scheduleMakers from '../../src/optimizers/schedules/index.ts';
import { NameTable } from '../../src/registry/name-table.ts';
import { firstDifference } from '../train/first-difference.ts';

describe('the tables of names', () => {
  // stepDecay makes an exponentialDecay, whose name it has.
  const { serialize, deserialize, stepDecay, ...ofSchedules } = scheduleMakers;

  test.each<[string, object, object]>([
    ['loss', losses, lossMakers],
    ['metric', metrics, metricMakers],
    ['optimizer', optimizers, optimizerMakers],
    ['schedule', schedules, ofSchedules],
  ])('have every %s that is exported', (_, table, makers) => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(makers).sort());
  });

  test('that nobody has filled, tell what to give instead of a name', () => {
    const table = new NameTable<typeof losses>('loss');
    expect(() => table.makerOf('mse')).toThrow(
      new ArgumentError(
        "loss expected one that was made by its function, got 'mse'; 'tapeloop' knows names, 'tapeloop/lean' does not",
      ),
    );
  });
});

describe('without registerAllNames, as in tapeloop/lean', () => {
  test('a recurrent layer without fused kernels, is refused; its cell in rnn is not', async () => {
    vi.resetModules();
    const { lstm } = await import('../../src/layers/rnn/lstm.ts');
    const { lstmCell } = await import('../../src/layers/rnn/lstm.ts');
    const { rnn } = await import('../../src/layers/rnn/rnn.ts');
    const options = { units: 3, activation: 'sigmoid' } as const;
    expect(() => lstm(options)).toThrow(
      "lstm: activation expected those that have fused kernels; 'tapeloop' has others, 'tapeloop/lean' in rnn(lstmCell(options))",
    );
    expect(rnn(lstmCell(options)).className).toBe('RNN');
    expect(lstm({ units: 3 }).className).toBe('LSTM');
  });

  test('an activation beyond the usual ones, is refused by those that are known', async () => {
    vi.resetModules();
    const { dense } = await import('../../src/layers/dense.ts');
    expect(() => dense({ units: 3, activation: 'gelu' })).toThrow(
      "activation expected one of linear, relu, sigmoid, tanh, softmax or a function, got 'gelu'",
    );
  });

  test('a model, is saved, and goes on bit for bit in one that was made and compiled alike', async () => {
    vi.resetModules();
    const { sequential } = await import('../../src/models/model.ts');
    const { dense } = await import('../../src/layers/dense.ts');
    const { adam } = await import('../../src/optimizers/index.ts');
    const { meanSquaredError } = await import('../../src/losses/index.ts');
    const { encodeModel, restoreModel } = await import('../../src/saving/saved-model.ts');
    const make = () => {
      const model = sequential([dense({ units: 1, inputShape: [2] })]);
      model.compile({ optimizer: adam(), loss: meanSquaredError() });
      return model;
    };
    const [x, y] = [[[1, 2]], [[3]]];
    const model = make();
    model.trainOnBatch(x, y);
    const bytes = encodeModel(model);
    const again = make();
    restoreModel(again, bytes);
    expect(again.trainOnBatch(x, y)).toEqual(model.trainOnBatch(x, y));
    expect(firstDifference(encodeModel(again), encodeModel(model))).toBe(-1);
    again.compile({ optimizer: adam({ learningRate: 1 }), loss: meanSquaredError() });
    expect(() => restoreModel(again, bytes)).toThrow(
      "optimizer expected one that was made by its function, got 'adam'",
    );
  });

  test('a model, runs step by step once allowStreams was called', async () => {
    vi.resetModules();
    const { sequential } = await import('../../src/models/model.ts');
    const { dense } = await import('../../src/layers/dense.ts');
    const model = sequential([dense({ units: 1, inputShape: [null, 2] })]);
    const x = [[[1, 2]]];
    expect(() => model.stream()).toThrow(
      "sequential: stream() expected allowStreams() to have been called, as 'tapeloop/lean' wants it",
    );
    expect(() => model.predict(x, { weights: 'int8' })).toThrow("predict: weights 'int8' expected allowStreams()");
    const { allowStreams } = await import('../../src/models/register-all.ts');
    allowStreams();
    expect(model.stream().step([1, 2]).slice()).toEqual(model.predict(x).data);
    expect(model.predict(x, { weights: 'int8' }).shape).toEqual([1, 1, 1]);
  });
});
