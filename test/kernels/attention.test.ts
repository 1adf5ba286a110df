// One step of attention against sums in float64, on a grid of shapes with every tail.
import { describe, expect, test } from 'vitest';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const grid = [
  [1, 1, 1],
  [2, 3, 4],
  [3, 2, 5],
  [2, 4, 7],
  [1, 5, 18],
  [2, 20, 67],
  [0, 3, 4],
  [2, 0, 4],
  [2, 3, 0],
] as const;

function expectNear(what: string, got: ArrayLike<number>, expected: readonly number[]): void {
  expect(got.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(got[i]! - value), `${what}[${i}]: ${got[i]} for ${value}`).toBeLessThanOrEqual(
      2e-6 * Math.max(1, Math.abs(value)) * 10,
    );
  }
}

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const { extra } = sandbox;

  test.each(grid)('%i sequences of %i steps, width %i', (batch, steps, width) => {
    const x = values(batch * width, 1);
    const rows = values(batch * steps * width, 2);
    const w = values(batch * steps, 3);
    const v = values(width, 4);
    const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
    const pairs = range(batch).flatMap((b) => range(steps).map((s) => [b, s] as const));
    const at = (b: number, s: number, d: number): number => (b * steps + s) * width + d;
    const feature = (b: number, s: number, d: number): number => Math.tanh(x[b * width + d]! + rows[at(b, s, d)]!);
    const total = (terms: number[]): number => terms.reduce((sum, term) => sum + term, 0);
    for (const misaligned of [false, true]) {
      sandbox.clear();
      const [xAt, rowsAt, wAt, vAt] = [x, rows, w, v].map((each) => sandbox.f32(each, misaligned));
      const [dots, additive] = [sandbox.f32(w.length, misaligned), sandbox.f32(w.length, misaligned)];
      const [mean, added] = [sandbox.f32(x.length, misaligned), sandbox.f32(x, misaligned)];
      const spread = sandbox.f32(rows, misaligned);
      const [dx, dRows, dv] = [x, rows, v].map((each) => sandbox.f32(each, misaligned));
      extra.attention_dots(batch, steps, width, xAt!, rowsAt!, dots);
      extra.attention_combine(batch, steps, width, wAt!, rowsAt!, mean, 0);
      extra.attention_combine(batch, steps, width, wAt!, rowsAt!, added, 1);
      extra.attention_spread(batch, steps, width, wAt!, xAt!, spread);
      extra.attention_additive(batch, steps, width, xAt!, rowsAt!, vAt!, additive);
      extra.attention_additive_backward(batch, steps, width, xAt!, rowsAt!, vAt!, wAt!, dx!, dRows!, dv!);
      sandbox.checkFences();

      const columns = range(width);
      expectNear(
        'dots',
        sandbox.read(dots, w.length),
        pairs.map(([b, s]) => total(columns.map((d) => x[b * width + d]! * rows[at(b, s, d)]!))),
      );
      expectNear(
        'additive',
        sandbox.read(additive, w.length),
        pairs.map(([b, s]) => total(columns.map((d) => v[d]! * feature(b, s, d)))),
      );
      const combined = range(batch).flatMap((b) =>
        columns.map((d) => total(range(steps).map((s) => w[b * steps + s]! * rows[at(b, s, d)]!))),
      );
      expectNear('combine', sandbox.read(mean, x.length), combined);
      expectNear(
        'combine, accumulated',
        sandbox.read(added, x.length),
        combined.map((value, i) => value + x[i]!),
      );
      expectNear(
        'spread',
        sandbox.read(spread, rows.length),
        pairs.flatMap(([b, s]) => columns.map((d) => rows[at(b, s, d)]! + w[b * steps + s]! * x[b * width + d]!)),
      );
      const slope = (b: number, s: number, d: number): number =>
        w[b * steps + s]! * v[d]! * (1 - feature(b, s, d) ** 2);
      expectNear(
        'dx',
        sandbox.read(dx!, x.length),
        range(batch).flatMap((b) =>
          columns.map((d) => x[b * width + d]! + total(range(steps).map((s) => slope(b, s, d)))),
        ),
      );
      expectNear(
        'dRows',
        sandbox.read(dRows!, rows.length),
        pairs.flatMap(([b, s]) => columns.map((d) => rows[at(b, s, d)]! + slope(b, s, d))),
      );
      expectNear(
        'dv',
        sandbox.read(dv!, width),
        columns.map((d) => v[d]! + total(pairs.map(([b, s]) => w[b * steps + s]! * feature(b, s, d)))),
      );
    }
  });
});
