// What the parts of a build are made of and make, and stamps that tell whether a part is as its inputs say.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { kernelSets } from './kernel-sets.ts';

export type Part = 'kernels' | 'package';

// Scripts, settings, and the tools as they are installed.
const tools = ['scripts', 'package.json', 'package-lock.json', 'node_modules/.package-lock.json'];
const wasm = kernelSets.flatMap(({ prefix }) => [`build/${prefix}simd.wasm`, `build/${prefix}relaxed.wasm`]);
const modules = kernelSets.flatMap(({ folder }) => [`src/${folder}/wasm.gen.ts`, `src/${folder}/wasm-text.gen.ts`]);

const parts: Record<Part, { readonly inputs: readonly string[]; readonly outputs: readonly string[] }> = {
  kernels: { inputs: ['assembly', 'asconfig.json', ...tools], outputs: [...wasm, ...modules] },
  package: {
    inputs: ['src', 'bench/page', 'tsconfig.json', 'tsconfig.build.json', ...wasm, ...tools],
    outputs: ['dist'],
  },
};

const stampPath = (part: Part): string => `build/${part}.stamp`;

/** SHA-256 of names and bytes of all files in the given files and folders. */
function stampOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    if (!existsSync(path)) hash.update(`none ${path}\n`);
    else if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) add(`${path}/${name}`);
    else {
      const bytes = readFileSync(path);
      hash.update(`${path} ${bytes.length}\n`).update(bytes);
    }
  };
  for (const path of paths) add(path);
  return hash.digest('hex');
}

/** Whether inputs and outputs of a part are, byte for byte, those of its last build. */
export const isBuilt = (part: Part): boolean =>
  existsSync(stampPath(part)) &&
  readFileSync(stampPath(part), 'utf8') === `${stampOf(parts[part].inputs)} ${stampOf(parts[part].outputs)}`;

/** Runs the build of a part, and notes what it was made of. */
export async function build(part: Part, make: () => Promise<void>): Promise<void> {
  rmSync(stampPath(part), { force: true });
  mkdirSync('build', { recursive: true });
  // The inputs as they are before: what is changed meanwhile is built the next time.
  const inputs = stampOf(parts[part].inputs);
  await make();
  writeFileSync(stampPath(part), `${inputs} ${stampOf(parts[part].outputs)}`);
}
