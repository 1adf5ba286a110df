// Electron without a screen. npm installs its JavaScript; the binary is a separate download.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NotHere } from '../runtimes/suite-result.ts';
import type { Project, Result } from './project.ts';

const runs = new Map<string, Promise<Record<string, Result & { error?: string }>>>();

async function runOnce({ dir }: Project): Promise<Record<string, Result & { error?: string }>> {
  const folder = join(dir, 'node_modules/electron');
  try {
    execFileSync(process.execPath, ['install.js'], { cwd: folder, stdio: 'ignore', timeout: 120_000 });
  } catch {
    throw new NotHere('its binary could not be downloaded');
  }
  if (!existsSync('/usr/bin/xvfb-run')) throw new NotHere('xvfb-run is not installed');
  const args = ['-a', join(folder, 'dist/electron'), '--no-sandbox', '--disable-gpu', '.'];
  await promisify(execFile)('/usr/bin/xvfb-run', args, { cwd: dir, timeout: 120_000 });
  return JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8'));
}

/** What one of its processes found; all are run together. */
export const electron =
  (process: 'main' | 'node' | 'page') =>
  async (project: Project): Promise<Result> => {
    if (!runs.has(project.dir)) runs.set(project.dir, runOnce(project));
    const result = (await runs.get(project.dir)!)[process]!;
    if (result.error) throw new Error(result.error);
    return result;
  };
