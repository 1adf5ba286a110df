// Writes the bytes of the compiled kernels into modules, so a program that imports the library needs no path to a .wasm
// file. One module has the bytes as base64. The other has them compressed, the relaxed build after the plain one,
// because the two builds are similar.
import { readFileSync, writeFileSync } from 'node:fs';
import { compress } from 'lzma';
import { encodeBase91 } from './base91.ts';
import { kernelSets } from './kernel-sets.ts';

const text = (bytes: Uint8Array): string => `'${Buffer.from(bytes).toString('base64')}'`;
const heading = '// Written by scripts/build-kernels.ts; do not edit.';

for (const { prefix, folder } of kernelSets) {
  const [simd, relaxed] = ['simd', 'relaxed'].map((build) => readFileSync(`build/${prefix}${build}.wasm`));
  // The header of 13 bytes is removed. It has the coder's properties, which are the defaults, and sizes.
  const compressed = Uint8Array.from(compress([...simd!, ...relaxed!], 9)).subarray(13);
  writeFileSync(
    `src/${folder}/wasm-text.gen.ts`,
    `${heading}
export const simd =
  ${text(simd!)};
export const relaxed =
  ${text(relaxed!)};
`,
  );
  writeFileSync(
    `src/${folder}/wasm.gen.ts`,
    `${heading}
export const simdSize = ${simd!.length};
export const relaxedSize = ${relaxed!.length};
export const builds =
  "${encodeBase91(compressed)}";
`,
  );
}
