// Runtimes that run a file and print its results.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { tool } from '../app.ts';
import { NotHere, readResult, type SuiteResult } from '../suite-result.ts';

const execute = promisify(execFile);

async function run(app: string, program: string, args: string[]): Promise<SuiteResult> {
  if (!existsSync(program)) throw new NotHere(`${program.split('/node_modules/').at(-1)} is not installed`);
  try {
    const { stdout } = await execute(program, args, { cwd: app, timeout: 120_000 });
    return readResult(stdout);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(stderr?.trim().split('\n').slice(-6).join(' ') || message);
  }
}

export const node =
  (version: number, ...flags: string[]) =>
  (app: string) =>
    run(app, tool(`node-${version}/bin/node`), [...flags, 'runner.mjs']);
export const nodeRequire = (version: number) => (app: string) =>
  run(app, tool(`node-${version}/bin/node`), ['runner.cjs']);
export const deno = (app: string) =>
  run(app, tool('@deno/linux-x64-glibc/deno'), ['run', '-A', '--node-modules-dir=manual', 'runner.mjs']);
export const bun = (app: string) => run(app, tool('bun/bin/bun.exe'), ['runner.mjs']);
