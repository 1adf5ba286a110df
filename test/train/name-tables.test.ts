import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/autograd/tensor.ts';
import { losses } from '../../src/train/losses/by-name.ts';
import * as lossMakers from '../../src/train/losses/makers.ts';
import { metrics } from '../../src/train/metrics/by-name.ts';
import * as metricMakers from '../../src/train/metrics/makers.ts';
import { NameTable } from '../../src/train/name-tables.ts';
import { optimizers } from '../../src/train/optimizers/by-name.ts';
import * as optimizerMakers from '../../src/train/optimizers/makers.ts';
import * as scheduleMakers from '../../src/train/schedules.ts';
import { schedules } from '../../src/train/schedules-by-name.ts';

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
