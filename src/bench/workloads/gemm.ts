import type { Engine } from '../../engine/engine.ts';
import { product } from '../../ops/products/product.ts';
import { Buffers, type Prepared, type Workload, workload } from '../workload.ts';

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const cube = (size: number): Shape => ({ m: size, n: size, k: size });

/** C ← A·B with A and B stored as they are (N) or as their transposes (T). Packing B is a part of it. */
export function prepareGemm({ m, n, k }: Shape, layout: string, engine: Engine): Prepared {
  const buffers = new Buffers(engine);
  const [a, b, c] = [buffers.make(m * k), buffers.make(k * n), buffers.make(m * n)];
  const [rsA, csA] = layout[0] === 'n' ? [k, 1] : [1, m];
  const [rsB, csB] = layout[1] === 'n' ? [n, 1] : [1, k];
  const operands = { m, n, k, a, rsA, csA, b, rsB, csB, c, rsC: n };
  return {
    run: () => engine.step(() => product(engine, operands)),
    result: () => [engine.f32(c, m * n)],
    flops: 2 * m * n * k,
    bytes: 4 * (m * k + k * n + m * n),
    dispose: () => buffers.dispose(),
  };
}

const LAYOUTS = ['nn', 'nt', 'tn', 'tt'];

/** Square products, and the product of a layer's step: batch × gates·units × units. */
export const gemmWorkloads: readonly Workload[] = LAYOUTS.flatMap((layout) => [
  workload({
    name: `gemm-${layout}`,
    group: 'kernels',
    stresses: `registers and packing, ${layout.toUpperCase()}`,
    sizes: { small: cube(64), medium: cube(192), large: cube(512) },
    prepare: (shape, engine) => prepareGemm(shape, layout, engine),
  }),
  workload({
    name: `gemm-recurrent-${layout}`,
    group: 'kernels',
    stresses: `few rows, many columns, ${layout.toUpperCase()}`,
    sizes: {
      small: { m: 16, n: 256, k: 64 },
      medium: { m: 32, n: 1024, k: 256 },
      large: { m: 64, n: 4096, k: 1024 },
    },
    prepare: (shape, engine) => prepareGemm(shape, layout, engine),
  }),
]);
