import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Init } from '../../src/engine/abi.ts';
import { expectSameBits } from './compare.ts';
import { int8Product } from './reference/int8.ts';
import { values as random } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

interface Case {
  m: number;
  n: number;
  k: number;
  init?: keyof typeof Init;
  /** B stored as its transpose. */
  transposeB?: boolean;
  /** Elements between stored rows. */
  gapA?: number;
  gapB?: number;
  gapC?: number;
  misaligned?: boolean;
}

const GAP = -12345;

/** `[rows, cols]` in storage with NaN between rows. */
function stored(rows: number, cols: number, values: ArrayLike<number>, gap: number, transpose = false) {
  const inner = transpose ? rows : cols;
  const outer = transpose ? cols : rows;
  const storage = new Float32Array(outer * (inner + gap)).fill(Number.NaN);
  const [rs, cs] = transpose ? [1, inner + gap] : [inner + gap, 1];
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) storage[i * rs + j * cs] = values[i * cols + j]!;
  return { storage, rs, cs };
}

/** Runs one case, of random operands or the given ones, and holds every bit to the reference. */
function run(sandbox: Sandbox, c: Case, a = random(c.m * c.k, 1), b = random(c.k * c.n, 2)): Float32Array {
  const { m, n, k, init = 'Zero', gapA = 0, gapB = 0, gapC = 0, misaligned = false } = c;
  const { kernels } = sandbox;
  sandbox.clear();
  const bias = random(n, 4);
  const old = random(m * n, 3);
  const storedA = stored(m, k, a, gapA);
  const storedB = stored(k, n, b, gapB, c.transposeB);
  const storedC = stored(m, n, init === 'Accumulate' ? old : new Float32Array(m * n).fill(Number.NaN), gapC);
  for (let i = 0; i < m; i++) storedC.storage.fill(GAP, i * storedC.rs + n, (i + 1) * storedC.rs);
  const at = sandbox.f32(storedA.storage, misaligned);
  const bt = sandbox.f32(storedB.storage, misaligned);
  const biasAt = init === 'Bias' ? sandbox.f32(bias, misaligned) : 0;
  const packed = sandbox.f32(kernels.gemm_int8_packed_size(k, n) / 4, misaligned);
  const scratch = sandbox.f32(kernels.gemm_scratch_size(), misaligned);
  const ct = sandbox.f32(storedC.storage, misaligned);

  kernels.gemm_int8_pack(k, n, bt, storedB.rs, storedB.cs, packed);
  kernels.gemm_int8(m, n, k, at, storedA.rs, packed, ct, storedC.rs, Init[init], biasAt, scratch);
  sandbox.checkFences();

  const result = sandbox.read(ct, storedC.storage.length);
  for (let i = 0; i < m; i++) {
    expectSameBits(
      result.subarray(i * storedC.rs + n, (i + 1) * storedC.rs),
      new Float32Array(gapC).fill(GAP),
      `gap of C after row ${i}, ${JSON.stringify(c)}`,
    );
  }
  const dense = Float32Array.from({ length: m * n }, (_, i) => result[Math.floor(i / n) * storedC.rs + (i % n)]!);
  const start = Float32Array.from({ length: m * n }, (_, i) =>
    init === 'Accumulate' ? old[i]! : init === 'Bias' ? bias[i % n]! : 0,
  );
  const expected = int8Product({ m, n, k }, a, b, start);
  expectSameBits(dense, expected.values, JSON.stringify(c));
  for (let i = 0; i < m * n; i++) {
    let exact = start[i]!;
    for (let p = 0; p < k; p++) exact += a[Math.floor(i / n) * k + p]! * b[p * n + (i % n)]!;
    if (Math.abs(dense[i]! - exact) > expected.bounds[i]!) {
      throw new Error(`C[${i}]: got ${dense[i]}, expected ${exact} ± ${expected.bounds[i]}, ${JSON.stringify(c)}`);
    }
  }
  return dense;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

// Panels are 16 columns or 4; k goes by 4; scratch holds 7 rows of k = 8,190 and one of 32,768; above k = 2,064 rows
// have fewer bits.
const GRIDS: Record<string, Case[]> = {
  n_subtile: range(1, 37).flatMap((n) => [1, 3].map((m) => ({ m, n, k: 9 }))),
  k_subtile: range(1, 21).flatMap((k) => [1, 16, 23].map((n) => ({ m: 2, n, k }))),
  m_small: range(1, 7).flatMap((m) => [5, 16, 65].map((n) => ({ m, n, k: 13 }))),
  k_eq_0: [1, 5].flatMap((m) => [1, 16, 35].map((n) => ({ m, n, k: 0 }))),
  large: [
    { m: 1, n: 512, k: 128 },
    { m: 3, n: 65, k: 257 },
    { m: 9, n: 5, k: 8190 },
    { m: 2, n: 17, k: 2065 },
    { m: 2, n: 3, k: 32768 },
  ],
};

const LAYOUTS: Record<string, Partial<Case>> = {
  dense: {},
  bias: { init: 'Bias', gapC: 1 },
  accumulate: { init: 'Accumulate', gapC: 3 },
  b_transposed: { transposeB: true },
  padded_rows: { gapA: 3, gapB: 5, gapC: 7, misaligned: true, init: 'Bias' },
  padded_rows_transposed: { transposeB: true, gapA: 1, gapB: 2, misaligned: true, init: 'Accumulate' },
};

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const { kernels } = sandbox;

  describe.each(Object.entries(GRIDS))('gemm_int8, grid %s', (_, cases) => {
    test.each(Object.entries(LAYOUTS))('layout %s, has the bits of the reference', (_, layout) => {
      for (const c of cases) run(sandbox, { ...c, ...layout });
    });
  });

  test('gemm_int8, any sizes, strides and init, has the bits of the reference', () => {
    const small = fc.integer({ min: 0, max: 5 });
    const cases = fc.record({
      m: fc.integer({ min: 1, max: 9 }),
      n: fc.integer({ min: 1, max: 90 }),
      k: fc.integer({ min: 0, max: 150 }),
      init: fc.constantFrom<keyof typeof Init>('Zero', 'Accumulate', 'Bias'),
      transposeB: fc.boolean(),
      gapA: small,
      gapB: small,
      gapC: small,
      misaligned: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, (c) => {
        run(sandbox, c);
      }),
      { seed: 21, numRuns: 200 },
    );
  });

  // All integers at their ends: the largest sums that k allows, and in the relaxed build the pairs next to saturation.
  test.each([
    [1, 1],
    [1, -1],
    [-1, 1],
    [-1, -1],
  ])('gemm_int8, every a %i and every b %i, has no overflow', (x, y) => {
    for (const k of [1, 4, 2064, 2065, 2068, 5000]) {
      const c = { m: 2, n: 21, k };
      const got = run(sandbox, c, new Float32Array(2 * k).fill(x), new Float32Array(21 * k).fill(y));
      for (const value of got) expect(Math.abs(value / (x * y * k) - 1)).toBeLessThan(1e-6);
    }
  });

  test('gemm_int8, rows and columns of zeros, give their init', () => {
    const [m, n, k] = [4, 21, 10];
    const a = random(m * k, 1).map((x, i) => (Math.floor(i / k) === 2 ? 0 : x));
    const b = random(k * n, 2).map((x, i) => (i % n === 17 || i % n === 3 ? 0 : x));
    const zero = run(sandbox, { m, n, k }, a, b);
    for (let i = 0; i < m * n; i++) {
      const isEmpty = Math.floor(i / n) === 2 || i % n === 17 || i % n === 3;
      expect(zero[i] === 0).toBe(isEmpty);
    }
    run(sandbox, { m, n, k, init: 'Bias' }, a, b);
  });

  test('gemm_int8, magnitudes from tiny to huge by row and column, keep their precision', () => {
    const [m, n, k] = [6, 20, 12];
    const rows = [1e-34, 2 ** -110, 1e-30, 1e-20, 1e10, 1e20];
    const a = random(m * k, 1).map((x, i) => x * rows[Math.floor(i / k)]!);
    const b = random(k * n, 2).map((x, i) => x * 10 ** ((i % n) - 9));
    run(sandbox, { m, n, k, init: 'Accumulate' }, a, b);
  });

  test('gemm_int8, subnormal rows and columns, count as zeros', () => {
    const a = random(20, 1).map((x) => x * 1e-39);
    const b = random(70, 2);
    expect([...run(sandbox, { m: 2, n: 7, k: 10 }, a, b)]).toEqual(new Array(14).fill(0));
    const columns = run(
      sandbox,
      { m: 2, n: 7, k: 10 },
      random(20, 1),
      b.map((x) => x * 1e-39),
    );
    expect([...columns]).toEqual(new Array(14).fill(0));
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'gemm_int8, %d in a row and a column, makes NaNs of them alone',
    (bad) => {
      const [m, n, k] = [5, 37, 11];
      const a = random(m * k, 1);
      const b = random(k * n, 2);
      a[3 * k + 10] = bad;
      b[4 * n + 33] = bad;
      for (const init of Object.keys(Init) as (keyof typeof Init)[]) {
        run(sandbox, { m, n, k, init }, a, b).forEach((value, i) => {
          expect(Number.isNaN(value)).toBe(Math.floor(i / n) === 3 || i % n === 33);
        });
      }
    },
  );

  test.each([
    [0, 5, 4],
    [5, 0, 4],
  ])('gemm_int8, m=%i n=%i k=%i, writes nothing', (m, n, k) => {
    run(sandbox, { m, n, k, init: 'Bias' });
    expect(kernels.gemm_int8_packed_size(k, 0)).toBe(0);
  });

  test('gemm_int8_packed_size, a byte a weight and 8 a column', () => {
    expect(kernels.gemm_int8_packed_size(128, 512)).toBe(512 * (128 + 8));
    expect(kernels.gemm_int8_packed_size(5, 65)).toBe(68 * (8 + 8));
  });

  test('gemm_int8, rows in one call or each in its own, have the same bits', () => {
    const c = { m: 7, n: 53, k: 29 };
    const a = random(c.m * c.k, 1);
    const whole = run(sandbox, c, a);
    for (let i = 0; i < c.m; i++) {
      const one = run(sandbox, { ...c, m: 1 }, a.slice(i * c.k, (i + 1) * c.k));
      expectSameBits(one, whole.subarray(i * c.n, (i + 1) * c.n), `row ${i}`);
    }
  });
});
