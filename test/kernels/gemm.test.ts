// GEMM against a triple loop in float64. The bound: k multiply-adds round at most 2k times (k times when fused), each
// time by at most u = 2⁻²⁴ of a partial sum, and no partial sum exceeds |init| + Σ|a||b| by more than rounding; so
// |error| ≤ 2(k + 1)·u·(|init| + Σ|a||b|).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Init, PANEL_COLUMNS } from '../../src/engine/abi.ts';
import { builds, Sandbox } from './sandbox.ts';

type InitKind = keyof typeof Init;

interface Case {
  m: number;
  n: number;
  k: number;
  init?: InitKind;
  /** Stored as its transpose. */
  transposeA?: boolean;
  transposeB?: boolean;
  /** Elements from one stored element to the next, and further ones between stored rows. */
  stepA?: number;
  stepB?: number;
  gapA?: number;
  gapB?: number;
  gapC?: number;
  misaligned?: boolean;
}

const UNIT_ROUNDOFF = 2 ** -24;
const GAP = -12345;

/** Uniform in [−1, 1), a function of seed and index: a Weyl sequence through the finalizer of MurmurHash3. */
function random(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = Math.imul(i + 1, 0x9e3779b9) + Math.imul(seed, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    values[i] = ((h ^ (h >>> 16)) >>> 8) / 2 ** 23 - 1;
  }
  return values;
}

/** A matrix in storage of its own strides, NaN between its elements. */
function stored(rows: number, cols: number, values: Float32Array, transpose: boolean, step: number, gap: number) {
  const inner = transpose ? rows : cols;
  const outerStride = inner * step + gap;
  const rs = transpose ? step : outerStride;
  const cs = transpose ? outerStride : step;
  const length = rows === 0 || cols === 0 ? 0 : (rows - 1) * rs + (cols - 1) * cs + 1;
  const storage = new Float32Array(length).fill(Number.NaN);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) storage[i * rs + j * cs] = values[i * cols + j]!;
  return { storage, rs, cs };
}

function describeCase(c: Case): string {
  return JSON.stringify(c);
}

/**
 * Runs one case with either tile, and throws at the first element that is outside the bound or differs between the
 * tiles.
 */
function run(sandbox: Sandbox, c: Case): void {
  const { m, n, k, init = 'Zero', gapC = 0, misaligned = false } = c;
  sandbox.clear();
  const a = random(m * k, 1);
  const b = random(k * n, 2);
  const old = random(m * n, 3);
  const bias = random(n, 4);
  const storedA = stored(m, k, a, c.transposeA ?? false, c.stepA ?? 1, c.gapA ?? 0);
  const storedB = stored(k, n, b, c.transposeB ?? false, c.stepB ?? 1, c.gapB ?? 0);

  const { kernels } = sandbox;
  const at = sandbox.f32(storedA.storage, misaligned);
  const bt = sandbox.f32(storedB.storage, misaligned);
  const biasAt = init === 'Bias' ? sandbox.f32(bias, misaligned) : 0;
  const packed = sandbox.f32(kernels.gemm_packed_size(k, n), misaligned);
  const scratch = sandbox.f32(kernels.gemm_scratch_size(), misaligned);
  const rsC = n + gapC;
  const cStorage = new Float32Array(m * rsC).fill(GAP);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) cStorage[i * rsC + j] = init === 'Accumulate' ? old[i * n + j]! : Number.NaN;
  }
  const ct = sandbox.f32(cStorage, misaligned);

  const wideAt = sandbox.f32(cStorage, misaligned);
  kernels.gemm_pack_b(k, n, bt, storedB.rs, storedB.cs, packed);
  for (const [isWide, to] of [ct, wideAt].entries()) {
    kernels.set_wide(isWide);
    kernels.gemm(m, n, k, at, storedA.rs, storedA.cs, packed, to, rsC, Init[init], biasAt, scratch);
  }
  sandbox.checkFences();

  const result = sandbox.read(ct, m * rsC);
  const wide = sandbox.read(wideAt, m * rsC);
  for (let i = 0; i < m; i++) {
    for (let j = n; j < rsC; j++) {
      const [gap, wideGap] = [result[i * rsC + j], wide[i * rsC + j]];
      if (gap !== GAP || wideGap !== GAP) throw new Error(`gap of C overwritten at row ${i}, ${describeCase(c)}`);
    }
    const sums = new Float64Array(n);
    const sizes = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      sums[j] = init === 'Accumulate' ? old[i * n + j]! : init === 'Bias' ? bias[j]! : 0;
      sizes[j] = Math.abs(sums[j]!);
    }
    for (let p = 0; p < k; p++) {
      const x = a[i * k + p]!;
      for (let j = 0; j < n; j++) {
        const product = x * b[p * n + j]!;
        sums[j]! += product;
        sizes[j]! += Math.abs(product);
      }
    }
    for (let j = 0; j < n; j++) {
      const value = result[i * rsC + j]!;
      const bound = 2 * (k + 1) * UNIT_ROUNDOFF * sizes[j]!;
      if (!(Math.abs(value - sums[j]!) <= bound)) {
        throw new Error(`C[${i}, ${j}]: got ${value}, expected ${sums[j]} ± ${bound}, ${describeCase(c)}`);
      }
      if (wide[i * rsC + j] !== value) {
        throw new Error(
          `C[${i}, ${j}]: wide tiles give ${wide[i * rsC + j]}, narrow ones ${value}, ${describeCase(c)}`,
        );
      }
    }
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

// MR is 5 or 6, NR is 16 in two halves, a block of k 256, a block of rows then 115 or 114, a block of columns 128.
const GRIDS: Record<string, Case[]> = {
  m_subtile: range(1, 13).flatMap((m) => [8, 16, 32, 5].map((n) => ({ m, n, k: 7 }))),
  n_subtile: range(1, 33).flatMap((n) => [1, 2, 5, 6, 12].map((m) => ({ m, n, k: 9 }))),
  n_of_one_row: range(1, 70).map((n) => ({ m: 1, n, k: 11 })),
  k_eq_1: range(1, 13).flatMap((m) => [1, 8, 13].map((n) => ({ m, n, k: 1 }))),
  k_small: range(2, 9).flatMap((k) => [1, 6, 7].map((m) => ({ m, n: 11, k }))),
  k_around_a_block: [255, 256, 257, 511, 512, 513, 769].flatMap((k) => [1, 3, 7].map((m) => ({ m, n: 19, k }))),
  primes: [1, 2, 3, 13, 37, 101].flatMap((m) => [2, 17, 53].flatMap((n) => [3, 29, 97].map((k) => ({ m, n, k })))),
  m_around_a_block: [...range(113, 119), ...range(227, 233)].map((m) => ({ m, n: 9, k: 256 })),
  n_around_a_block: [127, 128, 129, 144, 255, 256, 257].flatMap((n) => [1, 7, 13].map((m) => ({ m, n, k: 256 }))),
  large: [
    { m: 256, n: 256, k: 256 },
    { m: 131, n: 263, k: 521 },
    { m: 1100, n: 24, k: 40 },
    { m: 1, n: 1024, k: 300 },
  ],
};

const LAYOUTS: Record<string, Partial<Case>> = {
  dense: {},
  a_transposed: { transposeA: true },
  b_transposed: { transposeB: true },
  both_transposed: { transposeA: true, transposeB: true },
  padded_rows: { gapA: 3, gapB: 5, gapC: 7, misaligned: true },
  padded_rows_transposed: { transposeA: true, transposeB: true, gapA: 3, gapB: 5, gapC: 7, misaligned: true },
  strided_a: { stepA: 2, gapA: 1 },
  strided_b: { stepB: 3, gapB: 2 },
};

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const { kernels } = sandbox;

  describe.each(Object.entries(GRIDS))('gemm, grid %s', (_, cases) => {
    test.each(Object.entries(LAYOUTS))('layout %s, matches float64', (_, layout) => {
      for (const c of cases) run(sandbox, { ...c, ...layout });
    });
    test.each(['Accumulate', 'Bias'] as const)('init %s, matches float64', (init) => {
      for (const c of cases) run(sandbox, { ...c, init, gapC: 1 });
    });
  });

  test('gemm, any sizes, strides and init, matches float64', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 150 }));
    const small = fc.integer({ min: 0, max: 5 });
    const step = fc.integer({ min: 1, max: 3 });
    const cases = fc.record({
      m: size,
      n: size,
      k: fc.oneof(size, fc.integer({ min: 250, max: 530 })),
      init: fc.constantFrom<InitKind>('Zero', 'Accumulate', 'Bias'),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      stepA: step,
      stepB: step,
      gapA: small,
      gapB: small,
      gapC: small,
      misaligned: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, (c) => {
        run(sandbox, c);
      }),
      { seed: 20, numRuns: 200 },
    );
  });

  test.each([
    [0, 5, 4],
    [5, 0, 4],
  ])('gemm, m=%i n=%i k=%i, writes nothing', (m, n, k) => {
    for (const init of Object.keys(Init) as InitKind[]) run(sandbox, { m, n, k, init });
  });

  test.each([1, 2, 7, 40])('gemm, k=0 m=%i, writes the init', (m) => {
    for (const n of [1, 8, 35]) {
      for (const init of Object.keys(Init) as InitKind[]) run(sandbox, { m, n, k: 0, init, gapC: 2 });
    }
  });

  test('gemm_pack_b, k=0 or n=0, writes nothing', () => {
    sandbox.clear();
    expect(kernels.gemm_packed_size(0, 9)).toBe(0);
    expect(kernels.gemm_packed_size(9, 0)).toBe(0);
    const packed = sandbox.f32(0);
    kernels.gemm_pack_b(0, 9, 0, 9, 1, packed);
    kernels.gemm_pack_b(9, 0, 0, 0, 1, packed);
    sandbox.checkFences();
  });

  test('gemm_pack_b, n past the last panel, pads with zeros', () => {
    for (const [rs, cs] of [
      [19, 1],
      [1, 5],
    ] as const) {
      sandbox.clear();
      const b = sandbox.f32(random(95, 1));
      const packed = sandbox.f32(kernels.gemm_packed_size(5, 19));
      kernels.gemm_pack_b(5, 19, b, rs, cs, packed);
      sandbox.checkFences();
      const second = sandbox.read(packed, 160).subarray(80);
      for (let p = 0; p < 5; p++) expect([...second.subarray(16 * p + 3, 16 * p + 16)]).toEqual(Array(13).fill(0));
    }
  });

  test('gemm, values that are not finite, propagate to their row and column alone', () => {
    const [m, n, k] = [7, 11, 9];
    sandbox.clear();
    const a = random(m * k, 1);
    const b = random(k * n, 2);
    a[3 * k + 2] = Number.NaN;
    b[4 * n + 10] = Number.POSITIVE_INFINITY;
    const at = sandbox.f32(a);
    const bt = sandbox.f32(b);
    const packed = sandbox.f32(kernels.gemm_packed_size(k, n));
    const scratch = sandbox.f32(kernels.gemm_scratch_size());
    const ct = sandbox.f32(m * n);
    kernels.gemm_pack_b(k, n, bt, n, 1, packed);
    kernels.gemm(m, n, k, at, k, 1, packed, ct, n, Init.Zero, 0, scratch);
    sandbox.read(ct, m * n).forEach((value, i) => {
      expect(Number.isFinite(value)).toBe(Math.floor(i / n) !== 3 && i % n !== 10);
    });
  });

  test('gemm of Aᵀ, rows of both operands at negative strides, gives the bits of rows stored the other way round', () => {
    const { kernels } = sandbox;
    for (const [m, n, k] of [
      [1, 5, 7],
      [2, 33, 12],
      [3, 8, 1],
      [7, 19, 300],
      [130, 9, 257],
    ] as const) {
      const [a, b] = [random(k * m, 1), random(k * n, 2)];
      const turned = (x: Float32Array, width: number): Float32Array =>
        x.map((_, at) => x[(k - 1 - Math.floor(at / width)) * width + (at % width)]!);
      const multiply = (left: Float32Array, right: Float32Array, sign: number): Float32Array => {
        sandbox.clear();
        const [at, bt, c] = [sandbox.f32(left), sandbox.f32(right), sandbox.f32(m * n)];
        const packed = sandbox.f32(kernels.gemm_packed_size(k, n));
        const scratch = sandbox.f32(kernels.gemm_scratch_size());
        const last = sign < 0 ? 4 * (k - 1) : 0;
        kernels.gemm_pack_b(k, n, bt + last * n, sign * n, 1, packed);
        kernels.gemm(m, n, k, at + last * m, 1, sign * m, packed, c, n, Init.Zero, 0, scratch);
        sandbox.checkFences();
        return sandbox.read(c, m * n);
      };
      expect(multiply(a, b, -1)).toEqual(multiply(turned(a, m), turned(b, n), 1));
    }
  });

  describe('gemm, work split', () => {
    /** C of rows and panels taken apart at the cuts, and C in one call, of the same operands. */
    function split(
      m: number,
      n: number,
      k: number,
      init: InitKind,
      transposeA: boolean,
      rowCuts: number[],
      columnCuts: number[],
    ) {
      sandbox.clear();
      const a = stored(m, k, random(m * k, 1), transposeA, 1, 0);
      const at = sandbox.f32(a.storage);
      const bt = sandbox.f32(random(k * n, 2));
      const packed = sandbox.f32(kernels.gemm_packed_size(k, n));
      const scratch = sandbox.f32(kernels.gemm_scratch_size());
      const old = random(m * n, 3);
      const whole = sandbox.f32(old);
      const parts = sandbox.f32(old);
      const bias = sandbox.f32(random(n, 4));
      kernels.gemm_pack_b(k, n, bt, n, 1, packed);
      kernels.gemm(m, n, k, at, a.rs, a.cs, packed, whole, n, Init[init], bias, scratch);
      for (let r = 0; r + 1 < rowCuts.length; r++) {
        for (let s = 0; s + 1 < columnCuts.length; s++) {
          const [i, j] = [rowCuts[r]!, columnCuts[s]!];
          kernels.gemm(
            rowCuts[r + 1]! - i,
            columnCuts[s + 1]! - j,
            k,
            at + 4 * i * a.rs,
            a.rs,
            a.cs,
            packed + 4 * j * k,
            parts + 4 * (i * n + j),
            n,
            Init[init],
            bias + 4 * j,
            scratch,
          );
        }
      }
      sandbox.checkFences();
      return { whole: sandbox.read(whole, m * n), parts: sandbox.read(parts, m * n) };
    }

    test('row by row, gives the bits of one call', () => {
      for (const m of [2, 3, 6, 17, 33]) {
        const { whole, parts } = split(m, 45, 300, 'Zero', false, range(0, m), [0, 45]);
        expect(parts).toEqual(whole);
      }
    });

    test('at any rows and panels, gives the bits of one call', () => {
      const cuts = (size: number, unit: number) =>
        fc
          .uniqueArray(fc.integer({ min: 0, max: Math.floor((size - 1) / unit) }), { maxLength: 6 })
          .map((inner) => [...new Set([0, ...inner.map((x) => x * unit), size])].sort((x, y) => x - y));
      const cases = fc
        .record({
          m: fc.integer({ min: 1, max: 60 }),
          n: fc.integer({ min: 1, max: 90 }),
          k: fc.integer({ min: 1, max: 600 }),
        })
        .chain(({ m, n, k }) =>
          fc.tuple(
            fc.constant([m, n, k] as const),
            fc.constantFrom<InitKind>('Zero', 'Accumulate', 'Bias'),
            fc.boolean(),
            cuts(m, 1),
            cuts(n, PANEL_COLUMNS),
          ),
        );
      fc.assert(
        fc.property(cases, ([[m, n, k], init, transposeA, rowCuts, columnCuts]) => {
          const { whole, parts } = split(m, n, k, init, transposeA, rowCuts, columnCuts);
          expect(parts).toEqual(whole);
        }),
        { seed: 21, numRuns: 100 },
      );
    });
  });
});

test('gemm of both builds, integers small enough to be exact, agree', () => {
  const [m, n, k] = [13, 21, 300];
  const integers = (count: number, seed: number) => random(count, seed).map((x) => Math.round(8 * x));
  const results = builds.map((build) => {
    const sandbox = new Sandbox(build);
    const { kernels } = sandbox;
    const a = sandbox.f32(integers(m * k, 1));
    const b = sandbox.f32(integers(k * n, 2));
    const packed = sandbox.f32(kernels.gemm_packed_size(k, n));
    const scratch = sandbox.f32(kernels.gemm_scratch_size());
    const c = sandbox.f32(m * n);
    kernels.gemm_pack_b(k, n, b, n, 1, packed);
    kernels.gemm(m, n, k, a, k, 1, packed, c, n, Init.Zero, 0, scratch);
    return sandbox.read(c, m * n);
  });
  for (const result of results) expect(result).toEqual(results[0]);
});
