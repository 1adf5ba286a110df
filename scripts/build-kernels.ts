// Compiles assembly/ once per build and inlines the bytes, so that whoever imports the library needs no path to a .wasm file.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const builds = ['simd', 'relaxed'] as const;
mkdirSync('build', { recursive: true });

const lines = ['// Written by scripts/build-kernels.ts; do not edit.'];
for (const build of builds) {
  const { error, stderr } = await asc.main(['assembly/index.ts', '--target', build]);
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  const bytes = readFileSync(`build/${build}.wasm`);
  console.error(`${build}.wasm ${bytes.length} bytes`);
  lines.push(`export const ${build} =\n  '${bytes.toString('base64')}';`);
}
writeFileSync('src/engine/wasm.gen.ts', `${lines.join('\n')}\n`);
