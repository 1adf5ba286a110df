import { expect, test } from 'vitest';
import { digits, duration, minuteOf, percentage, plusMinus, printable } from '../../../src/bench/report/numbers.ts';

test('digits, of numbers of all sizes, are three without an exponent', () => {
  expect([0, 0.0001234, 0.9996, 1.234, 9.999, 12.34, 99.96, 123.4, 999.6, 12345].map(digits)).toEqual([
    '0',
    '0.000123',
    '1.00',
    '1.23',
    '10.0',
    '12.3',
    '100',
    '123',
    '1000',
    '12345',
  ]);
});

test('duration, at the ends of units, takes the larger unit once the rounded time reaches it', () => {
  expect([0, 0.0000612, 0.0009994, 0.0009996, 0.0123, 0.9996, 12.34, 999.6, 61_234].map(duration)).toEqual([
    '0 ns',
    '61.2 ns',
    '999 ns',
    '1.00 µs',
    '12.3 µs',
    '1.00 ms',
    '12.3 ms',
    '1.00 s',
    '61.2 s',
  ]);
});

test('percentage, of small parts, has a decimal below 1%', () => {
  expect([0.004, 0.0096, 0.43, 1.2].map(percentage)).toEqual(['0.4%', '1%', '43%', '120%']);
});

test('plusMinus, of an interval that is wider above, is half of its width', () => {
  expect(plusMinus(100, 99, 103)).toBe('±2.0%');
  expect(plusMinus(100, 50, 300)).toBe('±>99%');
});

test('printable, of controls and line ends, has spaces', () => {
  expect(printable('\x1b[31mV8\r\n13\u2028x\u0000')).toBe('[31mV8 13 x');
});

test('minuteOf, of an ISO date and of another text, ends at the minute or is the text', () => {
  expect([minuteOf('2026-11-30T12:05:59.123Z'), minuteOf('yesterday')]).toEqual(['2026-11-30 12:05 UTC', 'yesterday']);
});
