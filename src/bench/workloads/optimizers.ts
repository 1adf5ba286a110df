// The update of one parameter: the kernels stream through weights, gradients and moments.
import type { Kernels, Ptr } from '../../engine/abi.ts';
import { Buffers, type Workload, workload } from '../workload.ts';

function update(
  facts: { name: string; moments: number; operations: number },
  kernel: (kernels: Kernels, count: number, p: Ptr, g: Ptr, m: Ptr, v: Ptr) => void,
): Workload {
  const { name, moments, operations } = facts;
  return workload({
    name,
    group: 'kernels',
    stresses: `memory: reads ${2 + moments} arrays, writes ${1 + moments}`,
    sizes: { small: 4096, medium: 131_072, large: 4_194_304 },
    calls: 3,
    prepare(count, engine) {
      const buffers = new Buffers(engine);
      const [p, g] = [buffers.make(count), buffers.make(count)];
      const [m, v] = [0, 1].map(() => buffers.make(count, new Float32Array(count))) as [Ptr, Ptr];
      return {
        run: () => kernel(engine.kernels, count, p, g, m, v),
        result: () => [engine.f32(p, count)],
        flops: operations * count,
        bytes: 4 * count * (3 + 2 * moments),
        dispose: () => buffers.dispose(),
      };
    },
  });
}

export const optimizerWorkloads: readonly Workload[] = [
  update({ name: 'sgd-momentum', moments: 1, operations: 4 }, (kernels, count, p, g, _m, v) =>
    kernels.sgd(count, p, g, v, 1, 0.001, 0.5, 0),
  ),
  update({ name: 'adam', moments: 2, operations: 12 }, (kernels, count, p, g, m, v) =>
    kernels.adam(count, p, g, m, v, 0, 1, 0.0001, 0.9, 0.999, 1e-7, 0),
  ),
];
