// What a registry's visitors check in the packed package: its entries (publint), its types under every resolution (attw), and how much of
// it an app carries.
//   npm run test:package
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { makeApp, tool } from '../runtimes/app.ts';

/** Kilobytes of 1,024 bytes, minified and gzipped, both builds of the kernels included. */
const budgets: Record<string, number> = { 'low-level': 40, 'language-model': 40, everything: 64 };

async function sizeOf(app: string, name: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(import.meta.dirname, `${name}.mjs`)],
    bundle: true,
    minify: true,
    format: 'esm',
    splitting: true,
    metafile: true,
    outdir: app,
    nodePaths: [join(app, 'node_modules')],
    write: false,
    logLevel: 'error',
  });
  // What a page loads before the app runs: the entry and what it imports, not what is imported when it is asked for.
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const each of metafile.outputs[path]!.imports) if (each.kind === 'import-statement') load(each.path);
  };
  load(Object.keys(metafile.outputs).find((path) => metafile.outputs[path]!.entryPoint !== undefined)!);
  const files = outputFiles.filter(({ path }) => [...loaded].some((each) => resolve(each) === path));
  if (files.length !== loaded.size) throw new Error(`${name}: expected ${loaded.size} files, got ${files.length}`);
  return files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0) / 1024;
}

const { app, tarball } = makeApp();
let ok = true;
try {
  const check = (program: string, args: string[]): void => {
    try {
      execFileSync(process.execPath, [tool(program), ...args], { stdio: 'inherit' });
    } catch {
      ok = false;
    }
  };
  check('publint/src/cli.js', [tarball, '--strict']);
  // CommonJS has its way through Node's require of ES modules.
  check('@arethetypeswrong/cli/dist/index.js', [tarball, '--profile', 'esm-only', '--format', 'ascii']);
  for (const [name, budget] of Object.entries(budgets)) {
    const size = await sizeOf(app, name);
    ok &&= size <= budget;
    console.log(`${name}: ${size.toFixed(1)} kB of ${budget} kB${size <= budget ? '' : ' IS TOO MUCH'}`);
  }
} finally {
  rmSync(app, { recursive: true, force: true });
}
process.exitCode = ok ? 0 : 1;
