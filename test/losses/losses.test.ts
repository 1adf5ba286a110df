// Losses against the numbers that Keras's own tests expect of them (keras/src/losses/losses_test.py, Keras 3), and
// their options.
import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import type { NestedNumbers } from '../../src/checks/nested-numbers.ts';
import { sizeOf } from '../../src/checks/shape.ts';
import { lossOf } from '../../src/losses/by-name.ts';
import * as losses from '../../src/losses/index.ts';
import type { Loss } from '../../src/losses/loss.ts';
import * as ops from '../../src/ops/index.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { integers, values } from '../kernels/reference/values.ts';

const makers = { ...losses };

type Maker = keyof typeof makers;
const make = (name: Maker, options: object = {}): Loss => makers[name](options as never);

const compute = (loss: Loss, y: NestedNumbers, p: NestedNumbers, weights?: NestedNumbers): number =>
  loss
    .compute(tensor(y, { dtype: loss.targetDtype }), tensor(p), weights === undefined ? undefined : tensor(weights))
    .item();

// Keras's three regression rows, as two samples of three outputs and as two sequences of three steps.
const Y = [
  [1, 9, 2],
  [-5, -2, 6],
];
const P = [
  [4, 8, 12],
  [8, 1, 3],
];
const PER_SAMPLE = [1.2, 3.4];
const PER_STEP = [
  [3, 6, 5],
  [0, 4, 2],
];
const steps = (rows: number[][]): number[][][] => rows.map((row) => row.map((v) => [v]));

const SHARES = [
  [0.9, 0.05, 0.05],
  [0.5, 0.89, 0.6],
  [0.05, 0.01, 0.94],
];
const LOGITS = [
  [8, 1, 1],
  [0, 9, 1],
  [2, 3, 5],
];
const EYE = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const THREE = [1.2, 3.4, 5.6];
const BITS = [
  [0, 1],
  [0, 0],
];
const MARGINS = [
  [0.6, 0.4],
  [0.4, 0.6],
];
const FOCAL = [
  [1, 0],
  [1, 0],
];
const FOCAL_P = [
  [0.9, 0.8],
  [0.7, 0.2],
];
const FOCAL_LOGITS = [
  [1.5, -2.7, 2.9],
  [-3.8, 1.2, -4.5],
];
const FOCAL_BITS = [
  [1, 1, 0],
  [0, 1, 0],
];
const EXTREME = [
  [1, 1],
  [1, 0],
];
const BINARY_LOGITS = [
  [10, -10, 10],
  [10, 10, -10],
];
const BINARY = [
  [1, 0, 1],
  [0, 1, 1],
];
const fromLogits = true;

describe('what Keras expects', () => {
  test.each<[Maker, object, NestedNumbers, NestedNumbers, NestedNumbers | undefined, number, number]>([
    ['meanSquaredError', {}, Y, P, undefined, 49.5, 5],
    ['meanSquaredError', {}, Y, P, PER_SAMPLE, 767.8 / 6, 4],
    ['meanSquaredError', {}, steps(Y), steps(P), PER_STEP, 97.833336, 4],
    ['meanAbsoluteError', {}, Y, P, undefined, 5.5, 6],
    ['meanAbsoluteError', {}, Y, P, PER_SAMPLE, 81.4 / 6, 5],
    ['meanAbsoluteError', {}, steps(Y), steps(P), PER_STEP, 13.833333, 5],
    ['meanAbsolutePercentageError', {}, Y, P, undefined, 211.8518, 3],
    ['meanAbsolutePercentageError', {}, Y, P, PER_SAMPLE, 422.8888, 3],
    ['meanAbsolutePercentageError', {}, steps(Y), steps(P), PER_STEP, 694.4444, 3],
    ['meanSquaredLogarithmicError', {}, Y, P, undefined, 1.437, 3],
    ['meanSquaredLogarithmicError', {}, Y, P, PER_SAMPLE, 3.7856, 3],
    ['meanSquaredLogarithmicError', {}, steps(Y), steps(P), PER_STEP, 2.647374, 5],
    ['meanSquaredError', { reduction: 'sum' }, Y, P, [2.3, 2.3], 227.7, 3],
    ['meanAbsoluteError', { reduction: 'sum' }, Y, P, [2.3, 2.3], 25.3, 4],
    ['meanSquaredError', { reduction: 'meanWithSampleWeight' }, Y, P, PER_SAMPLE, (44 + (187 / 3) * 3.4) / 4.6, 4],
    ['meanAbsoluteError', { reduction: 'meanWithSampleWeight' }, Y, P, PER_SAMPLE, (5.6 + (19 / 3) * 3.4) / 4.6, 5],
    ['huber', {}, BITS, MARGINS, undefined, 0.155, 6],
    [
      'logCosh',
      {},
      BITS,
      [
        [1, 1],
        [0, 0],
      ],
      undefined,
      0.10844523,
      6,
    ],
    ['hinge', {}, BITS, MARGINS, undefined, 1.3, 6],
    ['hinge', {}, BITS, MARGINS, [1, 0], 0.55, 6],
    ['squaredHinge', {}, BITS, MARGINS, undefined, 1.86, 6],
    ['squaredHinge', {}, BITS, MARGINS, [1, 0], 0.73, 6],
    ['categoricalHinge', {}, BITS, MARGINS, undefined, 1.4, 6],
    ['categoricalHinge', {}, BITS, MARGINS, [1, 0], 0.6, 6],
    [
      'binaryCrossentropy',
      {},
      EYE,
      [
        [0.9, 0.1, 0.2],
        [0.3, 0.8, 0.1],
        [0.1, 0.2, 0.7],
      ],
      undefined,
      0.20046903,
      6,
    ],
    ['binaryCrossentropy', {}, FOCAL, EXTREME, undefined, 3.98559, 4],
    ['binaryCrossentropy', {}, FOCAL, EXTREME, PER_SAMPLE, 4.7827, 4],
    ['binaryCrossentropy', { fromLogits }, BINARY, BINARY_LOGITS, undefined, 3.3333, 3],
    ['binaryCrossentropy', { fromLogits }, BINARY, BINARY_LOGITS, [4, 3], 10, 3],
    ['binaryCrossentropy', { fromLogits, labelSmoothing: 0.1 }, [[1, 0, 1]], [[10, -10, -10]], undefined, 10.5 / 3, 4],
    ['binaryFocalCrossentropy', {}, FOCAL, FOCAL_P, undefined, 0.268, 3],
    ['binaryFocalCrossentropy', {}, FOCAL, FOCAL_P, PER_SAMPLE, 0.34415, 3],
    ['binaryFocalCrossentropy', { gamma: 3, fromLogits }, FOCAL_BITS, FOCAL_LOGITS, undefined, 0.799, 3],
    ['binaryFocalCrossentropy', { gamma: 3, fromLogits }, FOCAL_BITS, FOCAL_LOGITS, PER_SAMPLE, 0.95977, 3],
    ['categoricalCrossentropy', {}, EYE, SHARES, undefined, 0.3239, 3],
    ['categoricalCrossentropy', {}, EYE, SHARES, THREE, 1.0696, 4],
    ['categoricalCrossentropy', { fromLogits }, EYE, LOGITS, undefined, 0.0573, 3],
    ['categoricalCrossentropy', { fromLogits }, EYE, LOGITS, THREE, 0.31829, 5],
    [
      'categoricalCrossentropy',
      { fromLogits, labelSmoothing: 0.1 },
      [[1, 0, 0]],
      [[100, -100, -100]],
      undefined,
      40 / 3,
      4,
    ],
    ['sparseCategoricalCrossentropy', {}, [0, 1, 2], SHARES, undefined, 0.3239, 3],
    ['sparseCategoricalCrossentropy', {}, [0, 1, 2], SHARES, THREE, 1.0696, 4],
    ['sparseCategoricalCrossentropy', { fromLogits }, [0, 1, 2], LOGITS, undefined, 0.0573, 3],
    ['sparseCategoricalCrossentropy', { fromLogits }, [0, 1, 2], LOGITS, THREE, 0.31829, 5],
    [
      'sparseCategoricalCrossentropy',
      { fromLogits, ignoreClass: -1 },
      [[-1, 2]],
      [
        [
          [0.854, 0.698, 0.598],
          [0.088, 0.86, 0.018],
        ],
      ],
      undefined,
      1.480129,
      6,
    ],
    ['categoricalFocalCrossentropy', {}, EYE, SHARES, undefined, 0.02059, 4],
    ['categoricalFocalCrossentropy', {}, EYE, SHARES, THREE, 0.06987, 5],
    ['categoricalFocalCrossentropy', { fromLogits }, EYE, LOGITS, undefined, 0.000345, 6],
    ['categoricalFocalCrossentropy', { fromLogits }, EYE, LOGITS, THREE, 0.001933, 5],
    [
      'categoricalFocalCrossentropy',
      { fromLogits, labelSmoothing: 0.1 },
      [[1, 0, 0]],
      [[4.9, -0.5, 2.05]],
      undefined,
      0.06685,
      4,
    ],
  ])('%s %j, of %j and %j weighted %j, is %d', (name, options, y, p, weights, expected, digits) => {
    expect(compute(make(name, options), y, p, weights)).toBeCloseTo(expected, digits);
  });

  test('cosineSimilarity beside a row of zeros, is 0 there', () => {
    const y = [
      [0, 1],
      [1, 1],
      [0, 0],
    ];
    const p = [
      [1, 0],
      [1, 1],
      [3, 4],
    ];
    const rows = make('cosineSimilarity').values!(tensor(y), tensor(p)).toArray();
    expect(Array.from(rows, (v) => v + 0)).toEqual([0, expect.closeTo(-1, 6), 0]);
  });
});

describe('weights', () => {
  const shape = [4, 3, 7];
  const logits = tensor(values(84, 1, 3), { shape });
  const ids = tensor(integers(12, 7, 2), { shape: [4, 3], dtype: 'i32' });

  test('all 1, leave the gradient of sparse crossentropy from logits as it is, to the bit', () => {
    const loss = make('sparseCategoricalCrossentropy', { fromLogits });
    const ones = tensor(new Float32Array(12).fill(1), { shape: [4, 3] });
    const plain = valueAndGrad(() => loss.compute(ids, logits), [logits]);
    const weighted = valueAndGrad(() => loss.compute(ids, logits, ones), [logits]);
    expect(weighted.value).toBe(plain.value);
    expectSameBits(weighted.grads[0]!.toArray(), plain.grads[0]!.toArray(), 'gradient');
  });

  test('a mask scaled by all / kept, gives the mean over what is kept', () => {
    const kept = [1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 0];
    const mask = tensor(
      kept.map((k) => (k * 12) / 7),
      { shape: [4, 3] },
    );
    for (const options of [{ fromLogits }, { fromLogits, ignoreClass: 3 }]) {
      const loss = make('sparseCategoricalCrossentropy', options);
      const rows = Array.from(loss.values!(ids, logits).toArray());
      const counts = kept.map((k, i) => k * (loss.counted?.(ids).toArray()[i] ?? 1));
      const expected = rows.reduce((sum, l, i) => sum + l * counts[i]!, 0) / counts.reduce((a, b) => a + b);
      expect(loss.compute(ids, logits, mask).item()).toBeCloseTo(expected, 5);
    }
  });

  test('of 0 everywhere, or rows that are all ignored, give a loss of 0 and gradients of 0', () => {
    const loss = make('sparseCategoricalCrossentropy', { fromLogits, ignoreClass: 3 });
    const none = tensor(new Int32Array(12).fill(3), { shape: [4, 3], dtype: 'i32' });
    const zeros = tensor(new Float32Array(12), { shape: [4, 3] });
    for (const run of [() => loss.compute(none, logits), () => loss.compute(ids, logits, zeros)]) {
      const { value, grads } = valueAndGrad(run, [logits]);
      expect(value).toBe(0);
      expect(grads[0]!.toArray().every((d: number) => d === 0)).toBe(true);
    }
    expect(compute(make('meanSquaredError', { reduction: 'meanWithSampleWeight' }), Y, P, [0, 0])).toBe(0);
  });

  test('stored time-major, are the same weights', () => {
    const weights = values(12, 3);
    const exchanged = ops.swapTimeBatch(
      tensor(
        Array.from({ length: 12 }, (_, i) => weights[(i % 4) * 3 + Math.floor(i / 4)]!),
        { shape: [3, 4] },
      ),
    );
    for (const name of ['meanSquaredError', 'sparseCategoricalCrossentropy'] as const) {
      const loss = make(name, name === 'meanSquaredError' ? {} : { fromLogits, ignoreClass: 2 });
      const y = name === 'meanSquaredError' ? tensor(values(84, 4), { shape }) : ids;
      const expected = loss.compute(y, logits, tensor(weights, { shape: [4, 3] })).item();
      expect(loss.compute(y, logits, exchanged).item()).toBe(expected);
    }
  });

  test.each(Object.keys(makers) as Maker[])('of another shape than %s wants, throw and name both', (name) => {
    const loss = make(name);
    const predictions = tensor(new Float32Array(24).fill(0.5), { shape: [2, 3, 4] });
    const wanted = loss.weightShape!([2, 3, 4]);
    expect(wanted).toEqual(name === 'ctc' ? [2] : [2, 3]);
    const shape = loss.targetShape?.([2, 3, 4]) ?? [2, 1];
    const y = tensor(new Float32Array(sizeOf(shape)), { shape, dtype: loss.targetDtype });
    expect(() => loss.compute(y, predictions, tensor([1, 2, 3]))).toThrow(
      new ArgumentError(`${name}: weights expected [${wanted.join(', ')}], got [3]`),
    );
  });
});

describe('lossOf', () => {
  test.each<[Maker, object]>([
    ...(Object.keys(makers) as Maker[]).map((name): [Maker, object] => [name, {}]),
    ['huber', { delta: 2.5, reduction: 'sum' }],
    ['binaryCrossentropy', { fromLogits, labelSmoothing: 0.1 }],
    ['binaryFocalCrossentropy', { applyClassBalancing: true, alpha: 0.4, gamma: 1 }],
    ['categoricalCrossentropy', { fromLogits, labelSmoothing: 0.1 }],
    ['categoricalFocalCrossentropy', { alpha: [1, 2], gamma: 0.5 }],
    ['sparseCategoricalCrossentropy', { fromLogits, ignoreClass: -1, reduction: 'meanWithSampleWeight' }],
    ['quantileLoss', { quantile: 0.9 }],
    ['quantileLoss', { quantiles: [0.1, 0.5, 0.9], reduction: 'sum' }],
    ['ctc', { blank: 3 }],
  ])('%s %j, is made again from its name and its options as JSON', (name, options) => {
    const loss = make(name, options);
    const config = JSON.parse(JSON.stringify(loss.config!()));
    expect(config).toMatchObject(options);
    const again = lossOf(name, config);
    expect(again.name).toBe(name);
    expect(again.config!()).toEqual(loss.config!());
  });

  test("a name in Keras's short form or a wrong one, is understood or told", () => {
    expect(lossOf('mse').name).toBe('meanSquaredError');
    expect(lossOf('bce', { fromLogits }).config!()).toMatchObject({ fromLogits });
    expect(() => lossOf('binary_crossentropy' as 'bce')).toThrow(
      /got 'binary_crossentropy'; did you mean 'binaryCrossentropy'\?$/,
    );
    expect(() => lossOf('acc' as 'bce')).toThrow(/^loss expected one of .*, got 'acc'$/);
    expect(() => lossOf('toString' as 'bce')).toThrow(ArgumentError);
  });

  test('a function, is the mean of what it gives, weighted where it gives a number a row', () => {
    const cubes = lossOf((y, p) => ops.sum(ops.mul(ops.square(ops.sub(p, y)), ops.abs(ops.sub(p, y))), { axis: -1 }));
    // Row sums of cubed distances: 27 + 1 + 1000, 2197 + 27 + 27.
    expect(compute(cubes, Y, P)).toBeCloseTo((1028 + 2251) / 2, 2);
    expect(compute(cubes, Y, P, [2, 0])).toBeCloseTo(1028, 2);
    const whole = lossOf((y, p) => ops.mean(ops.sub(p, y)));
    expect(compute(whole, Y, P)).toBeCloseTo(25 / 6, 5);
    expect(() => compute(whole, Y, P, [1, 1])).toThrow(
      new ArgumentError('function: expected a value for each row, so that rows can be weighed, got one for all'),
    );
    expect(lossOf(cubes)).toBe(cubes);
  });

  test.each<[Maker, object, string]>([
    ['huber', { delta: 0 }, 'huber: delta expected a number > 0, got 0'],
    ['quantileLoss', { quantile: 1.5 }, 'quantileLoss: quantile expected a number in [0, 1], got 1.5'],
    ['quantileLoss', { quantiles: [0.5, -1] }, 'quantileLoss: quantiles[1] expected a number in [0, 1], got -1'],
    ['quantileLoss', { quantiles: [] }, 'quantileLoss: quantiles expected one or more, got a list of 0'],
    ['quantileLoss', { quantiles: 0.5 }, 'quantileLoss: quantiles expected a list, got 0.5'],
    ['quantileLoss', { quantile: 0.5, quantiles: [0.5] }, 'quantileLoss: quantile or quantiles expected, got both'],
    [
      'binaryCrossentropy',
      { labelSmoothing: 1.5 },
      'binaryCrossentropy: labelSmoothing expected a number in [0, 1], got 1.5',
    ],
    [
      'categoricalCrossentropy',
      { fromLogits: 'yes' },
      "categoricalCrossentropy: fromLogits expected true or false, got 'yes'",
    ],
    ['binaryFocalCrossentropy', { gamma: -1 }, 'binaryFocalCrossentropy: gamma expected a number ≥ 0, got -1'],
    [
      'categoricalFocalCrossentropy',
      { alpha: [1, 'a'] },
      "categoricalFocalCrossentropy: alpha expected a finite number, got 'a'",
    ],
    [
      'sparseCategoricalCrossentropy',
      { ignoreClass: 0.5 },
      'sparseCategoricalCrossentropy: ignoreClass expected an integer, got 0.5',
    ],
    ['ctc', { blank: -1 }, 'ctc: blank expected an integer ≥ 0, got -1'],
    [
      'meanSquaredError',
      { reduction: 'none' },
      "meanSquaredError: reduction expected 'sumOverBatchSize', 'sum', 'meanWithSampleWeight', got 'none'",
    ],
  ])('%s with %j, throws', (name, options, message) => {
    expect(() => make(name, options)).toThrow(new ArgumentError(message));
  });
});
