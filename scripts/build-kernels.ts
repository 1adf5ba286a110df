// Compiles assembly/ once per build and inlines the bytes, so that whoever imports the library needs no path to a .wasm file: once as they
// are, and once deflated, the relaxed build with the plain one as its dictionary, since the two differ in little.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, deflateRawSync } from 'node:zlib';
import asc from 'assemblyscript/asc';
import { RELAXED_PART, relaxedDictionary } from '../src/engine/relaxed-parts.ts';

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
const smallest = { level: 9, memLevel: 9, windowBits: 15, strategy: constants.Z_DEFAULT_STRATEGY };
const text = (bytes: Buffer): string => `'${bytes.toString('base64')}'`;
// Deflate looks back 32 kB: the relaxed build goes in pieces, each with what stands around its place in the plain one.
const parts = Array.from({ length: Math.ceil(relaxed.length / RELAXED_PART) }, (_, i) => {
  const [from, to] = relaxedDictionary(i);
  const part = relaxed.subarray(i * RELAXED_PART, (i + 1) * RELAXED_PART);
  return deflateRawSync(part, { ...smallest, dictionary: simd.subarray(from, to) });
});
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
export const simd =
  ${text(deflateRawSync(simd, smallest))};
export const relaxedSize = ${relaxed.length};
export const relaxed = [
  ${parts.map(text).join(',\n  ')},
];
`,
);
