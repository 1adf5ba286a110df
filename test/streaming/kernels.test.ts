import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Build, hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';
import { bytesOf } from '../../src/streaming/kernel-modules.ts';
import { bytesOf as bytesAsText } from '../../src/streaming/kernel-modules-text.ts';

const size = 20_000;
const exported = [
  ...['all_finite', 'fill', 'gemm_int8_pack', 'gemm_int8_packed_size', 'gemm_pack_b', 'gemm_packed_size'],
  ...['gemm_scratch_size', 'gemv_pack_b', 'heapBase', 'softmax', 'stream', 'unary'],
];

describe.each<Build>(['simd', 'relaxed'])('stream-%s.wasm', (build) => {
  const inlined = Buffer.from(bytesOf(build));

  test(`as inlined, is at most ${size} bytes and the file that the build wrote`, () => {
    expect(inlined.length).toBeLessThanOrEqual(size);
    expect(inlined.equals(readFileSync(new URL(`../../build/stream-${build}.wasm`, import.meta.url)))).toBe(true);
  });

  test('as inlined for Node, is the same', () => {
    expect(inlined.equals(Buffer.from(bytesAsText(build)))).toBe(true);
  });

  test('imports env.memory and exports what streams need, nothing else', () => {
    if (build === 'relaxed' && !hostHasRelaxedSimd()) {
      expect(WebAssembly.validate(Uint8Array.from(inlined))).toBe(false);
      return;
    }
    const module = new WebAssembly.Module(Uint8Array.from(inlined));
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    expect(
      WebAssembly.Module.exports(module)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(exported);
  });
});
