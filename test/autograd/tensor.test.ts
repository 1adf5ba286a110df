import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { keep, type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { DeadTensorError } from '../../src/checks/dead-tensor-error.ts';
import { engine } from '../../src/engine/engine.ts';
import { lastStep, reshape, scale, square, swapTimeBatch } from '../../src/ops/index.ts';

/** An array whose only element is itself. */
function inItself(): unknown[] {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

function deepList(depth: number): unknown {
  let list: unknown = [];
  for (let i = 0; i < depth; i++) list = [list];
  return list;
}

describe('the life of a tensor', () => {
  test('made in a step, ends with it: every use throws and names it', () => {
    const dead = engine().step(() => tensor([[1, 2]], { name: 'activations' }));
    const named =
      /^tensor 'activations' \[1, 2\] belongs to step \d+, which has ended; copy .* toArray\(\) or keep\(\)$/;
    const uses: Record<string, () => unknown> = {
      ptr: () => dead.ptr,
      toArray: () => dead.toArray(),
      set: () => dead.set([3, 4]),
      keep: () => keep(dead),
      'an op': () => square(dead),
      'a view': () => reshape(dead, [2]),
    };
    for (const [use, run] of Object.entries(uses)) {
      expect(run, use).toThrow(named);
      expect(run, use).toThrow(DeadTensorError);
    }
  });

  test('made in a step, is dead in the next step too, whose tensor has its address', () => {
    let at = 0;
    const first = engine().step(() => {
      const t = tensor([1, 2], { name: 'first' });
      at = t.ptr;
      return t;
    });
    engine().step(() => {
      const second = tensor([8, 9], { name: 'second' });
      expect(second.ptr).toBe(at);
      expect(() => first.toArray()).toThrow(/'first' \[2\] belongs to step/);
    });
  });

  test('made in a step that throws, ends with it', () => {
    let t: Tensor | undefined;
    expect(() =>
      engine().step(() => {
        t = tensor([1]);
        throw new Error('in the middle');
      }),
    ).toThrow('in the middle');
    expect(() => t!.ptr).toThrow(DeadTensorError);
    expect(engine().openStep).toBe(0);
  });

  test('made in a step inside a step, lives until the outer one ends', () => {
    const inner = engine().step(() => {
      const t = engine().step(() => tensor([1, 2]));
      expect(Array.from(t.toArray())).toEqual([1, 2]);
      return t;
    });
    expect(() => inner.ptr).toThrow(DeadTensorError);
  });

  test('disposed of, throws by name; a second dispose does nothing', () => {
    const t = tensor([1, 2], { name: 'table' });
    const used = engine().heap.usedBytes;
    t.dispose();
    expect(engine().heap.usedBytes).toBe(used - 64);
    t.dispose();
    expect(engine().heap.usedBytes).toBe(used - 64);
    expect(t.isDisposed).toBe(true);
    expect(() => t.ptr).toThrow(/^tensor 'table' \[2\] was disposed of;/);
    expect(() => t.ptr).toThrow(DeadTensorError);
  });

  test("dispose of a step's tensor does nothing", () => {
    engine().step(() => {
      const t = tensor([1, 2]);
      t.dispose();
      expect(Array.from(t.toArray())).toEqual([1, 2]);
    });
  });

  test('kept, outlives its step with its values, its shape and its type', () => {
    const kept = engine().step(() =>
      [
        tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3], name: 'h' }),
        tensor([7, 8], { dtype: 'i32' }),
        swapTimeBatch(tensor([1, 2, 3, 4, 5, 6], { shape: [3, 2] })),
      ].map((t) => keep(t)),
    );
    engine().step(() => tensor(new Float32Array(256).fill(-1)));
    expect(kept.map((t) => [t.name, t.dtype, t.shape, Array.from(t.toArray()), t.isPersistent])).toEqual([
      ['h', 'f32', [2, 3], [1, 2, 3, 4, 5, 6], true],
      ['tensor', 'i32', [2], [7, 8], true],
      ['tensor', 'f32', [2, 3], [1, 3, 5, 2, 4, 6], true],
    ]);
    for (const t of kept) t.dispose();
  });
});

describe('a view', () => {
  test('shares its base: what is written through one is read through the other', () => {
    const base = tensor([1, 2, 3, 4], { shape: [2, 2] });
    const view = reshape(base, [4]);
    expect(view.ptr).toBe(base.ptr);
    view.set([5, 6, 7, 8]);
    expect(Array.from(base.toArray())).toEqual([5, 6, 7, 8]);
  });

  test('of a disposed tensor, throws the name of the base', () => {
    const base = tensor([1, 2, 3, 4], { shape: [2, 2], name: 'base' });
    const view = reshape(reshape(base, [4]), [4, 1]);
    base.dispose();
    expect(view.isDisposed).toBe(true);
    expect(() => view.toArray()).toThrow(/'base' \[2, 2\] was disposed of/);
  });

  test('disposed of, leaves its base alone', () => {
    const base = tensor([1, 2], { shape: [2] });
    reshape(base, [1, 2]).dispose();
    expect(Array.from(base.toArray())).toEqual([1, 2]);
  });

  test('of a sequence with its axes exchanged, reads row-major in its own shape', () => {
    const x = tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], { shape: [2, 3, 2] });
    const y = swapTimeBatch(x);
    expect(y.shape).toEqual([3, 2, 2]);
    expect(y.ptr).toBe(x.ptr);
    expect(Array.from(y.toArray())).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
    expect(Array.from(lastStep(x).toArray())).toEqual([4, 5, 10, 11]);
    expect(Array.from(lastStep(y).toArray())).toEqual([6, 7, 8, 9, 10, 11]);
  });
});

describe('tensor', () => {
  test('from nested arrays, takes their shape', () => {
    const t = tensor([
      [[1], [2]],
      [[3], [4]],
      [new Float32Array([5]), [6]],
    ]);
    expect([t.shape, Array.from(t.toArray())]).toEqual([
      [3, 2, 1],
      [1, 2, 3, 4, 5, 6],
    ]);
    expect(tensor(7).shape).toEqual([]);
    expect(tensor(7).item()).toBe(7);
    expect(tensor([]).shape).toEqual([0]);
  });

  test.each<[string, unknown, object, RegExp]>([
    ['a ragged row', [[1, 2], [3]], {}, /^tensor\[1\]: expected a row of 2, got 1$/],
    ['a number where a row should be', [[1, 2], 3], {}, /^tensor\[1\]: expected a row of 2, got 3$/],
    ['a row where a number should be', [1, [2]], {}, /^tensor\[1\]: expected a number, got a list of 1$/],
    ['a string', [['a']], {}, /expected a number, got 'a'/],
    ['null', [[null]], {}, /expected a number, got null/],
    ['undefined', undefined, {}, /expected a number, got undefined/],
    ['too few values for its shape', [1, 2, 3], { shape: [2, 2] }, /shape \[2, 2\] holds 4 values, got 3$/],
    ['a negative length', [1], { shape: [-1] }, /shape expected a list of integers ≥ 0, got \[-1\]$/],
    ['a shape that is no list', [1], { shape: 1 }, /shape expected a list of integers ≥ 0, got 1$/],
    ['null for its shape', null, { shape: [1] }, /shape \[1\] holds 1 values, got undefined$/],
    ['a string for its shape', ['1'], { shape: [1] }, /^set\(\): 'tensor' expected numbers, got '1' at 0$/],
    ['a fraction for an id', [1, 2.5], { dtype: 'i32' }, /expected integers of 32 bits, got 2.5 at 1$/],
    [
      'an id past 32 bits',
      [2 ** 31],
      { dtype: 'i32', shape: [1] },
      /expected integers of 32 bits, got 2147483648 at 0$/,
    ],
    ['NaN for an id', new Float32Array([Number.NaN]), { dtype: 'i32' }, /expected integers of 32 bits, got NaN at 0$/],
    ['bigints', new BigInt64Array(2), {}, /^tensor\[0\]: expected a number, got 0n$/],
    ['bigints for its shape', new BigInt64Array(2), { shape: [2] }, /expected numbers, got 0n at 0$/],
    ['an array in itself', inItself(), {}, /^tensor expected 32 axes and 2\^31 numbers at most, got more$/],
    [
      'a list as deep as a stack',
      deepList(20_000),
      {},
      /^tensor expected 32 axes and 2\^31 numbers at most, got more$/,
    ],
    [
      'deep lists where rows should be',
      [[1], [deepList(20_000)]],
      {},
      /^tensor\[1\]\[0\]: expected a number, got a list of 1$/,
    ],
    ['an object where a row should be', [[1], {}], {}, /^tensor\[1\]: expected a row of 1, got an object$/],
  ])('from %s, throws where it stands', (_, values, options, message) => {
    expect(() => tensor(values as number[], options)).toThrow(message);
    expect(() => tensor(values as number[], options)).toThrow(ArgumentError);
  });

  test('from refused values, leaves no memory taken', () => {
    const used = engine().heap.usedBytes;
    expect(() => tensor(Array(1000).fill(0.5), { dtype: 'i32' })).toThrow(ArgumentError);
    expect(engine().heap.usedBytes).toBe(used);
  });

  test('of ids, set to a fraction or past 32 bits, throws and stays as it was', () => {
    const ids = tensor([1, 2], { dtype: 'i32', name: 'ids' });
    expect(() => ids.set([3, 0.5])).toThrow("set(): 'ids' expected integers of 32 bits, got 0.5 at 1");
    expect(() => ids.set([3, -(2 ** 31) - 1])).toThrow('expected integers of 32 bits, got -2147483649 at 1');
    expect(Array.from(ids.toArray())).toEqual([1, 2]);
    ids.set(new Float64Array([-(2 ** 31), 2 ** 31 - 1]));
    expect(Array.from(ids.toArray())).toEqual([-(2 ** 31), 2 ** 31 - 1]);
  });

  test('item and set on another size, throw both sizes', () => {
    const t = tensor([1, 2], { name: 'pair' });
    expect(() => t.item()).toThrow("item(): 'pair' has 2 elements, expected 1");
    expect(() => t.set([1])).toThrow("set(): 'pair' has 2 elements, got 1");
  });

  test('set on a tensor that is stored time-major, throws and leaves it', () => {
    const t = tensor([1, 2, 3, 4, 5, 6], { shape: [3, 2], name: 'steps' });
    const turned = swapTimeBatch(t);
    expect(() => turned.set([1, 3, 5, 2, 4, 6])).toThrow(
      new ArgumentError("set(): 'steps' expected row-major memory, got time-major"),
    );
    expect(Array.from(t.toArray())).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('never disposed of, gives its memory back when it is collected', async () => {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = engine().heap.usedBytes;
    (() => {
      for (let i = 0; i < 50; i++) scale(tensor(new Float32Array(64)), 2);
    })();
    expect(engine().heap.usedBytes).toBeGreaterThan(used);
    // Finalizers run in a later task than the collection.
    for (let round = 0; round < 20 && engine().heap.usedBytes > used; round++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(engine().heap.usedBytes).toBeLessThanOrEqual(used);
  });
});

describe('Parameter', () => {
  test('assign, replaces the values and counts a version', () => {
    const p = new Parameter('dense/bias', [2]);
    expect(Array.from(p.toArray())).toEqual([0, 0]);
    p.assign([1, 2]);
    expect([Array.from(p.toArray()), p.version]).toEqual([[1, 2], 1]);
  });

  test('assign of another shape or of a value that is not finite, throws and changes nothing', () => {
    const p = new Parameter('dense/bias', [2], [1, 2]);
    expect(() => p.assign([1, 2], [2, 1])).toThrow("parameter 'dense/bias' expected [2], got [2, 1]");
    expect(() => p.assign([1, Number.NaN])).toThrow(
      "parameter 'dense/bias': value 1 expected a finite number, got NaN",
    );
    expect(() => p.assign([1, 2, 3])).toThrow(ArgumentError);
    expect([Array.from(p.toArray()), p.version]).toEqual([[1, 2], 0]);
  });
});
