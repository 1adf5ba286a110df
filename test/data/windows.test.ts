import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { loadCsv } from '../../src/data/tables/csv.ts';
import { type WindowOptions, windowBatches, windows } from '../../src/data/windows.ts';

const steps = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('windows', () => {
  test('one feature, gives inputs [N, T, 1] and the next steps [N, O]', () => {
    const { x, y, at } = windows(steps(6), { inputSteps: 3, outputSteps: 2 });
    expect(x.toNested()).toEqual([
      [[0], [1], [2]],
      [[1], [2], [3]],
    ]);
    expect(y.toNested()).toEqual([
      [3, 4],
      [4, 5],
    ]);
    expect(at).toEqual(Int32Array.of(3, 4));
  });

  test('several features, gives all of them or those asked for', () => {
    const series = ndarray(Float64Array.from(steps(8)), [4, 2]);
    const shapeAndFirst = (target?: number | number[]) => {
      const { x, y } = windows(series, { inputSteps: 2, ...(target !== undefined && { target }) });
      expect(x.toNested()).toEqual([
        [
          [0, 1],
          [2, 3],
        ],
        [
          [2, 3],
          [4, 5],
        ],
      ]);
      return y.toNested();
    };
    expect(shapeAndFirst()).toEqual([[[4, 5]], [[6, 7]]]);
    expect(shapeAndFirst(1)).toEqual([[5], [7]]);
    expect(shapeAndFirst([1, 0])).toEqual([[[5, 4]], [[7, 6]]]);
  });

  test('shift, stride and samplingRate, place windows and steps', () => {
    const { x, y, at } = windows(steps(14), { inputSteps: 3, outputSteps: 2, shift: 4, stride: 3, samplingRate: 2 });
    expect(x.toNested()).toEqual([
      [[0], [2], [4]],
      [[3], [5], [7]],
    ]);
    expect(y.toNested()).toEqual([
      [8, 10],
      [11, 13],
    ]);
    expect(at).toEqual(Int32Array.of(8, 11));
  });

  test("missing: 'skip', leaves out the windows that NaN stands in", () => {
    const series = [0, 1, Number.NaN, 3, 4, 5];
    const { x, y, at } = windows(series, { inputSteps: 2, missing: 'skip' });
    expect(x.toNested()).toEqual([[[3], [4]]]);
    expect(y.toNested()).toEqual([[5]]);
    expect(at).toEqual(Int32Array.of(5));
  });

  test('NaN in a feature that is an input alone, skips by inputs and not by outputs', () => {
    const series = [
      [0, 0],
      [1, Number.NaN],
      [2, 2],
      [3, 3],
      [4, Number.NaN],
    ];
    const { at } = windows(series, { inputSteps: 1, target: 0, missing: 'skip' });
    expect(at).toEqual(Int32Array.of(1, 3, 4));
  });

  test('any options, each number is that of the formula', () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    const options = fc.record({
      inputSteps: size(4),
      outputSteps: size(3),
      shift: size(3),
      stride: size(3),
      samplingRate: size(3),
    });
    fc.assert(
      fc.property(options, fc.nat(10), size(3), (o, more, features) => {
        const first = (o.inputSteps - 1) * o.samplingRate + o.shift;
        const span = first + (o.outputSteps - 1) * o.samplingRate + 1;
        const count = span + more;
        const series = ndarray(Float64Array.from(steps(count * features)), [count, features]);
        const { x, y, at } = windows(series, { ...o, target: [features - 1] });
        const n = Math.floor(more / o.stride) + 1;
        expect(x.shape).toEqual([n, o.inputSteps, features]);
        expect(y.shape).toEqual([n, o.outputSteps, 1]);
        for (let i = 0; i < n; i++) {
          expect(at[i]).toBe(i * o.stride + first);
          for (let t = 0; t < o.inputSteps; t++) {
            for (let f = 0; f < features; f++) {
              const step = i * o.stride + t * o.samplingRate;
              expect(x.data[(i * o.inputSteps + t) * features + f]).toBe(step * features + f);
            }
          }
          for (let k = 0; k < o.outputSteps; k++) {
            const step = i * o.stride + first + k * o.samplingRate;
            expect(y.data[i * o.outputSteps + k]).toBe(step * features + features - 1);
          }
        }
      }),
      { seed: 6 },
    );
  });

  test.each<[string, Parameters<typeof windows>, string]>([
    ['short series', [steps(3), { inputSteps: 3 }], 'series expected 4 steps or more for one window, got 3'],
    ['no input', [steps(3), { inputSteps: 0 }], 'inputSteps expected an integer ≥ 1, got 0'],
    ['no options', [steps(3), {} as WindowOptions], 'inputSteps expected an integer ≥ 1, got undefined'],
    ['half a stride', [steps(3), { inputSteps: 1, stride: 0.5 }], 'stride expected an integer ≥ 1, got 0.5'],
    ['cube', [[[[1]]], { inputSteps: 1 }], 'series expected [S] or [S, F], got [1, 1, 1]'],
    ['target that is none', [steps(3), { inputSteps: 1, target: 1 }], 'target expected features from 0 to 0, got 1'],
    ['no target', [steps(3), { inputSteps: 1, target: [] }], 'target expected one feature or more, got none'],
    ['NaN', [[1, Number.NaN, 2], { inputSteps: 1 }], 'series expected finite numbers, got NaN at step 1, feature 0'],
    [
      'infinite number, even if NaN is skipped',
      [[1, Number.POSITIVE_INFINITY, 2], { inputSteps: 1, missing: 'skip' }],
      'series expected finite numbers, got Infinity at step 1',
    ],
    ['number beyond float32', [[1, 1e300], { inputSteps: 1 }], 'series expected finite numbers, got 1e+300 at step 1'],
    [
      'NaN in every window',
      [[Number.NaN, 1], { inputSteps: 1, missing: 'skip' }],
      'series has NaN in each of its 1 windows',
    ],
    [
      'missing that is none',
      [steps(3), { inputSteps: 1, missing: 'nan' as 'skip' }],
      `missing expected 'error', 'skip' or 'interpolate', got 'nan'`,
    ],
  ])('%s, is an error', (_, args, message) => {
    expect(() => windows(...args)).toThrow(`windows: ${message}`);
  });
});

describe('windows by name', () => {
  const csv = new TextEncoder().encode('day,load,temp\nMo,1,10\nTu,2,20\nWe,3,\nTh,4,40\nFr,5,50\n');
  const table = () => loadCsv(csv, { missing: 'nan' });

  test('of a table, take its columns of numbers, or those asked for in their order', async () => {
    const options = { inputSteps: 1, missing: 'skip' } as const;
    expect(windows(await table(), options)).toEqual(windows((await table()).array(['load', 'temp']), options));
    const { x, y } = windows(await table(), { ...options, columns: ['temp', 'load'], target: 'load' });
    expect(x.toNested()).toEqual([[[10, 1]], [[20, 2]], [[40, 4]]]);
    expect(y.toNested()).toEqual([[2], [3], [5]]);
  });

  test('of an array, name its features', () => {
    const series = ndarray(Float64Array.from(steps(8)), [4, 2]);
    const named = (target: WindowOptions['target']) =>
      windows(series, { inputSteps: 2, columns: ['a', 'b'], target: target! }).y.toNested();
    expect(named('b')).toEqual([[5], [7]]);
    expect(named(['b', 'a'])).toEqual([[[5, 4]], [[7, 6]]]);
    expect(named(['b', 0])).toEqual([[[5, 4]], [[7, 6]]]);
    expect(windows(steps(3), { inputSteps: 1, columns: ['a'], target: 'a' }).y.toNested()).toEqual([[1], [2]]);
  });

  test('in batches, are those of windows', async () => {
    const options = { inputSteps: 1, columns: ['load'], target: 'load' };
    const [batch] = windowBatches(await table(), options);
    expect(batch).toEqual(windows(await table(), options));
  });

  test.each<[Partial<WindowOptions>, string]>([
    [{ target: 'wind' }, "windows: target expected features from 0 to 1, or 'load', 'temp', got 'wind'"],
    [{ target: 'day' }, "windows: target expected features from 0 to 1, or 'load', 'temp', got 'day'"],
    [{ columns: ['wind'] }, "column expected one of 'day', 'load', 'temp', got 'wind'"],
    [{ columns: ['day'] }, "column 'day' expected numbers, got strings"],
    [{ columns: [] }, 'windows: columns expected one of numbers or more, got none'],
    [{ columns: 'load' as never }, "windows: columns expected a list of names, got 'load'"],
  ])('%j, is an error', async (options, message) => {
    const given = await table();
    expect(() => windows(given, { inputSteps: 1, missing: 'skip', ...options })).toThrow(message);
  });

  test('a name of an array without names, or names for other features, are errors', () => {
    expect(() => windows(steps(3), { inputSteps: 1, target: 'a' })).toThrow(
      "windows: target expected features from 0 to 0 (columns: [...] gives them names), got 'a'",
    );
    expect(() => windows(steps(3), { inputSteps: 1, columns: ['a', 'b'] })).toThrow(
      'windows: columns expected a name for each of 1 features, got 2',
    );
  });
});

describe("windows with missing: 'interpolate'", () => {
  const { NaN: gap } = Number;

  test('fill each feature by itself and leave the series as it was', () => {
    const series = ndarray(Float64Array.of(gap, 0, 1, gap, gap, 4, 3, gap), [4, 2]);
    const { x } = windows(series, { inputSteps: 3, missing: 'interpolate' });
    expect(x.toNested()).toEqual([
      [
        [1, 0],
        [1, 2],
        [2, 4],
      ],
    ]);
    expect(series.data[0]).toBeNaN();
  });

  test('of a feature that is all NaN, are refused', () => {
    expect(() =>
      windows(
        [
          [1, gap],
          [2, gap],
        ],
        { inputSteps: 1, missing: 'interpolate' },
      ),
    ).toThrow('windows: series has nothing but NaN in feature 1');
  });
});

describe('windowBatches', () => {
  const series = steps(12);
  const options = { inputSteps: 2, batchSize: 4 };

  test('in order, are the windows cut into batches, in every pass', () => {
    const { x, y, at } = windows(series, { inputSteps: 2 });
    const batches = windowBatches(series, options);
    expect(batches.length).toBe(3);
    for (let pass = 0; pass < 2; pass++) {
      const parts = [...batches];
      expect(parts.map((part) => part.x.shape)).toEqual([
        [4, 2, 1],
        [4, 2, 1],
        [2, 2, 1],
      ]);
      expect(parts.flatMap((part) => [...part.x.data])).toEqual([...x.data]);
      expect(parts.flatMap((part) => [...part.y.data])).toEqual([...y.data]);
      expect(parts.flatMap((part) => [...part.at])).toEqual([...at]);
    }
  });

  test('shuffled, are all windows in another order each pass, that the seed fixes', () => {
    const passes = (seed: number) => {
      const batches = windowBatches(series, { ...options, shuffle: true, seed });
      return [1, 2].map(() => [...batches].flatMap((part) => [...part.at]));
    };
    const [first, second] = passes(1);
    expect([...first!].sort((a, b) => a - b)).toEqual([...windows(series, { inputSteps: 2 }).at]);
    expect(second).not.toEqual(first);
    expect(passes(1)).toEqual([first, second]);
  });

  test('mistakes, are told at once', () => {
    expect(() => windowBatches(series, { inputSteps: 12 })).toThrow('windowBatches: series expected 13 steps or more');
    expect(() => windowBatches(series, { ...options, batchSize: 0 })).toThrow('windowBatches: batchSize expected');
  });
});

describe('windows of a long series', () => {
  const series = Float32Array.from({ length: 200_000 }, (_, i) => i);

  test('are looked through once, however long they are, in batches as well', () => {
    const batches = windowBatches(series, { inputSteps: 100_000, batchSize: 1 });
    expect(batches.length).toBe(100_000);
    const gap = series.slice();
    gap[150_000] = Number.NaN;
    expect(windowBatches(gap, { inputSteps: 100_000, batchSize: 1, missing: 'skip' }).length).toBe(50_000);
    expect(() => windowBatches(gap, { inputSteps: 100_000 })).toThrow('got NaN at step 150000, feature 0');
  });

  test('all together more than there is memory for, are refused in words', () => {
    const long = new Float32Array(3_000_000);
    expect(() => windows(long, { inputSteps: 1_500_000 })).toThrow(
      'windows: series (windowBatches cuts it batch by batch) expected fewer numbers than this host has room for',
    );
  });

  test('with gaps between steps, of any features, leave out those that each number says', () => {
    const seed = 5;
    fc.assert(
      fc.property(
        fc.record({
          data: fc.array(fc.constantFrom(1, 2, Number.NaN), { minLength: 24, maxLength: 40 }),
          inputSteps: fc.integer({ min: 1, max: 3 }),
          outputSteps: fc.integer({ min: 1, max: 2 }),
          shift: fc.integer({ min: 1, max: 2 }),
          samplingRate: fc.integer({ min: 1, max: 3 }),
          stride: fc.integer({ min: 1, max: 2 }),
        }),
        ({ data, ...options }) => {
          const rows = Array.from({ length: data.length >> 1 }, (_, s) => data.slice(2 * s, 2 * s + 2));
          const { inputSteps, outputSteps, shift, samplingRate, stride } = options;
          const firstOutput = (inputSteps - 1) * samplingRate + shift;
          const span = firstOutput + (outputSteps - 1) * samplingRate + 1;
          fc.pre(rows.length >= span);
          const expected: number[] = [];
          for (let start = 0; start + span <= rows.length; start += stride) {
            const ins = Array.from({ length: inputSteps }, (_, t) => rows[start + t * samplingRate]!).flat();
            const outs = Array.from(
              { length: outputSteps },
              (_, t) => rows[start + firstOutput + t * samplingRate]![0]!,
            );
            if (![...ins, ...outs].some(Number.isNaN)) expected.push(start + firstOutput);
          }
          fc.pre(expected.length > 0);
          expect([...windows(rows, { ...options, target: 0, missing: 'skip' }).at]).toEqual(expected);
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});
