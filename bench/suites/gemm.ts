// Only C ← A·B: cubes with B packed in each call or before, the shapes of recurrent layers, few rows (with the kernel
// that layers use for them), and shapes with partial tiles.
import { Init, MOST_GEMV_ROWS, type Ptr } from '../../src/engine/abi.ts';
import { benchCase, type Engine, type SuiteContext } from '../suite.ts';

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

// m×n×k of a layer's forward step: batch × gates·units × units. The last shape is the input side of a whole sequence.
const RECURRENT = [
  [32, 512, 128],
  [32, 1024, 256],
  [64, 2048, 512],
  [1600, 512, 64],
] as const;
const BATCH_1 = [
  [1, 256, 64],
  [1, 512, 128],
  [1, 1024, 256],
  [1, 2048, 512],
] as const;

const shapes: Shape[] = [
  ...CUBES.flatMap((size) =>
    LAYOUTS.flatMap((layout) => [true, false].map((packs) => ({ m: size, n: size, k: size, layout, packs }))),
  ),
  ...RECURRENT.flatMap(([m, n, k]) => LAYOUTS.map((layout) => ({ m, n, k, layout, packs: false }))),
  // The gradient of a kernel, Xᵀ·dGates, whose right operand is packed for this product alone, and the gradient of the
  // input.
  { m: 128, n: 512, k: 1600, layout: 'TN', packs: true },
  { m: 1600, n: 64, k: 512, layout: 'NT', packs: false },
  ...BATCH_1.map(([m, n, k]) => ({ m, n, k, layout: 'NN', packs: false })),
  ...[2, 3, 4, 5, 6, 7, 8, 13, 31, 33].map((m) => ({ m, n: 512, k: 128, layout: 'NN', packs: false })),
  ...[1, 10, 505, 510, 513].map((n) => ({ m: 32, n, k: 128, layout: 'NN', packs: false })),
];

/** Allocates memory from the heap base of the kernels upwards, aligned to cache lines. */
function allocator({ kernels }: Engine): (floats: number) => Ptr {
  let top = (kernels.heapBase() + 63) & ~63;
  return (floats) => {
    const at = top;
    top = (top + 4 * floats + 63) & ~63;
    return at;
  };
}

function prepare(engine: Engine, { m, n, k, layout, packs }: Shape): () => void {
  const { kernels, memory } = engine;
  const allocate = allocator(engine);
  const a = allocate(m * k);
  const b = allocate(k * n);
  const packed = allocate(kernels.gemm_packed_size(k, n));
  const scratch = allocate(kernels.gemm_scratch_size());
  const c = allocate(m * n);
  new Float32Array(memory.buffer, a, m * k).forEach((_, i, values) => {
    values[i] = ((i % 17) - 8) / 16;
  });
  new Float32Array(memory.buffer, b, k * n).forEach((_, i, values) => {
    values[i] = ((i % 19) - 9) / 16;
  });
  const [rsA, csA] = layout[0] === 'N' ? [k, 1] : [1, m];
  const [rsB, csB] = layout[1] === 'N' ? [n, 1] : [1, k];
  if (m <= MOST_GEMV_ROWS && !packs && layout === 'NN') {
    kernels.gemv_pack_b(k, n, b, rsB, packed);
    return () => kernels.gemv(m, n, k, a, rsA, packed, c, n, Init.Zero, 0);
  }
  const multiply = () => kernels.gemm(m, n, k, a, rsA, csA, packed, c, n, Init.Zero, 0, scratch);
  kernels.gemm_pack_b(k, n, b, rsB, csB, packed);
  if (!packs) return multiply;
  return () => {
    kernels.gemm_pack_b(k, n, b, rsB, csB, packed);
    multiply();
  };
}

export async function gemmSuite(context: SuiteContext): Promise<void> {
  for (const shape of shapes) {
    const { m, n, k, layout, packs } = shape;
    const name = `${m}×${n}×${k} ${layout} ${packs ? 'packed' : 'prepacked'}`;
    for (const engine of context.engines) {
      await benchCase(context, engine, { suite: 'gemm', case: name, flops: 2 * m * n * k }, prepare(engine, shape));
    }
  }
}
