import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { tensor } from '../../../src/autograd/tensor.ts';
import { engine, type InitOptions, init } from '../../../src/engine/engine.ts';
import { bytesOf } from '../../../src/engine/loading/kernel-modules.ts';
import { bytesOf as bytesAsText } from '../../../src/engine/loading/kernel-modules-text.ts';
import { type Build, hostHasRelaxedSimd, hostHasSimd } from '../../../src/engine/loading/load.ts';
import { square } from '../../../src/ops/index.ts';

const inlined: Record<Build, Buffer> = { simd: Buffer.from(bytesOf('simd')), relaxed: Buffer.from(bytesOf('relaxed')) };
const names = Object.keys(inlined) as Build[];
const size = 40 * 1024;

afterAll(async () => {
  await init();
});

describe.each(names)('%s.wasm', (build) => {
  test(`as inlined, is at most ${size} bytes and the file that the build wrote`, () => {
    expect(inlined[build].length).toBeLessThanOrEqual(size);
    expect(inlined[build].equals(readFileSync(new URL(`../../../build/${build}.wasm`, import.meta.url)))).toBe(true);
  });

  test('as inlined for Node, is the same', () => {
    expect(inlined[build].equals(Buffer.from(bytesAsText(build)))).toBe(true);
  });

  test('imports env.memory and nothing else', () => {
    if (!WebAssembly.validate(Uint8Array.from(inlined[build]))) {
      expect([build, hostHasRelaxedSimd()]).toEqual(['relaxed', false]);
      return;
    }
    const module = new WebAssembly.Module(Uint8Array.from(inlined[build]));
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const kinds = new Set(WebAssembly.Module.exports(module).map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['function']));
  });
});

test('both builds, export the same names', () => {
  if (!hostHasRelaxedSimd()) return;
  const [a, b] = names.map((build) =>
    WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(inlined[build]))).map(({ name }) => name),
  );
  expect(a).toEqual(b);
});

test('hostHasSimd and hostHasRelaxedSimd, say whether the host takes the builds', () => {
  expect(hostHasSimd()).toBe(WebAssembly.validate(Uint8Array.from(inlined.simd)));
  expect(hostHasRelaxedSimd()).toBe(WebAssembly.validate(Uint8Array.from(inlined.relaxed)));
});

describe('init', () => {
  test('by mode, picks the build, and is the engine from then on', async () => {
    const fast = await init();
    expect(fast.build).toBe(hostHasRelaxedSimd() ? 'relaxed' : 'simd');
    const reproducible = await init({ mode: 'reproducible' });
    expect(reproducible.build).toBe('simd');
    expect(engine()).toBe(reproducible);
  });

  test('given a module, works with it', async () => {
    const made = await init({ module: new WebAssembly.Module(Uint8Array.from(inlined.simd)) });
    expect([made.build, engine()]).toEqual(['custom', made]);
    expect(Array.from(square(tensor([1, 2, 3])).toArray())).toEqual([1, 4, 9]);
  });

  test('anew, leaves tensors of the engine before it usable', async () => {
    const old = await init();
    const x = tensor([3]);
    await init();
    expect(engine()).not.toBe(old);
    const y = square(x);
    expect([y.engine, y.item()]).toEqual([old, 9]);
  });

  test.each<[string, InitOptions, string]>([
    ['an unknown mode', { mode: 'quick' as 'fast' }, "init: mode expected 'fast' or 'reproducible', got 'quick'"],
    [
      'too little memory',
      { maximumMemory: 2 ** 20 },
      'init: maximumMemory expected 2 MiB to 4 GiB in bytes, got 1048576',
    ],
    [
      'too much memory',
      { maximumMemory: 2 ** 33 },
      'init: maximumMemory expected 2 MiB to 4 GiB in bytes, got 8589934592',
    ],
    [
      'memory that is NaN',
      { maximumMemory: Number.NaN },
      'init: maximumMemory expected 2 MiB to 4 GiB in bytes, got NaN',
    ],
  ])('with %s, rejects and keeps the engine', async (_, options, message) => {
    const before = engine();
    await expect(init(options)).rejects.toThrow(message);
    expect(engine()).toBe(before);
  });
});
