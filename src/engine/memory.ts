import { TapeloopError } from '../checks/tapeloop-error.ts';
import type { Ptr } from './abi.ts';

const PAGE = 65536;
/** One page less than 4 GiB, so that the end of the last buffer is a 32-bit address too. */
export const LARGEST_MEMORY = 65535 * PAGE;
// One cache line. No two buffers share a cache line, and every v128 access is aligned.
const ALIGN = 64;
const MIN_SEGMENT = 1 << 20;
// The space that a step leaves unused at the end of each segment is small for a few segments. Beyond this number, one
// segment replaces them.
const MOST_SEGMENTS = 8;

// Kernels of optimizers may read up to three floats beyond the end of a gradient that is a part of a buffer. So the last
// cache line of memory belongs to no buffer.
const usableBytes = (memory: WebAssembly.Memory): number => memory.buffer.byteLength - ALIGN;

const align = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

/** Linear memory could not grow to hold a buffer. Nothing was allocated and every live tensor is intact. */
export class OutOfMemoryError extends TapeloopError {
  override readonly name = 'OutOfMemoryError';
}

const INITIAL_PAGES = 16;
const inMb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/**
 * Makes linear memory for the kernels. A shared memory reserves its whole address range at the start, so its maximum is
 * only the limit of the engine.
 */
export function makeMemory(maximumBytes: number, shared: boolean): WebAssembly.Memory {
  const limits = { initial: INITIAL_PAGES };
  try {
    if (!shared) return new WebAssembly.Memory(limits);
    return new WebAssembly.Memory({ ...limits, maximum: Math.ceil(maximumBytes / PAGE), shared });
  } catch (cause) {
    const what = shared ? `${inMb(maximumBytes)} of addresses to share` : inMb(INITIAL_PAGES * PAGE);
    throw new OutOfMemoryError(`out of memory: the host gives no linear memory of ${what}`, { cause });
  }
}

/**
 * The persistent region: first-fit allocation with coalescing, in linear memory from `base` upwards. Only the heap
 * grows the memory. Growth detaches typed views, so a view must be made again after any call that can allocate.
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Bytes that the memory may grow to. */
  limit: number;
  #end: number;
  // Free blocks by ascending address; no two touch.
  #free: { at: Ptr; bytes: number }[] = [];
  #used = new Map<Ptr, number>();

  constructor(memory: WebAssembly.Memory, base: Ptr, limitBytes: number) {
    this.memory = memory;
    this.limit = limitBytes;
    this.#end = usableBytes(memory);
    const start = align(base);
    if (this.#end > start) this.#free.push({ at: start, bytes: this.#end - start });
  }

  /** The size of each buffer in use, by its address. */
  get used(): ReadonlyMap<Ptr, number> {
    return this.#used;
  }

  /** Bytes in use. */
  get usedBytes(): number {
    let sum = 0;
    for (const bytes of this.#used.values()) sum += bytes;
    return sum;
  }

  /** Allocates `bytes` bytes with undefined content, aligned to 64. Throws `OutOfMemoryError` if memory cannot grow. */
  allocate(bytes: number): Ptr {
    const need = align(Math.max(bytes, 1));
    let index = this.#free.findIndex((block) => block.bytes >= need);
    if (index < 0) {
      this.#grow(need);
      index = this.#free.length - 1;
    }
    const block = this.#free[index]!;
    const at = block.at;
    if (block.bytes === need) this.#free.splice(index, 1);
    else {
      block.at += need;
      block.bytes -= need;
    }
    this.#used.set(at, need);
    return at;
  }

  /** Makes the buffer at `at` larger in place. Returns false if another buffer follows it or memory cannot grow. */
  extend(at: Ptr, bytes: number): boolean {
    const old = this.#used.get(at)!;
    const end = at + old;
    const extra = align(bytes) - old;
    let next = this.#free.find((block) => block.at === end);
    if (!next && end !== this.#end) return false;
    if ((next?.bytes ?? 0) < extra) {
      if (end + (next?.bytes ?? 0) !== this.#end) return false;
      try {
        this.#grow(extra);
      } catch {
        return false;
      }
      next = this.#free.find((block) => block.at === end)!;
    }
    next!.at += extra;
    next!.bytes -= extra;
    if (next!.bytes === 0) this.#free.splice(this.#free.indexOf(next!), 1);
    this.#used.set(at, old + extra);
    return true;
  }

  release(at: Ptr): void {
    const bytes = this.#used.get(at);
    if (bytes === undefined) throw new Error(`heap: address ${at} is not in use`);
    this.#used.delete(at);
    let index = this.#free.findIndex((block) => block.at > at);
    if (index < 0) index = this.#free.length;
    this.#free.splice(index, 0, { at, bytes });
    this.#merge(index);
    this.#merge(index - 1);
  }

  #merge(index: number): void {
    const block = this.#free[index];
    const next = this.#free[index + 1];
    if (block && next && block.at + block.bytes === next.at) {
      block.bytes += next.bytes;
      this.#free.splice(index + 1, 1);
    }
  }

  #grow(need: number): void {
    const last = this.#free.at(-1);
    const tail = last && last.at + last.bytes === this.#end ? last : undefined;
    const missing = need - (tail?.bytes ?? 0);
    // It grows by up to a sixteenth of its size more than needed, at most a megabyte, so that many small buffers do not
    // each grow the memory.
    const spare = Math.min(Math.ceil(this.#end / 16), 2 ** 20, this.limit - this.#end - missing);
    const pages = Math.ceil((missing + Math.max(spare, 0)) / PAGE);
    const exact = Math.ceil(missing / PAGE);
    if (!this.#tryGrow(pages) && !this.#tryGrow(exact)) {
      const why =
        this.memory.buffer.byteLength + exact * PAGE > this.limit
          ? `the limit is ${inMb(this.limit)}`
          : 'the host gives no more';
      throw new OutOfMemoryError(
        `out of memory: a buffer of ${inMb(need)} does not fit; ${inMb(this.#end)} are in use or fragmented and ${why}`,
      );
    }
    const end = usableBytes(this.memory);
    if (tail) tail.bytes += end - this.#end;
    else this.#free.push({ at: this.#end, bytes: end - this.#end });
    this.#end = end;
  }

  #tryGrow(pages: number): boolean {
    if (this.memory.buffer.byteLength + pages * PAGE > this.limit) return false;
    try {
      this.memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }
}

/** A buffer of the heap that the arena fills from its beginning. */
interface Segment {
  at: Ptr;
  bytes: number;
  used: number;
}

/** A position in the arena: the bytes in use of each segment. */
export type Mark = readonly number[];

/**
 * The step region: bump allocation, with all buffers after a mark freed at once. Segments grow in place if no other
 * buffer follows them, and stay for the next step. From the second step of the same shapes on, no memory is taken from
 * the heap, and every buffer has the same address as in the step before. A buffer goes to the first segment with room
 * for it, so later small buffers fill the space that is too small for a large one. If steps of growing shapes have left
 * many segments, one segment replaces them. Its size is the peak of the bytes in use.
 */
export class Arena {
  #heap: Heap;
  #segments: Segment[] = [];
  /** The largest number of bytes in use at once since the segments were made. */
  #peak = 0;
  #wanted = 0;
  /** How often all segments were returned: what is allocated after it has other addresses. */
  epoch = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Bytes of all segments, in use or not. */
  get heldBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  allocate(bytes: number): Ptr {
    const need = align(Math.max(bytes, 1));
    const segment =
      this.#segments.find((each) => each.used + need <= each.bytes) ?? this.#extendLast(need) ?? this.#addSegment(need);
    const at = segment.at + segment.used;
    segment.used += need;
    let inUse = 0;
    for (const { used } of this.#segments) inUse += used;
    this.#peak = Math.max(this.#peak, inUse);
    return at;
  }

  mark(): Mark {
    return this.#segments.map(({ used }) => used);
  }

  /** Frees everything allocated since `mark`; or, with a later mark of the same epoch, takes it again. */
  release(mark: Mark): void {
    this.#segments.forEach((segment, i) => {
      segment.used = mark[i] ?? 0;
    });
    if (this.#segments.length > MOST_SEGMENTS && this.#segments.every(({ used }) => used === 0)) {
      this.#wanted = this.#peak;
      this.releaseSegments();
    }
  }

  /** Returns every segment to the heap; nothing may be in use. */
  releaseSegments(): void {
    for (const segment of this.#segments) this.#heap.release(segment.at);
    this.#segments = [];
    this.#peak = 0;
    this.epoch++;
  }

  /** Extends the last segment in place, so that it has room for `need` more bytes. Undefined if it cannot grow. */
  #extendLast(need: number): Segment | undefined {
    const last = this.#segments.at(-1);
    if (!last) return undefined;
    const bytes = last.used + need;
    if (!this.#heap.extend(last.at, bytes)) return undefined;
    last.bytes = bytes;
    return last;
  }

  #addSegment(need: number): Segment {
    const generous = Math.max(need, this.#wanted, MIN_SEGMENT);
    this.#wanted = 0;
    let bytes = generous;
    let at: Ptr;
    try {
      at = this.#heap.allocate(generous);
    } catch (error) {
      if (generous === need) throw error;
      bytes = need;
      at = this.#heap.allocate(need);
    }
    const segment = { at, bytes, used: 0 };
    this.#segments.push(segment);
    return segment;
  }
}
