import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { audioKernels } from '../../src/audio/kernels/audio-kernels.ts';
import { init } from '../../src/engine/engine.ts';
import { extraKernels } from '../../src/engine/extra/extra-kernels.ts';
import { instantiateKernels } from '../../src/engine/loading/instantiate.ts';
import { builds } from '../kernels/sandbox.ts';

const moduleOf = (build: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(new URL(`../../build/${build}.wasm`, import.meta.url)));

test.each(['extra', 'audio'].flatMap((set) => builds.map((build) => [set, build] as const)))(
  'kernels of %s, %s, leave the static data of the first module as they are',
  (set, build) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { heapBase } = instantiateKernels(moduleOf(build), memory);
    const before = new Uint8Array(memory.buffer).slice();
    expect(before.subarray(0, heapBase()).some((byte) => byte !== 0)).toBe(true);
    instantiateKernels(moduleOf(`${set}-${build}`), memory);
    expect(Buffer.compare(before, new Uint8Array(memory.buffer))).toBe(0);
  },
);

test.each([
  ['extra', extraKernels],
  ['audio', audioKernels],
])('kernels of %s are made once for each engine, plain and with threads', async (_, kernelsOf) => {
  const first = await init({ mode: 'reproducible' });
  const second = await init({ threads: 2 });
  expect(kernelsOf(first)).toBe(kernelsOf(first));
  expect(kernelsOf(second)).toBe(kernelsOf(second));
  expect(kernelsOf(first)).not.toBe(kernelsOf(second));
  second.stopThreads();
});
