// Turns on the pass of V8 that joins two vectors of 128 bits into one of 256. V8 calls it experimental, so it is off
// unless the caller asks for it. The engine loads this file only then.

import { builtIn } from '../host/built-in.ts';

interface Process {
  readonly execPath: string;
  readonly env: Record<string, string | undefined>;
  readonly versions: Record<string, string | undefined>;
}

interface ChildProcess {
  execFileSync(file: string, args: string[], options: object): string;
}

const HOW = "the guide 'Wide vectors' says where they can be turned on, and how";

/**
 * Sets V8's flag for this process. It must be set before the kernels are compiled.
 *
 * @returns undefined, or the reason why this host cannot do it.
 */
export function turnOnWide(): string | undefined {
  const { process } = globalThis as { process?: Process };
  const childProcess = builtIn('child_process') as ChildProcess | undefined;
  const v8 = builtIn('v8') as { setFlagsFromString(flag: string): void } | undefined;
  if (!process?.versions.v8 || !childProcess || !v8 || process.versions.deno || process.versions.bun) {
    return `only Node can turn on wide vectors by itself; ${HOW}`;
  }
  // V8 prints an error for a flag that it does not have, so its list is read first. Electron runs as Node for that.
  let flags: string;
  try {
    const env = { ...process.env, NODE_OPTIONS: undefined, ELECTRON_RUN_AS_NODE: '1' };
    flags = childProcess.execFileSync(process.execPath, ['--v8-options'], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return `the flags of V8 could not be listed; ${HOW}`;
  }
  const flag = /--(?:experimental-)?wasm-revectorize\b/.exec(flags)?.[0];
  if (flag === undefined) return `V8 ${process.versions.v8} cannot join vectors (Node 24 and newer can); ${HOW}`;
  v8.setFlagsFromString(flag);
  return undefined;
}
