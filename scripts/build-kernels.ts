// Compiles assembly/ once for each build and writes the bytes into modules, so a program that imports the library needs
// no path to a .wasm file. One module has the bytes as base64. The other has them compressed, the relaxed build after
// the plain one, because the two builds are similar.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { compress } from 'lzma';
import { encodeBase91 } from './base91.ts';
import { kernelSets } from './kernel-sets.ts';

mkdirSync('build', { recursive: true });

async function compile(entry: string, build: string): Promise<Buffer> {
  const { error, stderr } = await asc.main([`assembly/${entry}.ts`, '--target', build]);
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  const bytes = readFileSync(`build/${build}.wasm`);
  console.error(`${build}.wasm ${bytes.length} bytes`);
  return bytes;
}

const text = (bytes: Uint8Array): string => `'${Buffer.from(bytes).toString('base64')}'`;
const heading = '// Written by scripts/build-kernels.ts; do not edit.';

/** Writes both builds into two modules in a folder of src. */
function inline(simd: Buffer, relaxed: Buffer, folder: string): void {
  // The header of 13 bytes is removed. It has the coder's properties, which are the defaults, and sizes.
  const compressed = Uint8Array.from(compress([...simd, ...relaxed], 9)).subarray(13);
  writeFileSync(
    `src/${folder}/wasm-text.gen.ts`,
    `${heading}
export const simd =
  ${text(simd)};
export const relaxed =
  ${text(relaxed)};
`,
  );
  writeFileSync(
    `src/${folder}/wasm.gen.ts`,
    `${heading}
export const simdSize = ${simd.length};
export const relaxedSize = ${relaxed.length};
export const builds =
  "${encodeBase91(compressed)}";
`,
  );
}

for (const { prefix, folder } of kernelSets) {
  const entry = `${prefix}index`;
  inline(await compile(entry, `${prefix}simd`), await compile(entry, `${prefix}relaxed`), folder);
}
