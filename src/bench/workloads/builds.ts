// The same work on other kernels: with fused multiply-add, and with tiles for 256-bit vectors.
import { type Workload, workload } from '../workload.ts';
import { prepareGemm } from './gemm.ts';
import { characterSizes, FIRST_STEPS, prepareShape } from './models.ts';

const cubes = { small: { m: 64, n: 64, k: 64 }, medium: { m: 192, n: 192, k: 192 }, large: { m: 512, n: 512, k: 512 } };

export const buildWorkloads: readonly Workload[] = [
  workload({
    name: 'gemm-wide',
    group: 'builds',
    stresses: 'gemm-nn with tiles for engines that join two vectors into one of 256 bits',
    needs: { build: 'wide' },
    sameAs: 'gemm-nn',
    sizes: cubes,
    prepare(shape, engine) {
      const prepared = prepareGemm(shape, 'nn', engine);
      return {
        ...prepared,
        run() {
          // The engine chooses the faster tile between its steps, so it is set in each.
          engine.step(() => {
            engine.kernels.set_wide(1);
            prepared.run();
          });
        },
        dispose() {
          engine.kernels.set_wide(0);
          prepared.dispose();
        },
      };
    },
  }),
  workload({
    name: 'gemm-relaxed',
    group: 'builds',
    stresses: 'gemm-nn with fused multiply-add',
    needs: { build: 'relaxed' },
    sameAs: 'gemm-nn',
    sizes: cubes,
    prepare: (shape, engine) => prepareGemm(shape, 'nn', engine),
  }),
  workload({
    name: 'character-model-relaxed',
    group: 'builds',
    stresses: 'character-model with fused multiply-add',
    needs: { build: 'relaxed' },
    sameAs: 'character-model',
    calls: FIRST_STEPS,
    sizes: characterSizes,
    prepare: prepareShape,
  }),
];
