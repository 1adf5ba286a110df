// Figures that README and guides repeat. Each must equal the committed result from which it comes. Both are read, so a
// new measurement fails the pages that still have the old figure.
import { describe, expect, test } from 'vitest';
import { readPage } from './programs.ts';

const readme = readPage('README.md');
const speed = readPage('acceptance/speed.md');
const sizes = readPage('docs/guides/bundle-size.md');

/**
 * Rows of the table behind a heading or any other text, as cells; the row of names first, the one of dashes left out.
 */
function tableBehind(page: string, text: string): string[][] {
  const at = page.indexOf(text);
  if (at < 0) throw new Error(`expected '${text}' in the page`);
  const lines = page.slice(at).split('\n');
  const from = lines.findIndex((line) => line.startsWith('|'));
  const table = lines.slice(from);
  const end = table.findIndex((line) => !line.startsWith('|'));
  return table
    .slice(0, end < 0 ? undefined : end)
    .filter((line) => !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/**
 * How many times tapeloop's time an engine takes, in each row of a table of acceptance/speed.md whose name is one of
 * `rows`.
 */
function ratios(table: string, engine: string, rows = /./): number[] {
  const [names, ...cells] = tableBehind(speed, `### ${table}`);
  const column = names!.indexOf(engine);
  if (column < 0) throw new Error(`'${table}' expected a column of ${engine}`);
  return cells.filter(([name]) => rows.test(name!)).map((row) => Number(/([\d.]+)×/.exec(row[column]!)![1]));
}

const percents = (table: string): number[] =>
  tableBehind(speed, `### ${table}`)
    .slice(1)
    .map(([, own]) => Number(/\((\d+)%\)/.exec(own!)![1]));

/** `27 to 42`: the ends of some numbers, to as many digits. */
function rangeOf(values: number[], digits = 2): string {
  const rounded = (value: number): string => String(Number(value.toPrecision(digits)));
  return `${rounded(Math.min(...values))} to ${rounded(Math.max(...values))}`;
}

const size = (app: string): string => {
  const row = tableBehind(sizes, '| app |').find(([name]) => name!.startsWith(app));
  if (!row) throw new Error(`bundle-size.md expected a row '${app}'`);
  return row[1]!;
};

const training = 'One training step, ms';
const tfjs = rangeOf(ratios(training, 'tfjs-wasm'));
const jaxJs = rangeOf(ratios(training, 'jax-js'));
const torch = rangeOf(
  ratios(training, 'torch').map((ratio) => Number(ratio.toFixed(2))),
  3,
);

/** How many times the time of tapeloop with wide vectors PyTorch takes. */
function torchBesideWide(): string {
  const wide = readPage('acceptance/wide.md');
  const [names, ...rows] = tableBehind(wide, '### One training step, ms\n');
  const ms = (row: string[], engine: string) => Number.parseFloat(row[names!.indexOf(engine)]!);
  return rangeOf(
    rows.map((row) => ms(row, 'torch') / ms(row, 'tapeloop-wide')),
    3,
  );
}

/** The first group of a pattern that a page must have. */
function found(page: string, pattern: RegExp): string {
  const match = pattern.exec(page.replace(/\s+/g, ' '));
  if (!match) throw new Error(`expected ${pattern} in the page`);
  return match[1]!;
}

describe('README', () => {
  test.each<[what: string, pattern: RegExp, figure: () => string]>([
    ['kB that run a model', /saved model loads ([\d.]+) kB/, () => size('runs a model of a file')],
    ['kB that train one', /trains with `fit` loads ([\d.]+) kB/, () => size('the same with `compile` and `fit`')],
    ['TF.js’s time', /on WebAssembly takes ([\d.]+ to [\d.]+) times as long/, () => tfjs],
    ['speed beside TF.js', /CPU: ([\d.]+ to [\d.]+) times as fast\. Size/, () => tfjs],
    ['jax-js’s time', /step, jax-js ([\d.]+ to [\d.]+) times/, () => jaxJs],
    ['speed beside jax-js', /recurrent networks on the CPU: ([\d.]+ to [\d.]+) times/, () => jaxJs],
    ['PyTorch’s time', /PyTorch ([\d.]+ to [\d.]+) times/, () => torch],
    ['PyTorch’s time beside wide vectors', /PyTorch takes ([\d.]+ to [\d.]+) times as long/, torchBesideWide],
    [
      'PyTorch’s time, two layers',
      /faster in PyTorch \(([\d.]+) times/,
      () => ratios(training, 'torch', /^lstm2/)[0]!.toFixed(2),
    ],
    [
      'native ONNX Runtime’s time',
      /batches in ([\d.]+ to [\d.]+) of/,
      () => rangeOf(ratios('A sequence forward, ms', 'ort-node', / (32|64)x/)),
    ],
    ['kB of TF.js', /its LSTM takes ([\d,]+ kB and [\d,]+ kB) of/, () => found(sizes, /backend (155 kB and 134 kB)/)],
    [
      'kB of ONNX Runtime',
      /it takes ([\d,]+ kB and [\d,]+ kB) of/,
      () => found(sizes, /train them, ([\d,]+ kB and [\d,]+ kB)/),
    ],
    [
      'runtimes',
      /runs in (\d+) set-ups/,
      () => String(tableBehind(readPage('docs/guides/runtimes.md'), '| runtime |').length - 1),
    ],
    [
      'outputs',
      /Outputs match PyTorch to (\S+) /,
      () => found(readPage('test/golden/expect-close.ts'), /OUTPUT_TOLERANCE = ([^;]+)/),
    ],
    [
      'gradients',
      /gradients to (\S+?)\. /,
      () => found(readPage('test/golden/expect-close.ts'), /GRADIENT_TOLERANCE = ([^;]+)/),
    ],
    ['loss', /validation loss of ([\d.]+),/, () => shakespeare()[2]!],
    ['PyTorch’s loss', /where PyTorch ends at ([\d.]+)\./, () => shakespeare()[4]!],
    [
      'loss before, of the picture',
      /falls from ([\d.]+) to/,
      () => found(readPage('docs/learning-light.svg'), /falls from ([\d.]+)/),
    ],
    [
      'loss behind, of the picture',
      /to ([\d.]+) in 600 steps/,
      () => found(readPage('docs/learning-dark.svg'), /falls from [\d.]+ to ([\d.]+),/),
    ],
  ])('%s, is what was measured', (_, pattern, figure) => {
    expect(found(readme, pattern)).toBe(figure());
  });

  test('runtimes, end with the same weights in each', () => {
    const [names, ...rows] = tableBehind(readPage('docs/guides/runtimes.md'), '| runtime |');
    const equal = names!.indexOf('hash equal');
    expect(rows.filter((row) => row[equal] !== 'yes')).toEqual([]);
  });
});

/** Seed 1 at its last step, numbers to three digits behind the point. */
function shakespeare(): string[] {
  const row = tableBehind(readPage('acceptance/shakespeare.md'), '| seed |').findLast(([seed]) => seed === '1')!;
  return row.map((cell) => Number(cell).toFixed(3));
}

describe('guides', () => {
  const performance = readPage('docs/guides/performance.md');
  const streaming = readPage('docs/guides/streaming.md');

  test('performance, times beside other libraries, are those of the table', () => {
    expect(found(performance, /reaches (\d+ to \d+)%/)).toBe(rangeOf(percents(training)));
    expect(found(performance, /TF\.js takes (\S+ to \S+) times/)).toBe(tfjs);
    expect(found(performance, /PyTorch on one core (\S+ to \S+) times/)).toBe(torch);
  });

  test('performance, what two threads give, is what was measured', () => {
    const [smallest, ...others] = found(speed, /two threads ≥ 1\.85× one \| ([\d., ]+)×/).split(', ');
    expect(found(performance, /two give ([\d.]+)×/)).toBe(smallest);
    expect(found(performance, /and ([\d.]+ to [\d.]+)× at larger ones/)).toBe(rangeOf(others.map(Number), 3));
  });

  test('performance, steps with int8 weights, are those of the internals', () => {
    const told = tableBehind(performance, '## int8 weights').slice(1);
    const rows = told.map(([, float32, int8]) => `${float32!.replace(' µs', '')} → ${int8!.replace(' µs', '')}`);
    expect(rows).toHaveLength(2);
    const internals = readPage('docs/internals/int8.md');
    expect(rows.filter((row) => !internals.includes(row))).toEqual([]);
  });

  test('streaming, time of a step and sizes, are what was measured', () => {
    const [, own] = tableBehind(speed, '### One time step of batch 1, µs')[1]!;
    expect(found(streaming, /WebAssembly: (\d+) µs a step for 128 units/)).toBe(
      Number(/[\d.]+/.exec(own!)![0]).toFixed(),
    );
    expect(found(streaming, /kernels of its own: ([\d.]+) kB/)).toBe(size('runs a model of a file'));
    expect(found(streaming, /([\d.]+) kB with `generate`/)).toBe(size('writes text with one'));
  });

  test('data, times of loadCsv, are those of acceptance/csv.md', () => {
    expect(tableBehind(readPage('docs/guides/data.md'), '| file |')).toEqual(
      tableBehind(readPage('acceptance/csv.md'), '| file |'),
    );
  });

  test('memory, of a training step, is what was measured', () => {
    const measured = found(speed, /\(32, 100, 256\) 1\.12× \(([\d.]+) MB in all\)/);
    expect(found(readPage('docs/guides/memory.md'), /takes ([\d.]+) MB in all/)).toBe(measured);
  });
});
