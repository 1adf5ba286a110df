import { describe, expect, test } from 'vitest';
import type { LossPoint } from '../../src/characters/run.ts';
import { lossCurveSvg } from '../../src/cli/loss-curve.ts';

/** Points of the drawn line of one class, in pixels; undefined if there is none. */
function line(svg: string, kind: string): number[][] | undefined {
  // The legend draws its samples with h, the curves with L.
  const d = new RegExp(`class="line ${kind}" d="M([^"h]*)"`).exec(svg)?.[1];
  return d?.split('L').map((pair) => pair.split(' ').map(Number));
}

const labels = (svg: string, anchor: string): string[] =>
  [...svg.matchAll(new RegExp(`text-anchor="${anchor}">([^<]*)<`, 'g'))].map((match) => match[1]);

/** Throws unless every tag that opens also closes, in order: enough XML for a file that we write ourselves. */
function checkWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, closing, name, selfClosing] of svg.matchAll(
    /<(\/?)([a-z]+)(?:\s+[\w:-]+="[^"<&]*(?:&\w+;[^"<&]*)*")*(\/?)>/g,
  )) {
    if (closing) expect(open.pop()).toBe(name);
    else if (!selfClosing) open.push(name);
  }
  expect(open).toEqual([]);
  expect(svg.match(/</g)).toHaveLength([...svg.matchAll(/<\/?[a-z]+[^<>]*>/g)].length);
}

const falling = (length: number, from = 0): LossPoint[] =>
  Array.from({ length }, (_, i) => [from + i + 1, 1 + 3 / (1 + (from + i) / 50) + (i % 2 ? 0.1 : -0.1)]);

describe('lossCurveSvg', () => {
  test('few points, stand where the axes say', () => {
    const svg = lossCurveSvg({
      train: [
        [0, 4],
        [50, 3],
        [100, 2],
      ],
      validation: [
        [50, 3.5],
        [100, 2.5],
      ],
      title: 't',
    });
    checkWellFormed(svg);
    const [first, middle, last] = line(svg, 'blue')!;
    expect(first).toEqual([64, 84]);
    expect(middle).toEqual([(64 + 760) / 2, (84 + 394) / 2]);
    expect(last).toEqual([760, 394]);
    expect(line(svg, 'orange')).toEqual([
      [412, 161.5],
      [760, 316.5],
    ]);
    expect(svg.match(/class="dot orange"/g)).toHaveLength(2);
    expect(labels(svg, 'end')).toEqual(['2.0', '2.5', '3.0', '3.5', '4.0']);
    expect(labels(svg, 'middle')).toEqual(['0', '20', '40', '60', '80', '100', 'step', 'loss']);
    expect(labels(svg, 'start')).toEqual(['training', 'validation, best 2.500 at step 100']);
  });

  test('many points, draws the raw line and a smoother mean of it', () => {
    const svg = lossCurveSvg({ train: falling(1000), validation: [], title: 't' });
    checkWellFormed(svg);
    const roughness = (points: number[][]) =>
      points.slice(501).reduce((sum, [, y], i) => sum + Math.abs(y - points[500 + i][1]), 0);
    const raw = line(svg, 'faint')!;
    const smooth = line(svg, 'blue')!;
    expect(raw).toHaveLength(1000);
    expect(roughness(smooth)).toBeLessThan(roughness(raw) / 10);
    expect(labels(svg, 'start')).toEqual(['training', 'training, mean of 25']);
  });

  test('long run, stays a small file and keeps its peak', () => {
    const train = falling(200_000);
    train[123_456][1] = 8;
    const svg = lossCurveSvg({ train, validation: [], title: 't' });
    expect(svg.length).toBeLessThan(60_000);
    expect(Math.min(...line(svg, 'faint')!.map(([, y]) => y))).toBe(84);
  });

  test('resumed run, begins its axis near its first step', () => {
    const svg = lossCurveSvg({ train: falling(1000, 5000), validation: [], title: 't' });
    expect(labels(svg, 'middle')[0]).toBe('5,000');
  });

  test('points out of order or not finite, are sorted or left out', () => {
    const sorted = lossCurveSvg({
      train: [
        [1, 3],
        [2, 2],
        [3, 1],
      ],
      validation: [[3, 2]],
      title: 't',
    });
    const mixed: LossPoint[] = [
      [3, 1],
      [1, 3],
      [4, Number.NaN],
      [2, 2],
      [5, Number.POSITIVE_INFINITY],
    ];
    expect(lossCurveSvg({ train: mixed, validation: [[3, 2]], title: 't' })).toBe(sorted);
  });

  test.each<[string, LossPoint[], LossPoint[]]>([
    ['nothing', [], []],
    ['one point at step 0', [[0, 4]], []],
    ['one validation', [], [[7, 4]]],
    [
      'the same loss throughout',
      [
        [1, 2],
        [2, 2],
        [3, 2],
      ],
      [],
    ],
    [
      'a loss of 0 throughout',
      [
        [1, 0],
        [2, 0],
      ],
      [[2, 0]],
    ],
    [
      'a loss that ran off',
      [
        [1, 3],
        [2, 3e38],
      ],
      [[2, 3e38]],
    ],
    [
      'tiny losses',
      [
        [1, 1e-9],
        [2, 2e-9],
      ],
      [],
    ],
    ['only NaN', [[1, Number.NaN]], []],
  ])('%s, draws finite coordinates and some ticks', (_, train, validation) => {
    const svg = lossCurveSvg({ train, validation, title: 't' });
    checkWellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|d="M"/);
    expect(labels(svg, 'end').length).toBeGreaterThanOrEqual(2);
    expect(labels(svg, 'end').length).toBeLessThan(12);
    expect(svg.length).toBeLessThan(6000);
    expect(svg.includes('no losses yet')).toBe([...train, ...validation].every(([, loss]) => Number.isNaN(loss)));
  });

  test('title with markup and control characters, is escaped', () => {
    const svg = lossCurveSvg({ train: [], validation: [], title: 'a<b & "c"\u0000\ud800' });
    checkWellFormed(svg);
    expect(svg).toContain('<title>a&lt;b &amp; &quot;c&quot;\ufffd\ufffd</title>');
  });

  test('style, has colours for light and dark pages', () => {
    const svg = lossCurveSvg({ train: falling(1000), validation: falling(10), title: 't' });
    const [light, dark] = svg.split('@media (prefers-color-scheme: dark)');
    for (const kind of ['page', 'title', 'grid', 'axis', 'line.faint', 'line.blue', 'line.orange', 'dot.orange']) {
      expect(light).toContain(`.${kind} {`);
      expect(dark).toContain(`.${kind} {`);
    }
  });
});
