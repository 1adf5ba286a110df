import type { Kernels, Ptr } from '../engine/abi.ts';
import { Heap, LARGEST_MEMORY, makeMemory } from '../engine/memory.ts';

/** The kernels for streams, and for drawing ids from their outputs. The separate build for streams has only these. */
export type StreamKernels = Pick<
  Kernels,
  | 'heapBase'
  | 'gemm_packed_size'
  | 'gemm_scratch_size'
  | 'gemm_pack_b'
  | 'gemv_pack_b'
  | 'gemm_int8_packed_size'
  | 'gemm_int8_pack'
  | 'stream'
  | 'fill'
  | 'unary'
  | 'all_finite'
  | 'softmax'
>;

/** The part of an engine that a stream needs. `Engine` has it, and `streamEngine` makes a smaller one. */
export interface StreamEngine {
  readonly kernels: StreamKernels;
  readonly memory: WebAssembly.Memory;
  readonly heap: Pick<Heap, 'allocate' | 'release'>;
  /** Scratch of `gemm`. */
  readonly gemmScratch: Ptr;
}

/** Makes kernels with their own memory, for one stream. The memory is freed with the stream. */
export function streamEngine(module: WebAssembly.Module): StreamEngine {
  const memory = makeMemory(LARGEST_MEMORY, false);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = exports as unknown as StreamKernels;
  const heap = new Heap(memory, kernels.heapBase(), LARGEST_MEMORY);
  return { kernels, memory, heap, gemmScratch: heap.allocate(4 * kernels.gemm_scratch_size()) };
}
