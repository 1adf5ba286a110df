// Overlapping calls of init, and models and tensors made during a call.
import { afterAll, describe, expect, test, vi } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { sequential } from '../../src/models/model.ts';

const early = new ArgumentError('init is not finished: await it before anything is made');

describe('while the first init runs', () => {
  test('a model, a tensor and engine() are refused, and there afterwards', async () => {
    const make = () => sequential([dense({ units: 1, inputShape: [2] })]);
    const call = init({ mode: 'reproducible' });
    expect(make).toThrow(early);
    expect(() => tensor([1])).toThrow(early);
    expect(() => engine()).toThrow(early);
    const made = await call;
    expect(make().engine).toBe(made);
  });
});

describe('while a later init runs', () => {
  test('what is made, is on the engine before', async () => {
    const before = await init();
    const call = init({ mode: 'reproducible' });
    expect(tensor([1]).engine).toBe(before);
    expect(await call).not.toBe(before);
  });

  test('a model of before, goes on with its own engine', async () => {
    await init();
    const model = sequential([dense({ units: 1, inputShape: [2] })]);
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const call = init();
    expect(model.predict([[1, 2]]).shape).toEqual([1, 1]);
    model.trainOnBatch([[1, 2]], [[1]]);
    expect(await call).not.toBe(model.engine);
  });

  test('a call that failed, leaves the engine before it in use', async () => {
    const before = await init();
    const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    await expect(init({ module })).rejects.toThrow();
    expect(engine()).toBe(before);
  });
});

describe('init under fake timers', () => {
  afterAll(() => {
    vi.useRealTimers();
  });

  test('starts its threads', async () => {
    vi.useFakeTimers();
    const { threads } = await init({ threads: 2 });
    expect(threads).toBe(2);
    engine().stopThreads();
  });
});

test.each<[string, () => unknown, string]>([
  ['setSeed of a time', () => setSeed(1e13), 'seed expected an integer in [0, 2^32), got 10000000000000'],
  ['setSeed of a text', () => setSeed('1' as never), "seed expected an integer in [0, 2^32), got '1'"],
  [
    'threads of a text',
    () => init({ threads: '2' as never }),
    "init: threads expected an integer from 1 to 64, got '2'",
  ],
  ['mode x', () => init({ mode: 'x' as never }), "init: mode expected 'fast' or 'reproducible', got 'x'"],
  [
    'memory of a text',
    () => init({ maximumMemory: '1e8' as never }),
    "init: maximumMemory expected 2 MiB to 4 GiB in bytes, got '1e8'",
  ],
])('%s, is an ArgumentError', async (_, call, sentence) => {
  await expect((async () => call())()).rejects.toThrow(new ArgumentError(sentence));
});
