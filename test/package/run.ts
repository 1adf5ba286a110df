// Checks the packed package: its entries (publint), its types under every resolution (attw) and every supported
// compiler, and how much of it an app loads.
// npm run test:package
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { appSize } from '../../scripts/app-size.ts';
import { makeApp, tool } from '../runtimes/app.ts';

/**
 * Kilobytes of 1,024 bytes, minified and gzipped, both builds of the kernels included: what an app should take, and
 * what it may take today. Growth beyond that fails; the ceiling comes down with the size, until it is the goal.
 */
const budgets: Record<string, { goal: number; ceiling: number }> = {
  streaming: { goal: 20, ceiling: 20 },
  'streaming-text': { goal: 20, ceiling: 20 },
  compiled: { goal: 60, ceiling: 60 },
  audio: { goal: 32, ceiling: 32 },
  'audio-stream': { goal: 27, ceiling: 28.8 },
  'low-level': { goal: 40, ceiling: 53.6 },
  'language-model': { goal: 40, ceiling: 66 },
  everything: { goal: 64, ceiling: 151.4 },
};
// How far below its ceiling a size may be before somebody should lower that.
const SLACK = 2;

const { app, tarball } = makeApp();
let ok = true;
try {
  const check = (program: string, args: string[]): void => {
    try {
      execFileSync(process.execPath, [tool(program), ...args], { cwd: app, stdio: 'inherit' });
    } catch {
      ok = false;
    }
  };
  check('publint/src/cli.js', [tarball, '--strict']);
  check('@arethetypeswrong/cli/dist/index.js', [tarball, '--profile', 'node16', '--format', 'ascii']);
  const sources = ['types.mts', 'types.cts'].map((name) => join(app, name));
  for (const source of sources) copyFileSync(join(import.meta.dirname, 'app-types.mts'), source);
  const strict = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--skipLibCheck', 'false'];
  for (const version of ['5.0', '5.6', '5.7', '6.0']) {
    const compiler = `typescript-${version}/bin/tsc`;
    check(compiler, [...strict, '--module', 'node16', '--moduleResolution', 'node16', ...sources]);
    check(compiler, [...strict, '--module', 'esnext', '--moduleResolution', 'bundler', sources[0]!]);
    console.log(`TypeScript ${version}: ${ok ? 'compiles' : 'see above'}`);
  }
  for (const [name, { goal, ceiling }] of Object.entries(budgets)) {
    const size = await appSize(join(import.meta.dirname, `${name}.mjs`), join(app, 'node_modules'));
    ok &&= size <= ceiling;
    const far = size <= goal ? 'within its goal' : `${(size - goal).toFixed(1)} kB above its goal`;
    console.log(`${name}: ${size.toFixed(1)} kB, ${far} of ${goal} kB`);
    if (size > ceiling) console.log(`${name}: FAILED, grown beyond its ceiling of ${ceiling} kB`);
    else if (ceiling > goal && size < ceiling - SLACK)
      console.log(`${name}: its ceiling of ${ceiling} kB can come down`);
  }
} finally {
  rmSync(app, { recursive: true, force: true });
}
process.exitCode = ok ? 0 : 1;
