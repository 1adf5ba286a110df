import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpolate } from '../../../src/data/tables/interpolate.ts';

test('any gaps, lie on the line between their neighbours, and at the ends are the nearest value', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(1, 2, 7, Number.NaN), { minLength: 1, maxLength: 12 }), (values) => {
      const known = values.flatMap((x, i) => (Number.isNaN(x) ? [] : [i]));
      fc.pre(known.length > 0);
      const expected = values.map((_, i) => {
        const before = known.findLast((k) => k <= i);
        const behind = known.find((k) => k >= i);
        if (before === undefined || behind === undefined) return values[(before ?? behind)!];
        return before === behind
          ? values[i]
          : values[before] + ((values[behind] - values[before]) * (i - before)) / (behind - before);
      });
      const filled = Float64Array.from(values);
      expect(interpolate(filled)).toBe(true);
      filled.forEach((x, i) => expect(x).toBeCloseTo(expected[i], 12));
      // Several series one beside another.
      const beside = Float64Array.from(values.flatMap((x) => [x, 5]));
      expect([interpolate(beside, 0, 2), interpolate(beside, 1, 2)]).toEqual([true, true]);
      expect(beside.filter((_, i) => i % 2 === 0)).toEqual(filled);
    }),
    { seed: 3 },
  );
});

test('whole numbers that lie on the line, are exact', () => {
  for (let gap = 2; gap <= 60; gap++) {
    for (const [first, rise] of [
      [1, 2],
      [-7, 3],
      [1000, -11],
    ]) {
      const values = new Float64Array(gap + 1).fill(Number.NaN);
      values[0] = first!;
      values[gap] = first! + gap * rise!;
      interpolate(values);
      expect([...values]).toEqual(Array.from(values, (_, k) => first! + k * rise!));
      const beside = Float64Array.from(values, (x, i) => (i % gap === 0 ? x : Number.NaN)).map((x) => x);
      const wide = Float64Array.from([...beside].flatMap((x) => [x, 0, 0]));
      interpolate(wide, 0, 3);
      expect(wide.filter((_, i) => i % 3 === 0)).toEqual(values);
    }
  }
});

test('numbers whose difference no float64 holds, are filled nevertheless', () => {
  const values = Float64Array.of(-1.5e308, Number.NaN, 1.5e308);
  interpolate(values);
  expect(values[1]).toBe(0);
});

test('no numbers at all, are told', () => {
  expect(interpolate(Float64Array.of(Number.NaN, Number.NaN))).toBe(false);
  expect(interpolate(new Float64Array(0))).toBe(true);
});
