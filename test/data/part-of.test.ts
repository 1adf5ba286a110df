import { expect, test } from 'vitest';
import { partOf } from '../../src/data/part-of.ts';

test('hundredths of any number of rows and what they leave, are rounded down as whole numbers are', () => {
  const wrong: number[][] = [];
  for (let count = 1; count <= 1000; count++) {
    for (let percent = 1; percent < 100; percent++) {
      if (partOf(count, percent / 100) !== Math.floor((count * percent) / 100)) wrong.push([count, percent]);
      const rest = Math.floor((count * (100 - percent)) / 100);
      if (partOf(count, 1 - percent / 100) !== rest) wrong.push([count, 100 - percent]);
    }
  }
  expect(wrong).toEqual([]);
});
