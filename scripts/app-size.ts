// Measures how much a page loads of an app before the app runs.
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Size of gzipped bytes in kB of 1,024 bytes. */
export const gzippedKilobytes = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length / 1024;

/**
 * Size in kB of 1,024 bytes of the entry and its static imports, minified and gzipped. Dynamic imports do not count.
 *
 * @param entry path of a module.
 * @param packages the node_modules folder for its packages.
 */
export async function appSize(entry: string, packages: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    splitting: true,
    metafile: true,
    outdir: packages,
    nodePaths: [packages],
    // Modules of Node that packages for both Node and browsers import.
    external: ['fs', 'path', 'os', 'util', 'crypto', 'worker_threads', 'perf_hooks', 'url', 'module', 'node:*'],
    write: false,
    logLevel: 'error',
  });
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { kind, path: next, external } of metafile.outputs[path]!.imports) {
      if (kind === 'import-statement' && !external) load(next);
    }
  };
  load(Object.keys(metafile.outputs).find((path) => metafile.outputs[path]!.entryPoint !== undefined)!);
  const files = outputFiles.filter(({ path }) => [...loaded].some((each) => resolve(each) === path));
  if (files.length !== loaded.size) throw new Error(`${entry}: expected ${loaded.size} files, got ${files.length}`);
  return files.reduce((sum, { contents }) => sum + gzippedKilobytes(contents), 0);
}

// `npm run sizes` measures the apps of test/package with the package built in this folder.
if (process.argv[1] === import.meta.filename) {
  const root = resolve(import.meta.dirname, '..');
  for (const app of [
    'streaming',
    'streaming-text',
    'compiled',
    'audio',
    'audio-stream',
    'low-level',
    'language-model',
    'everything',
  ]) {
    const size = await appSize(`${root}/test/package/${app}.mjs`, `${root}/node_modules`);
    console.log(`${app.padEnd(15)} ${size.toFixed(2)} kB`);
  }
}
