// What a host does with linear memory itself.
import type { Kernels } from '../../engine/abi.ts';
import { instantiateKernels } from '../../engine/loading/instantiate.ts';
import { compileNow } from '../../engine/loading/kernel-modules.ts';
import { buildOf, type Workload, workload } from '../workload.ts';

const PAGE = 65_536;
const MIB = 2 ** 20;

export const memoryWorkloads: readonly Workload[] = [
  workload({
    name: 'memory-grow',
    group: 'memory',
    stresses: 'growing by 1 MiB at a time, with a write to each page',
    sizes: { small: 2, medium: 16, large: 128 },
    prepare(megabytes) {
      const grow = (): Int32Array => {
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 + (megabytes * MIB) / PAGE });
        for (let i = 0; i < megabytes; i++) {
          const from = memory.grow(MIB / PAGE) * PAGE;
          const bytes = new Uint8Array(memory.buffer);
          for (let at = from; at < bytes.length; at += 4096) bytes[at] = i;
        }
        return Int32Array.of(memory.buffer.byteLength);
      };
      return { run: grow, result: () => [grow()], flops: 0, bytes: megabytes * MIB, dispose() {} };
    },
  }),
  workload({
    name: 'memory-views',
    group: 'memory',
    stresses: 'typed arrays over linear memory, made anew for each use',
    sizes: { small: 1000, medium: 10_000, large: 100_000 },
    prepare(count, engine) {
      const at = engine.heap.allocate(4 * 64);
      let sum = 0;
      return {
        run() {
          engine.f32(at, 64).fill(0);
          sum = 0;
          for (let i = 0; i < count; i++) {
            const view = engine.f32(at + 4 * (i % 60), 4);
            view[i & 3] = i & 255;
            sum += view[(i >> 2) & 3]!;
          }
        },
        result: () => [Float64Array.of(sum)],
        flops: 0,
        bytes: 8 * count,
        dispose: () => engine.heap.release(at),
      };
    },
  }),
  workload({
    name: 'memory-far',
    group: 'memory',
    stresses: 'sums at addresses up to 4 GiB',
    sizes: { small: 256 * MIB, medium: 2048 * MIB + PAGE, large: 4096 * MIB - PAGE },
    prepare(size, engine) {
      // Only the pages that are written take memory.
      const memory = new WebAssembly.Memory({ initial: size / PAGE, maximum: size / PAGE });
      const { fill, sum } = instantiateKernels<Kernels>(compileNow(buildOf(engine)), memory);
      const count = PAGE / 4;
      // From the end down to the first mebibyte, in 16 places.
      const places = Array.from({ length: 16 }, (_, i) => Math.floor((size / 16 / PAGE) * (i + 1)) * PAGE - PAGE);
      const sums = new Float64Array(places.length);
      return {
        run() {
          places.forEach((at, i) => {
            fill(count, i + 1, at);
            sums[i] = sum(count, at);
          });
        },
        result: () => [sums],
        flops: count * places.length,
        bytes: 8 * count * places.length,
        dispose() {},
      };
    },
  }),
];
