import { expect, test } from 'vitest';
import { partOf } from '../../src/data/part-of.ts';

test('hundredths of any number of rows and what they leave, are rounded down as whole numbers are', () => {
  for (let count = 1; count <= 1000; count++) {
    for (let percent = 1; percent < 100; percent++) {
      expect(partOf(count, percent / 100)).toBe(Math.floor((count * percent) / 100));
      expect(partOf(count, 1 - percent / 100)).toBe(Math.floor((count * (100 - percent)) / 100));
    }
  }
});
