import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const root = join(here, '../..');

/** Packs the package as it is published into a folder; returns the tarball's path. */
export function packInto(folder: string): string {
  const printed = execFileSync('npm', ['pack', root, '--ignore-scripts', '--json'], { cwd: folder, encoding: 'utf8' });
  const [{ filename }] = JSON.parse(printed) as [{ filename: string }];
  return join(folder, filename);
}

/** A module once more as CommonJS. */
export const commonJs = (module: string): string => transformSync(module, { format: 'cjs', platform: 'node' }).code;

/** A folder in which the packed tarball is installed as a user would, with the suite beside it. */
export function makeApp(): { app: string; tarball: string } {
  const app = mkdtempSync(join(tmpdir(), 'tapeloop-runtimes-'));
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n');
  const tarball = packInto(app);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: app });
  for (const file of ['suite.mjs', 'runner.mjs', 'runner.cjs', 'page.mjs', 'worker.mjs']) {
    copyFileSync(join(here, file), join(app, file));
  }
  writeFileSync(join(app, 'suite.cjs'), commonJs(readFileSync(join(here, 'suite.mjs'), 'utf8')));
  mkdirSync(join(app, 'public'));
  return { app, tarball };
}

/** A file of a package that was installed for these tests. */
export const tool = (path: string): string => join(here, 'node_modules', path);

/** Installs those packages, unless they are there. */
export function installTools(): void {
  if (existsSync(tool('workerd'))) return;
  console.error('installing the runtimes…');
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', here], { stdio: 'inherit' });
}
