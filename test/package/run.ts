// What a registry's visitors check in the packed package: its entries (publint), its types under every resolution (attw), and how much of
// it an app carries.
//   npm run test:package
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { makeApp, tool } from '../runtimes/app.ts';

/** Kilobytes of 1,024 bytes, minified and gzipped, both builds of the kernels included. */
const budgets: Record<string, number> = { 'language-model': 40, everything: 64 };

async function sizeOf(app: string, name: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, `${name}.mjs`)],
    bundle: true,
    minify: true,
    format: 'esm',
    nodePaths: [join(app, 'node_modules')],
    write: false,
    logLevel: 'error',
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length / 1024;
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
