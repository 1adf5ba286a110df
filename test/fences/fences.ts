// Fences around every allocation in the two regions of memory, and poison in free memory. So every test notices a
// kernel or an op that writes or reads outside its buffers. `installFences` adds them to `Heap` and `Arena`; the
// package does not contain them.
import type { Ptr } from '../../src/engine/abi.ts';
import { Arena, Heap, type Mark } from '../../src/engine/memory.ts';

// Both are NaN as floats, so that a sum that takes one in shows, and no id as integers.
const CANARY = 0x7fcaca7e;
const POISON = 0x7fdeaded;
/** Bytes before a buffer, and at least as many behind: the alignment of every buffer. */
const FENCE = 64;

/** Memory was written outside the buffers that were handed out. */
export class FenceError extends Error {
  override readonly name = 'FenceError';
}

/** A buffer with its fences: [start, at) before, [at + bytes, end) behind. */
interface Fenced {
  readonly start: Ptr;
  readonly at: Ptr;
  bytes: number;
  end: Ptr;
  readonly region: 'heap' | 'arena';
  /** Where it was allocated, with FENCE_STACKS=1. */
  readonly stack: string;
}

const aligned = (bytes: number): number => Math.ceil(Math.max(bytes, 1) / FENCE) * FENCE;
const withStacks = process.env.FENCE_STACKS !== undefined;
const whereFrom = (): string =>
  withStacks ? `\nallocated ${new Error().stack!.split('\n').slice(3, 12).join('\n')}` : '';

const words = ({ memory }: Heap, from: Ptr, to: Ptr): Uint32Array =>
  new Uint32Array(memory.buffer, from, (to - from) / 4);
const endOf = (bytes: number): number => 4 * Math.ceil(bytes / 4);

function raise(heap: Heap, { at, bytes, end, start }: Fenced): void {
  words(heap, start, at).fill(CANARY);
  words(heap, at + endOf(bytes), end).fill(CANARY);
}

/** The first address in [from, to) whose word is not `expected`, nor `other`; −1 for none. */
function firstOther(all: Uint32Array, from: Ptr, to: Ptr, expected: number, other = expected): Ptr {
  for (let i = from / 4; i < to / 4; i++) if (all[i] !== expected && all[i] !== other) return 4 * i;
  return -1;
}

const wordsOf = ({ memory }: Heap): Uint32Array => new Uint32Array(memory.buffer);

function check(heap: Heap, buffer: Fenced, all = wordsOf(heap)): void {
  const { start, at, bytes, end, region, stack } = buffer;
  const before = firstOther(all, start, at, CANARY);
  const behind = firstOther(all, at + endOf(bytes), end, CANARY);
  if (before < 0 && behind < 0) return;
  // Told once.
  raise(heap, buffer);
  const where = before < 0 ? `${behind - at - bytes} bytes behind` : `${at - before} bytes before`;
  throw new FenceError(`memory was written ${where} a buffer of ${bytes} bytes at ${at} (${region})${stack}`);
}

/** Free memory is as it was left; the heap's may never have been used. */
function checkFree(heap: Heap, from: Ptr, to: Ptr, region: string): void {
  const at = firstOther(wordsOf(heap), from, to, POISON, region === 'heap' ? 0 : POISON);
  if (at < 0) return;
  words(heap, from, to).fill(POISON);
  throw new FenceError(`free memory was written at ${at}, after its buffer was released (${region})`);
}

const fencedOf = (inner: Ptr, bytes: number, region: Fenced['region']): Fenced => ({
  start: inner,
  at: inner + FENCE,
  bytes,
  end: inner + aligned(bytes + 2 * FENCE),
  region,
  stack: whereFrom(),
});

const heaps = new Set<WeakRef<Heap>>();
const buffersOf = new WeakMap<Heap, Map<Ptr, Fenced>>();
const heapOf = new WeakMap<Arena, Heap>();
const stackOf = new WeakMap<Arena, Fenced[]>();
const heights = new WeakMap<Mark, number>();
// The arena that allocates now: the first buffer of each comes with a segment, which tells its heap.
let allocating: Arena | undefined;

function buffers(heap: Heap): Map<Ptr, Fenced> {
  let map = buffersOf.get(heap);
  if (!map) {
    map = new Map();
    buffersOf.set(heap, map);
    heaps.add(new WeakRef(heap));
  }
  return map;
}

const checkHeap = (heap: Heap): void => {
  const all = wordsOf(heap);
  for (const buffer of buffers(heap).values()) check(heap, buffer, all);
};

/** Throws `FenceError` if memory was written outside a buffer of any heap that is alive. */
export function checkFences(): void {
  for (const each of heaps) {
    const heap = each.deref();
    if (heap) checkHeap(heap);
    else heaps.delete(each);
  }
}

const installed = Symbol.for('fences of the heap');

/** Puts fences around whatever is allocated from now on, in every heap and arena. */
export function installFences(): void {
  const heapMethods = Heap.prototype as Heap & { [installed]?: boolean };
  if (heapMethods[installed]) return;
  heapMethods[installed] = true;
  fenceHeap();
  fenceArena();
}

function fenceHeap(): void {
  const { allocate, extend, release } = Heap.prototype;
  Object.assign(Heap.prototype, {
    allocate(this: Heap, bytes: number): Ptr {
      if (allocating) heapOf.set(allocating, this);
      const buffer = fencedOf(allocate.call(this, bytes + 2 * FENCE), bytes, 'heap');
      buffers(this).set(buffer.at, buffer);
      try {
        checkFree(this, buffer.start, buffer.end, 'heap');
      } finally {
        words(this, buffer.start, buffer.end).fill(POISON);
        raise(this, buffer);
      }
      return buffer.at;
    },
    extend(this: Heap, at: Ptr, bytes: number): boolean {
      const buffer = buffers(this).get(at)!;
      check(this, buffer);
      if (!extend.call(this, at - FENCE, bytes + 2 * FENCE)) return false;
      const { end } = buffer;
      const old = at + endOf(buffer.bytes);
      buffer.bytes = bytes;
      buffer.end = buffer.start + aligned(bytes + 2 * FENCE);
      checkFree(this, end, buffer.end, 'heap');
      words(this, old, buffer.end).fill(POISON);
      raise(this, buffer);
      return true;
    },
    release(this: Heap, at: Ptr): void {
      const buffer = buffers(this).get(at);
      release.call(this, buffer ? buffer.start : at);
      buffers(this).delete(at);
      const { start, end } = buffer!;
      try {
        check(this, buffer!);
      } finally {
        words(this, start, end).fill(POISON);
      }
    },
  });
}

function fenceArena(): void {
  const { allocate, mark, release } = Arena.prototype;
  const stack = (arena: Arena): Fenced[] => {
    if (!stackOf.has(arena)) stackOf.set(arena, []);
    return stackOf.get(arena)!;
  };
  Object.assign(Arena.prototype, {
    allocate(this: Arena, bytes: number): Ptr {
      const outer = allocating;
      allocating = this;
      let inner: Ptr;
      try {
        inner = allocate.call(this, bytes + 2 * FENCE);
      } finally {
        allocating = outer;
      }
      const heap = heapOf.get(this)!;
      const buffer = fencedOf(inner, bytes, 'arena');
      stack(this).push(buffer);
      try {
        checkFree(heap, buffer.start, buffer.end, 'arena');
      } finally {
        raise(heap, buffer);
      }
      return buffer.at;
    },
    mark(this: Arena): Mark {
      const made = mark.call(this);
      heights.set(made, stack(this).length);
      return made;
    },
    release(this: Arena, to: Mark): void {
      const heap = heapOf.get(this);
      const gone = stack(this).splice(heights.get(to) ?? 0);
      let first: unknown;
      for (const buffer of gone) {
        try {
          check(heap!, buffer);
        } catch (error) {
          first ??= error;
        }
        words(heap!, buffer.start, buffer.end).fill(POISON);
      }
      release.call(this, to);
      if (first) throw first;
      // A step is over, or scratch outside of one.
      if (heap && stack(this).length === 0) checkHeap(heap);
    },
  });
}
