import { describe, expect, test } from 'vitest';
import { cosPi, exp2, integerPower, ln, power, sinPi } from '../../src/engine/float64.ts';

/** Numbers from `from` to `to`, the ends included. */
const grid = (from: number, to: number, count = 20_001): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
const relative = (got: number, expected: number): number => (got === expected ? 0 : Math.abs(got / expected - 1));
const worst = (xs: number[], error: (x: number) => number): number => Math.max(...xs.map(error));

describe('float64 functions', () => {
  test('ln, within 5e-16 of the host over 600 powers of ten and beside 1', () => {
    expect(worst(grid(-300, 300), (d) => relative(ln(10 ** d), Math.log(10 ** d)))).toBeLessThan(5e-16);
    expect(worst(grid(0.5, 2), (x) => relative(ln(x), Math.log(x)))).toBeLessThan(5e-16);
    expect(ln(1)).toBe(0);
  });

  test('exp2, within 4e-16 of the host, exact at integers, 0 and infinite beyond the range', () => {
    expect(worst(grid(-1021, 1023.999), (x) => relative(exp2(x), 2 ** x))).toBeLessThan(4e-16);
    for (const n of [-1022, -1, 0, 1, 52, 1023]) expect(exp2(n)).toBe(2 ** n);
    expect([exp2(-1023), exp2(-1e9), exp2(1024), exp2(1e9), exp2(Number.NaN)]).toEqual([0, 0, Infinity, Infinity, NaN]);
  });

  test('integerPower, exact where the result is a small integer, else within the exponent times 1e-16', () => {
    expect([integerPower(3, 0), integerPower(3, 1), integerPower(3, 13), integerPower(0.5, 40)]).toEqual([
      1,
      3,
      3 ** 13,
      2 ** -40,
    ]);
    for (const n of [10, 1000, 20_000]) {
      expect(relative(integerPower(0.999, n), 0.999 ** n)).toBeLessThan(n * 1.2e-16);
    }
  });

  test('power, within 1e-14 of the host where schedules use it', () => {
    for (const base of [1e-6, 0.1, 0.5, 0.9, 0.96, 0.9999, 1, 1.5, 10]) {
      const limit = Math.min(12 / Math.abs(Math.log10(base)), 1e6);
      expect(worst(grid(-limit, limit), (y) => relative(power(base, y), base ** y))).toBeLessThan(1e-14);
    }
    for (const exponent of [0.5, 0.9, 1, 1.5, 2, 3]) {
      expect(worst(grid(0, 1), (x) => relative(power(x, exponent), x ** exponent))).toBeLessThan(1e-14);
    }
    expect([power(0, 0), power(0, 2.5), power(0, -1), power(0.3, 1), power(0.3, 0)]).toEqual([1, 0, Infinity, 0.3, 1]);
  });

  test('cosPi, within 4e-16 of the host and exact at quarter turns', () => {
    expect(worst(grid(0, 1), (x) => Math.abs(cosPi(x) - Math.cos(Math.PI * x)))).toBeLessThan(4e-16);
    expect([0, 0.5, 1, 1.5, 2, 7, 1e6 + 0.5, -1].map(cosPi).map((y) => y + 0)).toEqual([1, 0, -1, 0, 1, -1, 0, -1]);
    expect([cosPi(-0.3), cosPi(2.3)]).toEqual([cosPi(0.3), cosPi(2.3)]);
    expect(cosPi(4.25)).toBe(cosPi(0.25));
  });

  test('sinPi, within 4e-16 of the host, also relatively near 0, and exact at quarter turns', () => {
    expect(worst(grid(-0.75, 0.75), (x) => Math.abs(sinPi(x) - Math.sin(Math.PI * x)))).toBeLessThan(4e-16);
    expect(worst(grid(-300, -1), (d) => relative(sinPi(10 ** d), Math.sin(Math.PI * 10 ** d)))).toBeLessThan(5e-16);
    expect([0.5, 1, 1.5, 2, 7, 1e6 + 0.5, -0.5, -1.5].map(sinPi).map((y) => y + 0)).toEqual([1, 0, -1, 0, 0, 1, -1, 1]);
    expect([sinPi(-0.3), sinPi(2.25), sinPi(-0)]).toEqual([-sinPi(0.3), sinPi(0.25), -0]);
    expect([sinPi(Infinity), sinPi(NaN)]).toEqual([NaN, NaN]);
  });
});
