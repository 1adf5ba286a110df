// Turns on the pass of V8 that joins two vectors of 128 bits into one of 256. V8 calls it experimental, so it is off
// unless the caller asks for it. The engine loads this file only then.

import { builtIn } from '../host/built-in.ts';

const HOW = "the guide 'Wide vectors' says where they can be turned on, and how";

/**
 * Sets V8's flag for this process. It must be set before the kernels are compiled.
 *
 * @returns undefined, or the reason why this host cannot do it.
 */
export function turnOnWide(): string | undefined {
  const { process } = globalThis as { process?: { versions?: Record<string, string | undefined> } };
  const { v8: version, deno, bun } = process?.versions ?? {};
  const v8 = builtIn('v8') as { setFlagsFromString?(flag: string): void } | undefined;
  if (version === undefined || !v8?.setFlagsFromString || deno !== undefined || bun !== undefined) {
    return `only Node can turn on wide vectors by itself; ${HOW}`;
  }
  const number = Number.parseFloat(version);
  if (number < 13) return `V8 ${version} cannot join vectors (Node 24 and newer can); ${HOW}`;
  // Chromium's V8 15.6 has dropped `experimental` from the name. V8 prints an error for a name that it does not have.
  v8.setFlagsFromString(number < 15.6 ? '--experimental-wasm-revectorize' : '--wasm-revectorize');
  return undefined;
}
