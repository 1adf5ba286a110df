import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { type StreamBatchesOptions, streamBatches } from '../../src/data/stream-batches.ts';

const nested = (array: { toNested(): unknown }): string => JSON.stringify(array.toNested());

describe('streamBatches', () => {
  test('of ids, walks contiguous streams side by side, each held to its next id', () => {
    const ids = Int32Array.from({ length: 12 }, (_, i) => i);
    const batches = streamBatches(ids, { batchSize: 2, steps: 2 });
    expect(batches.length).toBe(2);
    // 11 ids in two streams of 5, of which two whole batches are used.
    for (let pass = 0; pass < 2; pass++) {
      expect([...batches].map(({ x, y, resetStates }) => [nested(x), nested(y), resetStates])).toEqual([
        ['[[0,1],[5,6]]', '[[1,2],[6,7]]', true],
        ['[[2,3],[7,8]]', '[[3,4],[8,9]]', false],
      ]);
    }
  });

  test('of features, keeps what belongs to a step together', () => {
    const x = ndarray(
      Float32Array.from({ length: 12 }, (_, i) => i / 2),
      [6, 2],
    );
    const batches = [...streamBatches(x, { batchSize: 2, steps: 3, targets: [0, 1, 2, 3, 4, 5] })];
    expect(batches.map(({ x, y }) => [nested(x), nested(y)])).toEqual([
      ['[[[0,0.5],[1,1.5],[2,2.5]],[[3,3.5],[4,4.5],[5,5.5]]]', '[[0,1,2],[3,4,5]]'],
    ]);
  });

  test.each<[string, unknown, Partial<StreamBatchesOptions>, string]>([
    [
      'a text that is too short',
      [1, 2, 3, 4],
      {},
      'sequence expected 5 steps or more for batchSize 2 and steps 2, got 4',
    ],
    ['steps 0', [1], { steps: 0 }, 'steps expected an integer ≥ 1, got 0'],
    ['features without targets', [[1], [2]], {}, 'targets expected for a sequence of features [2,1], got none'],
    ['targets of another length', [[1], [2]], { targets: [1] }, 'targets expected 2 steps as the sequence, got 1'],
  ])('%s, throws', (_, sequence, options, message) => {
    expect(() => streamBatches(sequence as number[], { batchSize: 2, steps: 2, ...options })).toThrow(
      new ArgumentError(`streamBatches: ${message}`),
    );
  });
});
