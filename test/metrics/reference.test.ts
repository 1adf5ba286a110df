// Every metric against its float64 definition, at once and in batches.
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { metricOf } from '../../src/metrics/by-name.ts';
import * as named from '../../src/metrics/index.ts';
import type { Metric, MetricConfig, MetricResult } from '../../src/metrics/metric.ts';
import { CLASSES, COUNT, type MetricCase, metricCases, type Row, SAMPLES, STEPS, weights } from './reference-cases.ts';

const makers = { ...named };

/** Updates with the samples [from, to) of a case. */
function update(
  state: ReturnType<Metric['start']>,
  { y, p }: MetricCase,
  from: number,
  to: number,
  weighed: boolean,
): void {
  const part = (x: ArrayLike<number>): number[] => {
    const each = x.length / SAMPLES;
    return Array.prototype.slice.call(x, from * each, to * each) as number[];
  };
  const isIds = y.length === COUNT;
  const rows = [to - from, STEPS];
  state.update(
    tensor(part(y), isIds ? { shape: rows, dtype: 'i32' } : { shape: [...rows, CLASSES] }),
    tensor(part(p), { shape: [...rows, CLASSES] }),
    weighed ? tensor(part(weights), { shape: rows }) : undefined,
  );
}

function expectResult(got: MetricResult, expected: MetricResult): void {
  const list = [expected].flat();
  expect([got].flat()).toHaveLength(list.length);
  for (const [i, value] of [got].flat().entries()) {
    expect(Math.abs(value - list[i]!), `got ${got}, expected ${expected}`).toBeLessThan(
      2e-6 * Math.max(1, Math.abs(list[i]!)),
    );
  }
}

describe.each(metricCases)('$name $variant', ({ name, ...each }) => {
  const metric = makers[name](each.options as never);
  const rowsOf = (weighed: boolean): Row[] =>
    Array.from({ length: COUNT }, (_, i) => {
      const own = (x: ArrayLike<number>): number[] => {
        const size = x.length / COUNT;
        return Array.from({ length: size }, (_, j) => Math.fround(x[i * size + j]!));
      };
      return { y: own(each.y), p: own(each.p), w: weighed ? weights[i]! : 1 };
    });

  test.each([false, true])('at once and in batches, weighted %s, matches float64', (weighed) => {
    const expected = each.reference(rowsOf(weighed));
    for (const size of [SAMPLES, 2, 1]) {
      const state = metric.start(each.loss);
      for (let from = 0; from < SAMPLES; from += size)
        update(state, each, from, Math.min(from + size, SAMPLES), weighed);
      expectResult(state.result(), expected);
    }
  });

  test('before anything, or with weights of 0, is 0; two states know nothing of each other', () => {
    const [first, second] = [metric.start(each.loss), metric.start(each.loss)];
    update(first, each, 0, 2, false);
    const before = second.result();
    expect([before].flat().every((value) => value === 0)).toBe(true);
    const zeros = tensor(new Float32Array(STEPS), { shape: [1, STEPS] });
    const isIds = each.y.length === COUNT;
    second.update(
      tensor(Array.prototype.slice.call(each.y, 0, each.y.length / SAMPLES) as number[], {
        shape: isIds ? [1, STEPS] : [1, STEPS, CLASSES],
        dtype: isIds ? 'i32' : 'f32',
      }),
      tensor(Array.prototype.slice.call(each.p, 0, STEPS * CLASSES) as number[], { shape: [1, STEPS, CLASSES] }),
      zeros,
    );
    expect([second.result()].flat().every((value) => value === 0)).toBe(true);
  });

  test('is made again from its configuration as JSON', () => {
    const config = JSON.parse(JSON.stringify(metric.config!())) as MetricConfig;
    const again = metricOf(config, each.loss);
    expect(again.name).toBe(name);
    expect(JSON.parse(JSON.stringify(again.config!()))).toEqual(config);
    const [a, b] = [metric.start(each.loss), again.start()];
    for (const state of [a, b]) update(state, each, 0, SAMPLES, true);
    expect(a.result()).toEqual(b.result());
  });
});
