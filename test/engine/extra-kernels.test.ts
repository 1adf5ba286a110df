import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { init } from '../../src/engine/engine.ts';
import { extraKernels } from '../../src/engine/extra/extra-kernels.ts';

const DATA_SECTION = 11;

/** The ids of the sections of a Wasm module. */
function sectionsOf(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]!);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      size |= (bytes[at]! & 0x7f) << shift;
      if (bytes[at++]! < 0x80) break;
    }
    at += size;
  }
  return ids;
}

test.each(['simd', 'relaxed'])(
  'extra kernels, %s, have no static data, which would be over that of the first module',
  (build) => {
    const ids = sectionsOf(readFileSync(new URL(`../../build/extra-${build}.wasm`, import.meta.url)));
    expect(ids.length).toBeGreaterThan(3);
    expect(ids).not.toContain(DATA_SECTION);
  },
);

test('extra kernels are made once for each engine, plain and with threads', async () => {
  const first = await init({ mode: 'reproducible' });
  const second = await init({ threads: 2 });
  expect(extraKernels(first)).toBe(extraKernels(first));
  expect(extraKernels(second)).toBe(extraKernels(second));
  expect(extraKernels(first)).not.toBe(extraKernels(second));
  second.stopThreads();
});
