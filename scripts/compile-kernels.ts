// tsx scripts/compile-kernels.ts simd|relaxed
// Compiles the kernels of assembly/ for one build: build/*.wasm.
import { mkdirSync, readFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { kernelSets } from './kernel-sets.ts';

const build = process.argv[2]!;
mkdirSync('build', { recursive: true });
for (const { prefix } of kernelSets) {
  const { error, stderr } = await asc.main([`assembly/${prefix}index.ts`, '--target', `${prefix}${build}`]);
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  const file = `build/${prefix}${build}.wasm`;
  console.error(`${file} ${readFileSync(file).length} bytes`);
}
