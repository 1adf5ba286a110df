import { expect, test } from 'vitest';
import { CsvScanner } from '../../../src/data/tables/csv-scanner.ts';
import { decimal } from '../../../src/data/tables/decimal.ts';
import { RandomStream } from '../../../src/engine/random.ts';

const random = new RandomStream(29);
const below = (limit: number): number => random.nextUint32() % limit;

/** Each text as the scanner reads it; NaN if it leaves the text to `Number`. */
function scanned(texts: readonly string[]): Float64Array {
  const scanner = new CsvScanner(new TextEncoder().encode(texts.join('\n')), ',', 'f.csv');
  return Float64Array.from(texts, () => {
    const value = scanner.number();
    if (Number.isNaN(value)) scanner.field();
    scanner.nextField();
    return value;
  });
}

function expectNumbers(texts: readonly string[]): Float64Array {
  const values = scanned(texts);
  const wrong = texts.findIndex((text, i) => !Number.isNaN(values[i]) && !Object.is(values[i], Number(text)));
  expect(wrong < 0 ? '' : `${texts[wrong]} read as ${values[wrong]}`).toBe('');
  return values;
}

test('a million decimals of up to 34 digits, are those of Number or left to it', () => {
  const digits = (most: number): string => {
    const count = below(most + 1);
    let text = '';
    while (text.length < count) text += String(1e9 + below(1e9)).slice(1);
    return text.slice(0, count);
  };
  for (let round = 0; round < 10; round++) {
    expectNumbers(
      Array.from({ length: 100_000 }, () => {
        const sign = ['', '-', '+'][below(3)];
        const exponent = below(4) > 0 ? '' : `${'eE'[below(2)]}${['', '-', '+'][below(3)]}${below(30)}`;
        return `${sign}${below(1000)}${digits(16)}.${digits(17)}${exponent}`;
      }),
    );
  }
});

test('half a million numbers as JavaScript and NumPy write them, are those of Number, and few are left to it', () => {
  const numbers = Array.from({ length: 250_000 }, (_, i) => (random.nextUint32() / 2 ** 32 - 0.5) * 10 ** (i % 7));
  for (const write of [String, (x: number) => x.toExponential(18)]) {
    const left = expectNumbers(numbers.map(write)).filter(Number.isNaN).length;
    expect(left).toBeLessThan(0.05 * numbers.length);
  }
});

test('decimals that stand between two float64 or next to the middle, are those of Number or left to it', () => {
  const middles = Array.from({ length: 2000 }, (_, i) => BigInt(2 ** 53) + 2n * BigInt(i) + 1n);
  const near = middles.flatMap((middle) => [middle - 1n, middle, middle + 1n]).map(String);
  expectNumbers(near);
  expectNumbers(near.map((text) => `${text.slice(0, 3)}.${text.slice(3)}`));
  expectNumbers(near.map((text) => `${text}.000000000001`));
});

test.each([
  '0',
  '-0',
  '+0.0',
  '000000000000000000001',
  '0.000000000000000000001',
  '9007199254740992',
  '1e22',
  '5.',
  '.5',
  ' 7 ',
  '1E-7',
])('%j, is read without the help of Number', (text) => {
  expect(scanned([text])[0]).toBe(Number(text));
});

test.each([
  '',
  '.',
  '-',
  'e5',
  '1e',
  '1e+',
  '1.2.3',
  '1 2',
  '0x10',
  'Infinity',
  '1_000',
  '--1',
  '1e999',
  '1'.repeat(31),
])('%j, is not told', (text) => {
  expect(scanned([text])[0]).toBeNaN();
});

test('a scale beyond the exact powers of ten, is not told', () => {
  expect([decimal(1, 0, 0, 23), decimal(1, 0, 0, -23), decimal(1, 5, 1, -1)]).toEqual([
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
});
