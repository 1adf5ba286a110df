import { describe, expect, test } from 'vitest';
import { plotGradientFlow } from '../../src/plot/gradient-flow.ts';
import { plotHistory } from '../../src/plot/history.ts';
import { lineCharts } from '../../src/plot/line-chart.ts';

/** Points of every drawn line of a colour, in pixels; the legend draws its samples with h, curves with L. */
const linesOf = (svg: string, colour: string): number[][][] =>
  [...svg.matchAll(new RegExp(`class="line ${colour}(?: dashed)?" d="M([^"h]*)"`, 'g'))].map(([, d]) =>
    d!.split('L').map((pair) => pair.split(' ').map(Number)),
  );
const labels = (svg: string, anchor: string): string[] =>
  [...svg.matchAll(new RegExp(`text-anchor="${anchor}">([^<]*)<`, 'g'))].map((match) => match[1]!);

const history = {
  epoch: [0, 1, 2, 3],
  history: { loss: [4, 3, 2, 1], accuracy: [0, 0.5, 0.5, 1], val_loss: [3, 2], val_accuracy: [0.25, 0.75] },
  validated: [1, 3],
};

describe('plotHistory', () => {
  test('has a panel for each measure, with validations at their own epochs', () => {
    const svg = plotHistory(history, { title: 'A run' });
    expect([...svg.matchAll(/class="title"[^>]*>([^<]*)/g)].map(([, title]) => title)).toEqual([
      'A run: loss',
      'accuracy',
    ]);
    expect(svg).toContain('viewBox="0 0 800 640"');
    const [loss, accuracy] = linesOf(svg, 'blue');
    expect(loss!.map(([x]) => x)).toEqual([64, 296, 528, 760]);
    expect(linesOf(svg, 'orange')[0]!.map(([x]) => x)).toEqual([296, 760]);
    expect(loss![0]![1]).toBe(84);
    expect(loss![3]![1]).toBe(264);
    expect(accuracy![0]![1]).toBe(320 + 264);
    expect(accuracy![3]![1]).toBe(320 + 84);
    expect(labels(svg, 'start')).toEqual(['training', 'validation', 'training', 'validation']);
  });

  test('of some metrics, has these alone; of an unknown one, throws', () => {
    const svg = plotHistory(history, { metrics: ['accuracy'] });
    expect(svg).toContain('viewBox="0 0 800 450"');
    expect(linesOf(svg, 'blue').length).toBe(1);
    expect(() => plotHistory(history.history as unknown as typeof history)).toThrow(
      'plotHistory: history expected all that fit returned, got its history alone',
    );
    expect(() => plotHistory(history, { metrics: ['auc'] })).toThrow(
      "plotHistory: metrics expected some of loss, accuracy, got 'auc'",
    );
  });

  test('of one epoch, marks it; of none, says so', () => {
    const one = plotHistory({ epoch: [0], history: { loss: [2] }, validated: [] });
    expect(one.match(/<circle class="dot blue"/g)).toHaveLength(1);
    expect(labels(plotHistory({ epoch: [], history: { loss: [] }, validated: [] }), 'middle')).toContain(
      'no epochs yet',
    );
  });
});

describe('plotGradientFlow', () => {
  test('stands on a scale of powers of ten', () => {
    const svg = plotGradientFlow([{ layer: 'rnn', norms: Float32Array.of(1e-4, 1e-3, 1e-2, 1e-1, 1) }]);
    expect(labels(svg, 'end')).toEqual(['1e-4', '0.001', '0.01', '0.1', '1']);
    const [points] = linesOf(svg, 'blue');
    expect(points!.map(([, y]) => y)).toEqual([394, 316.5, 239, 161.5, 84]);
    expect(points!.map(([x]) => x)).toEqual([64, 238, 412, 586, 760]);
  });

  test('over many powers, labels some', () => {
    const svg = plotGradientFlow([{ layer: 'rnn', norms: [1e-30, 3e10] }]);
    expect(labels(svg, 'end').length).toBeLessThan(10);
    for (const [, y] of linesOf(svg, 'blue')[0]!) {
      expect(y).toBeGreaterThanOrEqual(84);
      expect(y).toBeLessThanOrEqual(394);
    }
  });

  test('leaves out norms that are 0 or no numbers', () => {
    const svg = plotGradientFlow([{ layer: 'rnn', norms: [0, 2, Number.NaN, 3, 0] }]);
    expect(linesOf(svg, 'blue')[0]!.map(([x]) => x)).toEqual([238, 586]);
    expect(labels(plotGradientFlow([{ layer: 'rnn', norms: [0, 0] }]), 'middle')).toContain('no gradient');
  });

  test('of many layers, tells lines apart and breaks the legend, which takes no room from the lines', () => {
    const flows = Array.from({ length: 12 }, (_, i) => ({ layer: `a layer of some name ${i}`, norms: [1, 10 + i] }));
    const svg = plotGradientFlow(flows);
    const strokes = [...svg.matchAll(/class="(line [^"]*)" d="M[^"h]*"/g)].map(([, kind]) => kind);
    expect(new Set(strokes).size).toBe(12);
    const rows = new Set([...svg.matchAll(/class="line [^"]*" d="M\d+ (\d+)h24"/g)].map(([, y]) => Number(y)));
    expect([...rows]).toEqual([56, 76, 96, 116]);
    const highest = Math.min(...[...svg.matchAll(/class="grid" d="M64 ([\d.]+)H/g)].map(([, y]) => Number(y)));
    expect(highest).toBeGreaterThan(116 + 20);
  });
});

describe('lineCharts', () => {
  test('text with markup, is escaped wherever it stands', () => {
    const text = '<b>&"';
    const panel = { title: text, xLabel: text, yLabel: text, empty: text };
    const svg = lineCharts([{ ...panel, series: [{ label: text, points: [[0, 1]], colour: 'blue' }] }], {
      title: text,
    });
    expect(svg).not.toContain('<b>');
    expect(svg.match(/&lt;b&gt;&amp;&quot;/g)).toHaveLength(5);
  });
});
