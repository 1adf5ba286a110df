// Products of one row with weights that are packed before, as in a step of a stream.
import { Init } from '../../engine/abi.ts';
import { Buffers, type Workload, workload } from '../workload.ts';

const sizes = {
  small: { n: 256, k: 64 },
  medium: { n: 1024, k: 256 },
  large: { n: 4096, k: 1024 },
};

export const gemvWorkloads: readonly Workload[] = [
  workload({
    name: 'gemv',
    group: 'kernels',
    stresses: 'loads: each weight is read once',
    sizes,
    prepare({ n, k }, engine) {
      const { kernels } = engine;
      const buffers = new Buffers(engine);
      const [a, b, c] = [buffers.make(k), buffers.make(k * n), buffers.make(n)];
      const packed = buffers.make(kernels.gemm_packed_size(k, n));
      kernels.gemv_pack_b(k, n, b, n, packed);
      return {
        run: () => kernels.gemv(1, n, k, a, k, packed, c, n, Init.Zero, 0),
        result: () => [engine.f32(c, n)],
        flops: 2 * n * k,
        bytes: 4 * (k + k * n + n),
        dispose: () => buffers.dispose(),
      };
    },
  }),
  workload({
    name: 'gemv-int8',
    group: 'kernels',
    stresses: '8-bit weights: widening multiplies of integers',
    sizes,
    prepare({ n, k }, engine) {
      const { kernels, gemmScratch } = engine;
      const buffers = new Buffers(engine);
      const [a, b, c] = [buffers.make(k), buffers.make(k * n), buffers.make(n)];
      const packed = buffers.make(Math.ceil(kernels.gemm_int8_packed_size(k, n) / 4));
      kernels.gemm_int8_pack(k, n, b, n, 1, packed);
      return {
        run: () => kernels.gemm_int8(1, n, k, a, k, packed, c, n, Init.Zero, 0, gemmScratch),
        result: () => [engine.f32(c, n)],
        flops: 2 * n * k,
        bytes: 4 * k + k * n + 8 * n,
        dispose: () => buffers.dispose(),
      };
    },
  }),
];
