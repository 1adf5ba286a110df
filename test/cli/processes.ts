// The command line in separate processes: that of dist if it was built from the present sources, else one built here.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { isBuilt } from '../../scripts/build-parts.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
// Below the root, where node finds the dependencies, and laid out like the package, whose version is read.
mkdirSync(join(root, 'build'), { recursive: true });
const built = isBuilt('package') ? undefined : mkdtempSync(join(root, 'build', 'cli-test-'));
export const main = join(built ?? root, 'dist', 'cli', 'main.js');
const scratch = mkdtempSync(join(tmpdir(), 'tapeloop-cli-'));

export const text = Array.from({ length: 40 }, (_, i) => `${i * i} bottles of beer on the wall, ${i % 7} fell.\n`).join(
  '',
);
export const SMALL = ['--hidden', '16', '--batch', '4', '--time', '10', '--steps', '20', '--eval-every', '10'];

/** The test's own, with a text and a model that was trained on it in a run of 20 steps. */
export let folder = '';
let count = 0;
export const at = (name: string): string => join(folder, name);
export const bytes = (name: string): Buffer => readFileSync(at(name));

interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line in the test's folder. */
export function run(...args: string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

/** Runs it with files limited to a few kilobytes, as a disk that is full would have it. */
export function runWithTinyFiles(command: string): Result {
  const script = `ulimit -f 4; exec "${process.execPath}" "${main}" ${command}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

export function expectDone(result: Result): Result {
  expect(result.stderr).not.toContain('tapeloop:');
  expect(result.code).toBe(0);
  return result;
}

/** Builds the command line before the tests of a file if it must be, and has each begin in a folder of its own. */
export function buildCommandLine(): void {
  beforeAll(() => {
    // Another file of this worker may have removed what was made when this module was loaded.
    for (const each of [scratch, ...(built ? [built] : [])]) mkdirSync(each, { recursive: true });
    if (built) {
      cpSync(join(root, 'package.json'), join(built, 'package.json'));
      // As the package is built, declarations apart, but elsewhere.
      const out = join(built, 'dist');
      execFileSync(process.execPath, ['--import', 'tsx', 'scripts/build-package.ts', out], { cwd: root });
    }

    folder = scratch;
    writeFileSync(at('text.txt'), text);
    expectDone(run('train', 'text.txt', ...SMALL, '--out', 'whole', '--log', 'whole.jsonl'));
  });

  beforeEach(() => {
    folder = join(scratch, String(count++));
    mkdirSync(folder);
    for (const name of ['text.txt', 'whole', 'whole.jsonl']) cpSync(join(scratch, name), at(name), { recursive: true });
  });

  afterAll(() => {
    if (built) rmSync(built, { recursive: true, force: true });
    rmSync(scratch, { recursive: true, force: true });
  });
}
