// `gemv` against `gemm`. Each has its own layout of B.
import { describe, expect, test } from 'vitest';
import { Init } from '../../src/engine/abi.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Rows of random numbers, NaN in the gaps between them. */
function stored(rows: number, cols: number, seed: number, gap: number): Float32Array {
  const storage = values(rows * (cols + gap), seed);
  for (let i = 0; i < rows; i++) storage.fill(Number.NaN, i * (cols + gap) + cols, (i + 1) * (cols + gap));
  return storage;
}

describe.each(builds)('gemv, %s build', (build) => {
  const sandbox = new Sandbox(build);
  const { kernels } = sandbox;

  /** C by gemv and by gemm, of the same operands; `gap` floats between the rows of each. */
  function both(m: number, n: number, k: number, init: keyof typeof Init, gap: number) {
    sandbox.clear();
    const misaligned = gap > 0;
    const a = sandbox.f32(stored(m, k, 1, gap), misaligned);
    const b = sandbox.f32(stored(k, n, 2, gap), misaligned);
    const bias = sandbox.f32(values(n, 4), misaligned);
    const scratch = sandbox.f32(kernels.gemm_scratch_size());
    const [strips, panels] = [0, 1].map(() => sandbox.f32(kernels.gemm_packed_size(k, n), misaligned));
    const [few, any] = [0, 1].map(() => sandbox.f32(values(m * (n + gap), 3), misaligned));
    kernels.gemv_pack_b(k, n, b, n + gap, strips!);
    kernels.gemm_pack_b(k, n, b, n + gap, 1, panels!);
    kernels.gemv(m, n, k, a, k + gap, strips!, few!, n + gap, Init[init], bias);
    kernels.gemm(m, n, k, a, k + gap, 1, panels!, any!, n + gap, Init[init], bias, scratch);
    sandbox.checkFences();
    return { few: sandbox.read(few!, m * (n + gap)), any: sandbox.read(any!, m * (n + gap)) };
  }

  describe.each(['Zero', 'Accumulate', 'Bias'] as const)('init %s', (init) => {
    // A triple panel has 48 columns. The rest are pairs of panels, as far as possible: at most one triple panel less.
    test.each([0, 3])('of any width, gaps of %i, gives the bits of gemm', (gap) => {
      for (const n of [...range(1, 260), 384, 400, 512, 768, 1024]) {
        for (const m of [1, 2]) {
          const { few, any } = both(m, n, 1 + (n % 9), init, gap);
          expect(few, `${m} × ${n}`).toEqual(any);
        }
      }
    });

    test('of any depth, gives the bits of gemm', () => {
      for (const k of [...range(0, 13), 255, 256, 257, 513]) {
        for (const n of [15, 16, 32, 40, 48, 56, 67, 80, 104, 131]) {
          const { few, any } = both(1, n, k, init, k % 2);
          expect(few, `${n} of ${k}`).toEqual(any);
        }
      }
    });
  });

  test.each([
    [0, 5, 4],
    [2, 0, 4],
  ])('m=%i n=%i k=%i, writes nothing', (m, n, k) => {
    const { few, any } = both(m, n, k, 'Bias', 2);
    expect(few).toEqual(any);
  });
});
