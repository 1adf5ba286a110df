import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { minMaxScale, standardize } from '../../src/data/scaling.ts';

const train = [
  [1, 10],
  [2, 10],
  [3, 10],
  [6, 10],
];

describe('standardize', () => {
  test('two features, are fitted apart; one that never varies is only moved', () => {
    const scale = standardize(train);
    expect(scale.mean).toEqual(Float64Array.of(3, 10));
    expect(scale.std).toEqual(Float64Array.of(Math.sqrt(3.5), 0));
    expect(scale.transform([[3, 12]]).data).toEqual(Float32Array.of(0, 2));
  });

  test('equal numbers whose mean is rounded, have no deviation to divide by', () => {
    expect(standardize([0.1, 0.1, 0.1]).transform([0.1]).data[0]).toBeCloseTo(0, 6);
  });

  test('one feature, fits values of any shape', () => {
    const scale = standardize(Float64Array.of(1, 3));
    const x = ndarray(Float32Array.of(1, 3, 5, 2), [2, 2, 1]);
    expect(scale.transform(x)).toEqual(ndarray(Float32Array.of(-1, 1, 3, 0), [2, 2, 1]));
  });

  test('forecasts of one feature of several, are inverted by its number', () => {
    const scale = standardize(train);
    const y = scale.inverse([[0, 1, -1]], { feature: 0 });
    expect(y.shape).toEqual([1, 3]);
    expect([...y.data]).toEqual([3, 3 + Math.sqrt(3.5), 3 - Math.sqrt(3.5)].map(Math.fround));
  });

  test('forecasts of as many steps as there are features, are refused until feature says what they are', () => {
    const scale = standardize([
      [1, 10, 100],
      [3, 30, 300],
    ]);
    const forecast = ndarray(Float32Array.of(1, 1, 1), [1, 3]);
    expect(() => scale.inverse(forecast)).toThrow(
      'standardize: feature expected, for [1, 3] may be steps of one feature (feature: 0) or all features (feature: [0,1,2])',
    );
    expect(() => scale.inverse([1, 1, 1])).toThrow('feature expected, for [3] may be');
    expect([...scale.inverse(forecast, { feature: 0 }).data]).toEqual([3, 3, 3]);
    expect([...scale.inverse(forecast, { feature: [0, 1, 2] }).data]).toEqual([3, 30, 300]);
    expect([...scale.inverse(ndarray(Float32Array.of(1, 1), [1, 2]), { feature: [2, 0] }).data]).toEqual([300, 3]);
    // Samples, steps and features can be nothing else, nor can what the scaler itself has made.
    expect([...scale.inverse(ndarray(Float32Array.of(1, 1, 1), [1, 1, 3])).data]).toEqual([3, 30, 300]);
    expect([...scale.inverse(scale.transform([[3, 30, 300]])).data]).toEqual([3, 30, 300]);
  });

  test.each([[[]], [[0, 2]], [['a']], [null]])('feature %j, is an error', (feature) => {
    expect(() => standardize(train).inverse([[1, 2]], { feature: feature as never })).toThrow(
      'standardize: feature expected 0 to 1, got',
    );
  });

  test('NaN, is passed over in fitting and stays', () => {
    const scale = standardize([1, Number.NaN, 3]);
    expect(scale.mean[0]).toBe(2);
    expect(scale.transform([Number.NaN, 2]).data).toEqual(Float32Array.of(Number.NaN, 0));
  });

  test.each<[string, () => unknown, string]>([
    [
      'infinite number',
      () => standardize([1, Number.POSITIVE_INFINITY]),
      'train expected finite numbers, got Infinity (flat index 1)',
    ],
    ['feature without a value', () => standardize([[1, Number.NaN]]), 'train has no value of feature 1'],
    ['nothing', () => standardize([]), 'train has no value of feature 0'],
    ['single number', () => standardize(3), 'train expected a list or an array, got a single number'],
    [
      'other number of features',
      () => standardize(train).transform([[1, 2, 3]]),
      'values expected a last axis of 2 features, or the option feature, got [1, 3]',
    ],
    ['feature that is none', () => standardize(train).inverse([1], { feature: 2 }), 'feature expected 0 to 1, got 2'],
  ])('%s, is an error', (_, run, message) => {
    expect(run).toThrow(`standardize: ${message}`);
  });
});

describe('minMaxScale', () => {
  test('features, come into the range; one that never varies becomes its lower end', () => {
    const scale = minMaxScale(train, { range: [-1, 1] });
    expect(scale.min).toEqual(Float64Array.of(1, 10));
    expect(scale.max).toEqual(Float64Array.of(6, 10));
    expect(
      scale
        .transform([
          [1, 10],
          [6, 10],
          [11, 10],
        ])
        .toNested(),
    ).toEqual([
      [-1, -1],
      [1, -1],
      [3, -1],
    ]);
  });

  test.each([[[1, 0]], [[0, 0]], [[0, Number.NaN]]])('range %j, is an error', (range) => {
    expect(() => minMaxScale([1], { range: range as [number, number] })).toThrow(
      'minMaxScale: range expected two numbers',
    );
  });
});

test.each([
  ['standardize', standardize],
  ['minMaxScale', minMaxScale],
])('%s of any numbers, is undone by its inverse', (_, fitted) => {
  const number = fc.integer({ min: -1000, max: 1000 });
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 8 }), (rows) => {
      const scale = fitted(rows);
      const back = scale.inverse(scale.transform(rows));
      for (const [i, value] of rows.flat().entries()) expect(Math.abs(back.data[i]! - value)).toBeLessThan(2e-3);
    }),
    { seed: 4 },
  );
});
