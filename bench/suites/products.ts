// C ← A·B as layers compute it, B packed in the call, up to 65,536 columns and 65,536 steps of k. Powers of two put the
// rows of C or B into the same sets of a cache. A is stored directly (N) or as its transpose (T), as in the gradient of
// a weight.
import { product } from '../../src/ops/products/product.ts';
import { benchCase, type SuiteContext } from '../suite.ts';
import { use } from './models.ts';

const wide = [512, 1024, 2048, 4096, 8192, 10_000, 16_384, 32_768, 65_536];

const shapes: readonly (readonly [m: number, n: number, k: number, layout: 'N' | 'T'])[] = [
  ...wide.map((n) => [700, n, 256, 'N'] as const),
  ...wide.map((n) => [64, n, 256, 'N'] as const),
  ...wide.map((k) => [256, 256, k, 'N'] as const),
  ...wide.map((k) => [256, 1024, k, 'T'] as const),
  ...wide.map((m) => [m, 256, 256, 'N'] as const),
  // A word model's softmax and its two gradients; the gradients of large LSTMs.
  [700, 10_000, 256, 'N'],
  [256, 10_000, 700, 'T'],
  [700, 256, 10_000, 'N'],
  [1024, 4096, 640, 'T'],
  [2048, 8192, 320, 'T'],
  [1600, 8192, 256, 'N'],
  [4096, 4096, 256, 'N'],
];

export async function productsSuite(context: SuiteContext): Promise<void> {
  for (const engine of context.engines) {
    for (const threads of context.threads) {
      const library = await use(engine, threads);
      for (const [m, n, k, layout] of shapes) {
        const at = [m * k, k * n, m * n].map((count) => library.heap.allocate(4 * count));
        const [a, b, c] = at as [number, number, number];
        library.f32(a, m * k).forEach((_, i, values) => {
          values[i] = ((i % 17) - 8) / 16;
        });
        library.f32(b, k * n).forEach((_, i, values) => {
          values[i] = ((i % 19) - 9) / 16;
        });
        const [rsA, csA] = layout === 'N' ? [k, 1] : [1, m];
        const name = `${m}×${n}×${k} ${layout}`;
        await benchCase(context, engine, { suite: 'products', case: name, flops: 2 * m * n * k, threads }, () =>
          library.step(() => product(library, { m, n, k, a, rsA, csA, b, rsB: n, csB: 1, c, rsC: n })),
        );
        for (const each of at) library.heap.release(each);
      }
      library.stopThreads();
    }
  }
}
