import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { type Engine, engine, init } from '../../src/engine/engine.ts';
import { checkFences, FenceError, installFences } from './fences.ts';

let own: Engine;

beforeAll(async () => {
  installFences();
  own = await init({ mode: 'reproducible' });
});

afterEach(() => {
  expect(own.openStep).toBe(0);
  checkFences();
});

const write = (at: number, value = 1): void => {
  own.f32(at, 1)[0] = value;
};

describe('fences', () => {
  test.each([
    ['before its beginning', -4, 'memory was written 4 bytes before a buffer of 12 bytes'],
    ['past its end', 12, 'memory was written 0 bytes behind a buffer of 12 bytes'],
    ['a cache line past its end', 76, 'memory was written 64 bytes behind a buffer of 12 bytes'],
  ])(
    'of a tensor that is written one float %s, tell when they are looked at and when it is released',
    (_, offset, message) => {
      const x = tensor([1, 2, 3]);
      write(x.ptr + offset);
      expect(checkFences).toThrow(FenceError);
      write(x.ptr + offset);
      expect(checkFences).toThrow(message);
      write(x.ptr + offset);
      expect(() => x.dispose()).toThrow(message);
      expect(x.isDisposed).toBe(true);
    },
  );

  test.each([
    ['before its beginning', -4, 'written 4 bytes before a buffer of 40 bytes'],
    ['past its end', 40, 'written 0 bytes behind a buffer of 40 bytes'],
  ])('of a step’s tensor that a kernel writes %s, tell when the step ends', (_, offset, message) => {
    const run = (): void =>
      own.step(() => {
        const x = tensor(new Float32Array(10));
        own.kernels.fill(1, 3, x.ptr + offset);
      });
    expect(run).toThrow(message);
    expect(() => own.step(() => tensor([1]))).not.toThrow();
  });

  test('of scratch that is written past its end, tell when it is given back', () => {
    expect(() =>
      own.scratch(() => {
        const at = own.allocateScratch(5);
        own.kernels.fill(6, 0, at);
      }),
    ).toThrow('written 0 bytes behind a buffer of 20 bytes');
  });

  test('of a persistent tensor that is written past its end within a step, tell when the step ends', () => {
    const x = tensor([1, 2]);
    expect(() => own.step(() => own.kernels.fill(3, 0, x.ptr))).toThrow('written 0 bytes behind a buffer of 8 bytes');
    x.dispose();
  });

  test('let every float of a buffer be written, and buffers grow and go', () => {
    for (const size of [0, 1, 15, 16, 17, 300_000]) {
      const x = tensor(new Float32Array(size));
      own.kernels.fill(size, 2, x.ptr);
      own.step(() => {
        for (const count of [3, size, 70_000]) own.kernels.fill(count, 2, own.allocateScratch(count));
      });
      checkFences();
      x.dispose();
    }
  });
});

describe('freed memory', () => {
  test('of a disposed tensor, reads as NaN', () => {
    const x = tensor([1, 2, 3]);
    const at = x.ptr;
    x.dispose();
    expect(Array.from(own.f32(at, 3))).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test('of a step that is over, reads as NaN, and so does what nobody has written yet', () => {
    const read = (at: number): number[] => Array.from(own.f32(at, 2));
    const at = own.step(() => {
      const scratch = own.allocateScratch(2);
      expect(read(scratch)).toEqual([Number.NaN, Number.NaN]);
      own.kernels.fill(2, 1, scratch);
      return scratch;
    });
    expect(read(at)).toEqual([Number.NaN, Number.NaN]);
  });

  test('that is written, tells when it is handed out again', () => {
    const x = tensor([1, 2, 3]);
    const at = x.ptr;
    x.dispose();
    write(at);
    expect(() => tensor([1, 2, 3])).toThrow(`free memory was written at ${at}, after its buffer was released (heap)`);
    const scratch = own.step(() => own.allocateScratch(2));
    write(scratch);
    expect(() => own.step(() => own.allocateScratch(2))).toThrow(`free memory was written at ${scratch}`);
    expect(engine()).toBe(own);
  });
});
