// Only C ← A·B: cubes, the shapes of recurrent layers, few rows (with the kernel that layers use for them), shapes with
// partial tiles, and up to 65,536 columns, rows and steps of k. Powers of two put the rows of C or B into the same sets
// of a cache. B is packed in the call, as layers do it for a product that they make once, or before, as for the weights
// of the steps.
import { Init, MOST_GEMV_ROWS } from '../../src/engine/abi.ts';
import type { Engine as LibraryEngine } from '../../src/engine/engine.ts';
import { product } from '../../src/ops/products/product.ts';
import { benchCase, type SuiteContext } from '../suite.ts';
import { use } from './models.ts';

interface Shape {
  m: number;
  n: number;
  k: number;
  /** N or T for A and for B: stored as it is, or as its transpose. */
  layout: string;
  /** Whether the time includes packing B. */
  packs: boolean;
}

const LAYOUTS = ['NN', 'NT', 'TN', 'TT'];
const CUBES = [64, 128, 256, 512, 1024];
const WIDE = [512, 1024, 2048, 4096, 8192, 10_000, 16_384, 32_768, 65_536];

// m×n×k of a layer's forward step: batch × gates·units × units. The last shape is the input side of a whole sequence.
const RECURRENT = [
  [32, 512, 128],
  [32, 1024, 256],
  [64, 2048, 512],
  [32, 4096, 1024],
  [128, 4096, 1024],
  [32, 8192, 2048],
  [1600, 512, 64],
] as const;
const BATCH_1 = [
  [1, 256, 64],
  [1, 512, 128],
  [1, 1024, 256],
  [1, 2048, 512],
] as const;

const both = (m: number, n: number, k: number, layout = 'NN'): Shape[] =>
  [true, false].map((packs) => ({ m, n, k, layout, packs }));
const packed = (m: number, n: number, k: number, layout = 'NN'): Shape => ({ m, n, k, layout, packs: true });
const prepacked = (m: number, n: number, k: number, layout = 'NN'): Shape => ({ m, n, k, layout, packs: false });

const shapes: Shape[] = [
  ...CUBES.flatMap((size) => LAYOUTS.flatMap((layout) => both(size, size, size, layout))),
  ...RECURRENT.flatMap(([m, n, k]) => LAYOUTS.map((layout) => prepacked(m, n, k, layout))),
  // The gradient of a kernel, Xᵀ·dGates, whose right operand is packed for this product alone, and the gradient of the
  // input.
  packed(128, 512, 1600, 'TN'),
  prepacked(1600, 64, 512, 'NT'),
  ...BATCH_1.map(([m, n, k]) => prepacked(m, n, k)),
  ...[2, 3, 4, 5, 6, 7, 8, 13, 31, 33].map((m) => prepacked(m, 512, 128)),
  ...[1, 10, 505, 510, 513].map((n) => prepacked(32, n, 128)),
  ...WIDE.flatMap((n) => both(700, n, 256)),
  ...WIDE.flatMap((n) => both(64, n, 256)),
  ...WIDE.flatMap((k) => both(256, 256, k)),
  ...WIDE.map((k) => packed(256, 1024, k, 'TN')),
  ...WIDE.map((m) => packed(m, 256, 256)),
  // The two gradients of a word model's softmax; the gradients of large LSTMs.
  packed(256, 10_000, 700, 'TN'),
  packed(700, 256, 10_000, 'NT'),
  packed(1024, 4096, 640, 'TN'),
  packed(2048, 8192, 320, 'TN'),
  packed(1600, 8192, 256),
  packed(4096, 4096, 256),
];

/** The multiplication. The operands are in the heap until `release`. */
function prepare(library: LibraryEngine, { m, n, k, layout, packs }: Shape): { run(): void; release(): void } {
  const { kernels, heap, gemmScratch } = library;
  const sizes = [m * k, k * n, m * n, packs ? 0 : kernels.gemm_packed_size(k, n)];
  const buffers = sizes.map((floats) => heap.allocate(4 * floats)) as [number, number, number, number];
  const [a, b, c, packedB] = buffers;
  [17, 19].forEach((period, i) => {
    const values = library.f32(buffers[i]!, sizes[i]!);
    for (let j = 0; j < values.length; j++) values[j] = ((j % period) - (period >> 1)) / 16;
  });
  const release = () => {
    for (const each of buffers) heap.release(each);
  };
  const [rsA, csA] = layout[0] === 'N' ? ([k, 1] as const) : ([1, m] as const);
  const [rsB, csB] = layout[1] === 'N' ? ([n, 1] as const) : ([1, k] as const);
  if (packs) {
    const operands = { m, n, k, a, rsA, csA, b, rsB, csB, c, rsC: n };
    return { run: () => library.step(() => product(library, operands)), release };
  }
  if (m <= MOST_GEMV_ROWS && layout === 'NN') {
    kernels.gemv_pack_b(k, n, b, rsB, packedB);
    return { run: () => kernels.gemv(m, n, k, a, rsA, packedB, c, n, Init.Zero, 0), release };
  }
  kernels.gemm_pack_b(k, n, b, rsB, csB, packedB);
  return { run: () => kernels.gemm(m, n, k, a, rsA, csA, packedB, c, n, Init.Zero, 0, gemmScratch), release };
}

export async function gemmSuite(context: SuiteContext): Promise<void> {
  for (const engine of context.engines) {
    for (const threads of context.threads) {
      const library = await use(engine, threads);
      // A kernel runs on one thread.
      for (const shape of shapes.filter(({ packs }) => packs || threads === 1)) {
        const { m, n, k, layout, packs } = shape;
        const name = `${m}×${n}×${k} ${layout} ${packs ? 'packed' : 'prepacked'}`;
        const { run, release } = prepare(library, shape);
        await benchCase(context, engine, { suite: 'gemm', case: name, flops: 2 * m * n * k, threads }, run);
        release();
      }
      library.stopThreads();
    }
  }
}
