import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { Arena, Heap, OutOfMemoryError } from '../../src/engine/memory.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { sequential } from '../../src/models/model.ts';
import { square } from '../../src/ops/index.ts';
import { values } from '../kernels/reference/values.ts';
import { expectSameSnapshot, snapshotOf } from '../train/snapshot.ts';

const PAGE = 65536;
const MB = 2 ** 20;
const BASE = 1000;

function makeHeap(limit = 64 * MB): { heap: Heap; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  return { memory, heap: new Heap(memory, BASE, limit) };
}

describe('Heap', () => {
  test('allocate, gives addresses above the base that are multiples of 64', () => {
    const { heap } = makeHeap();
    for (const bytes of [0, 1, 63, 64, 65, 4000]) {
      const at = heap.allocate(bytes);
      expect(at).toBeGreaterThanOrEqual(BASE);
      expect(at % 64).toBe(0);
    }
    expect(heap.usedBytes).toBe(64 + 64 + 64 + 64 + 128 + 4032);
  });

  test('release of neighbours in any order, makes one block of them', () => {
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const { heap } = makeHeap();
      const blocks = [0, 1, 2].map(() => heap.allocate(1000));
      const fence = heap.allocate(64);
      for (const i of order) heap.release(blocks[i]!);
      expect(heap.allocate(3 * 1024), String(order)).toBe(blocks[0]);
      heap.release(fence);
    }
  });

  test('allocate, takes the first block that is large enough', () => {
    const { heap } = makeHeap();
    const [small, , large] = [heap.allocate(64), heap.allocate(64), heap.allocate(640), heap.allocate(64)];
    heap.release(small!);
    heap.release(large!);
    expect(heap.allocate(128)).toBe(large);
    expect(heap.allocate(64)).toBe(small);
  });

  test('release of what was released or never given, throws and changes nothing', () => {
    const { heap } = makeHeap();
    const at = heap.allocate(100);
    heap.release(at);
    expect(() => heap.release(at)).toThrow(`heap: address ${at} is not in use`);
    expect(() => heap.release(at + 64)).toThrow('is not in use');
    expect([heap.usedBytes, heap.allocate(100)]).toEqual([0, at]);
  });

  test('growth, keeps what stands in memory', () => {
    const { heap, memory } = makeHeap();
    const at = heap.allocate(1000);
    new Uint8Array(memory.buffer, at, 1000).fill(7);
    const before = memory.buffer;
    heap.allocate(3 * PAGE);
    expect(memory.buffer).not.toBe(before);
    expect(new Uint8Array(memory.buffer, at, 1000).every((byte) => byte === 7)).toBe(true);
  });

  test('growth, uses the free end of memory and leaves a sixteenth to spare', () => {
    const { heap, memory } = makeHeap();
    heap.allocate(40 * PAGE);
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(42 * PAGE);
    for (let i = 0; i < 40; i++) heap.allocate(1024);
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(42 * PAGE);
  });

  test('beyond its limit, throws what was asked and what is there, and goes on working', () => {
    const { heap, memory } = makeHeap(4 * MB);
    const at = heap.allocate(3 * MB);
    expect(() => heap.allocate(2 * MB)).toThrow(OutOfMemoryError);
    expect(() => heap.allocate(2 * MB)).toThrow(
      /^out of memory: a buffer of 2\.0 MB does not fit; \d\.\d MB are in use or fragmented and the limit is 4\.0 MB$/,
    );
    expect(heap.usedBytes).toBe(3 * MB);
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(4 * MB);
    heap.release(at);
    expect(heap.allocate(2 * MB)).toBe(at);
  });

  test('up to its limit exactly, gives every byte but the last cache line', () => {
    const { heap, memory } = makeHeap(2 * MB);
    heap.allocate(2 * MB - 1024 - 64);
    expect(memory.buffer.byteLength).toBe(2 * MB);
    expect(() => heap.allocate(1)).toThrow(OutOfMemoryError);
  });

  test('under random use, never overlaps, never loses content, and coalesces to one block', () => {
    const command = fc.oneof(
      fc.record({ allocate: fc.integer({ min: 0, max: 3 * PAGE }) }),
      fc.record({ release: fc.nat({ max: 30 }) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const { heap, memory } = makeHeap(2 * MB);
        const live: { at: number; bytes: number; mark: number }[] = [];
        const words = (block: { at: number; bytes: number }): Uint32Array =>
          new Uint32Array(memory.buffer, block.at, Math.ceil(Math.max(block.bytes, 1) / 64) * 16);
        for (const [mark, c] of commands.entries()) {
          if ('allocate' in c) {
            let at: number;
            try {
              at = heap.allocate(c.allocate);
            } catch (error) {
              expect(error).toBeInstanceOf(OutOfMemoryError);
              continue;
            }
            expect(at % 64).toBe(0);
            expect(at).toBeGreaterThanOrEqual(BASE);
            const block = { at, bytes: c.allocate, mark };
            // An overlap would show as another's mark when that one is checked.
            words(block).fill(mark);
            live.push(block);
          } else if (live.length > 0) {
            const [block] = live.splice(c.release % live.length, 1);
            expect(words(block!).every((word) => word === block!.mark)).toBe(true);
            heap.release(block!.at);
          }
          expect(heap.usedBytes).toBe(live.reduce((sum, block) => sum + words(block).byteLength, 0));
        }
        for (const block of live) {
          expect(words(block).every((word) => word === block.mark)).toBe(true);
          heap.release(block.at);
        }
        const whole = memory.buffer.byteLength - 1024;
        expect(heap.allocate(whole)).toBe(1024);
      }),
      { seed: 1, numRuns: 150 },
    );
  });
});

describe('Arena', () => {
  test('released to a mark, gives the same addresses again', () => {
    const arena = new Arena(makeHeap().heap);
    const first = arena.allocate(100);
    const mark = arena.mark();
    const after = [arena.allocate(10), arena.allocate(5000)];
    arena.release(mark);
    expect([arena.allocate(10), arena.allocate(5000)]).toEqual(after);
    expect(after[0]! - first).toBe(128);
  });

  test('after a step of several segments, holds one of their size and no more', () => {
    const { heap, memory } = makeHeap();
    const arena = new Arena(heap);
    const step = (): number[] => {
      const mark = arena.mark();
      const at = Array.from({ length: 12 }, () => arena.allocate(300_000));
      arena.release(mark);
      return at;
    };
    step();
    const [second, held] = [step(), arena.heldBytes];
    const size = memory.buffer.byteLength;
    for (let i = 0; i < 5; i++) expect(step()).toEqual(second);
    expect([arena.heldBytes, memory.buffer.byteLength, heap.usedBytes]).toEqual([held, size, held]);
    // One segment: neighbours touch.
    second.slice(1).forEach((at, i) => expect(at - second[i]!).toBe(300_032));
  });

  test('of a buffer larger than any segment, holds it', () => {
    const arena = new Arena(makeHeap().heap);
    arena.allocate(64);
    const large = arena.allocate(20 * MB);
    const next = arena.allocate(64);
    expect(next < large || next >= large + 20 * MB).toBe(true);
  });

  test('behind a buffer that a segment had no room for, fills that segment before it grows', () => {
    const { heap } = makeHeap();
    const arena = new Arena(heap);
    const first = arena.allocate(64);
    heap.allocate(64);
    arena.allocate(3 * MB);
    const held = arena.heldBytes;
    expect(arena.allocate(1000)).toBe(first + 64);
    expect(arena.heldBytes).toBe(held);
  });

  test('where the heap has only room for what is asked, takes that much', () => {
    const { heap } = makeHeap(2 * MB);
    heap.allocate(1.5 * MB);
    const arena = new Arena(heap);
    expect(() => arena.allocate(100_000)).not.toThrow();
    expect(arena.heldBytes).toBe(100_032);
    expect(() => arena.allocate(MB)).toThrow(OutOfMemoryError);
  });

  test('releaseSegments, gives all back to the heap', () => {
    const { heap } = makeHeap();
    const arena = new Arena(heap);
    arena.allocate(100);
    arena.allocate(3 * MB);
    arena.releaseSegments();
    expect([heap.usedBytes, arena.heldBytes]).toEqual([0, 0]);
  });

  test('under random nested use, never overlaps and keeps what stands below a mark', () => {
    type Tree = { sizes: number[]; inner: readonly Tree[] };
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.record({
        sizes: fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 4 }),
        inner: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('tree'), { maxLength: 3 })),
      }),
    }));
    fc.assert(
      fc.property(tree, (root) => {
        const { heap, memory } = makeHeap();
        const arena = new Arena(heap);
        let next = 1;
        const live: { at: number; bytes: number; mark: number }[] = [];
        const words = ({ at, bytes }: { at: number; bytes: number }): Uint32Array =>
          new Uint32Array(memory.buffer, at, Math.ceil(bytes / 4));
        // Its first and last words tell an overlap; filling all would take minutes.
        const ends = (block: { at: number; bytes: number }): Uint32Array[] => {
          const all = words(block);
          return [all.subarray(0, 16), all.subarray(-16)];
        };
        const walk = ({ sizes, inner }: Tree): void => {
          const mark = arena.mark();
          const before = live.length;
          for (const bytes of sizes) {
            const block = { at: arena.allocate(bytes), bytes, mark: next++ };
            expect(block.at % 64).toBe(0);
            for (const other of live) {
              expect(block.at + bytes <= other.at || other.at + other.bytes <= block.at).toBe(true);
            }
            for (const end of ends(block)) end.fill(block.mark);
            live.push(block);
          }
          for (const tree of inner) walk(tree);
          for (const block of live) {
            for (const end of ends(block)) expect(end.every((word) => word === block.mark)).toBe(true);
          }
          live.length = before;
          arena.release(mark);
        };
        walk(root);
        walk(root);
        expect(heap.usedBytes).toBe(arena.heldBytes);
      }),
      { seed: 2, numRuns: 60 },
    );
  });
});

describe('an engine whose memory grows', () => {
  test('keeps every tensor, and views made afterwards see it', async () => {
    await init({ mode: 'reproducible' });
    const x = tensor(values(1000, 1));
    const before = engine().memory.buffer;
    const large = tensor(new Float32Array(2 ** 21));
    expect(engine().memory.buffer).not.toBe(before);
    expect(Array.from(x.toArray())).toEqual(Array.from(values(1000, 1)));
    engine().step(() => {
      const y = square(x);
      const size = engine().memory.buffer.byteLength;
      while (engine().memory.buffer.byteLength === size) tensor(new Float32Array(2 ** 20));
      expect(y.toArray()[3]).toBeCloseTo(values(1000, 1)[3]! ** 2, 6);
    });
    large.dispose();
  });
});

describe('a model without enough memory', () => {
  const batch = (count: number) => ({
    x: ndarray(values(count * 10 * 8, 1), [count, 10, 8]),
    y: ndarray(values(count, 2), [count, 1]),
  });

  test('in a step, throws, stays as it was to the bit, and trains on a smaller batch', async () => {
    setSeed(1);
    const small = await init({ mode: 'reproducible', maximumMemory: 4 * MB });
    const model = sequential([lstm({ units: 16, inputShape: [null, 8], stateful: true }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const good = batch(4);
    model.trainOnBatch(good.x, good.y);
    const before = snapshotOf(model);
    const large = batch(4000);
    model.resetStates();
    for (let i = 0; i < 3; i++) {
      expect(() => model.trainOnBatch(large.x, large.y)).toThrow(OutOfMemoryError);
      expect(() => model.trainOnBatch(large.x, large.y)).toThrow(/^out of memory: .* the limit is 4\.0 MB$/);
    }
    expect(small.openStep).toBe(0);
    const after = snapshotOf(model);
    for (const name of Object.keys(before.arrays)) if (name.startsWith('state ')) delete before.arrays[name];
    expectSameSnapshot(after, before);
    const logs = model.trainOnBatch(good.x, good.y);
    expect(Number.isFinite(logs.loss)).toBe(true);
    expect(small.memory.buffer.byteLength).toBeLessThanOrEqual(4 * MB);
  });

  test('for its optimizer state, throws, keeps its weights and works with an optimizer that needs less', async () => {
    setSeed(1);
    await init({ mode: 'reproducible', maximumMemory: 6 * MB });
    // 0.5 MB of weights four times over for Adam and the gradient, with no room for them in what the arena leaves.
    const model = sequential([dense({ units: 600, inputShape: [600] })]);
    const ballast = tensor(new Float32Array(2 ** 18 * 1.1));
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const [x, y] = [ndarray(values(600, 3), [1, 600]), ndarray(values(600, 4), [1, 600])];
    const before = model.weights.map((weight) => weight.toArray());
    expect(() => model.trainOnBatch(x, y)).toThrow(OutOfMemoryError);
    expect(model.weights.map((weight) => weight.toArray())).toEqual(before);
    expect(model.optimizer.iterations).toBe(0);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    expect(Number.isFinite(model.trainOnBatch(x, y).loss)).toBe(true);
    ballast.dispose();
  });

  test('when it is built, throws and leaves nothing behind', async () => {
    setSeed(1);
    const small = await init({ mode: 'reproducible', maximumMemory: 2 * MB });
    const used = small.heap.usedBytes;
    const model = sequential([dense({ units: 100 }), dense({ units: 100_000 })]);
    expect(() => model.predict([[1, 2, 3]])).toThrow(OutOfMemoryError);
    expect(model.weights.length).toBe(0);
    expect(small.heap.usedBytes - small.arena.heldBytes).toBe(used);
  });
});
