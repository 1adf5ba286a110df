import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { init } from '../../src/engine/engine.ts';
import { extraKernels } from '../../src/engine/extra/extra-kernels.ts';
import { instantiateKernels } from '../../src/engine/loading/instantiate.ts';
import { builds } from '../kernels/sandbox.ts';

const moduleOf = (build: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(new URL(`../../build/${build}.wasm`, import.meta.url)));

test.each(builds)('extra kernels, %s, leave the static data of the first module as they are', (build) => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { heapBase } = instantiateKernels(moduleOf(build), memory);
  const before = new Uint8Array(memory.buffer).slice();
  expect(before.subarray(0, heapBase()).some((byte) => byte !== 0)).toBe(true);
  instantiateKernels(moduleOf(`extra-${build}`), memory);
  expect(Buffer.compare(before, new Uint8Array(memory.buffer))).toBe(0);
});

test('extra kernels are made once for each engine, plain and with threads', async () => {
  const first = await init({ mode: 'reproducible' });
  const second = await init({ threads: 2 });
  expect(extraKernels(first)).toBe(extraKernels(first));
  expect(extraKernels(second)).toBe(extraKernels(second));
  expect(extraKernels(first)).not.toBe(extraKernels(second));
  second.stopThreads();
});
