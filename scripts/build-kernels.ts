// Compiles assembly/ once per build and inlines the bytes, so that whoever imports the library needs no path to a .wasm file: once as they
// are, and once compressed, the relaxed build behind the plain one, since the two differ in little.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { compress } from 'lzma';

mkdirSync('build', { recursive: true });

async function compile(build: string): Promise<Buffer> {
  const { error, stderr } = await asc.main(['assembly/index.ts', '--target', build]);
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  const bytes = readFileSync(`build/${build}.wasm`);
  console.error(`${build}.wasm ${bytes.length} bytes`);
  return bytes;
}

const simd = await compile('simd');
const relaxed = await compile('relaxed');
const text = (bytes: Uint8Array): string => `'${Buffer.from(bytes).toString('base64')}'`;
// Without the header of 13 bytes: properties, which are the usual ones, and sizes.
const compressed = Uint8Array.from(compress([...simd, ...relaxed], 9)).subarray(13);
const heading = '// Written by scripts/build-kernels.ts; do not edit.';
writeFileSync(
  'src/engine/wasm-text.gen.ts',
  `${heading}
export const simd =
  ${text(simd)};
export const relaxed =
  ${text(relaxed)};
`,
);
writeFileSync(
  'src/engine/wasm.gen.ts',
  `${heading}
export const simdSize = ${simd.length};
export const relaxedSize = ${relaxed.length};
export const builds =
  ${text(compressed)};
`,
);
