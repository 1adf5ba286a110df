import { decodeBase64 } from './base64.ts';
import type { Build } from './load.ts';
import { withSharedMemory } from './shared-memory.ts';
import { relaxed, simd } from './wasm-text.gen.ts';

// Node reads its packages from a disk: the bytes stand as they are. The first decoding by Node's `Buffer` takes 0.1 ms; who requires the package in a page
// has none.

const inlined: Record<Build, string> = { simd, relaxed };

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> =>
  typeof Buffer === 'undefined' ? decodeBase64(inlined[build]) : Buffer.from(inlined[build], 'base64');

export const canFuse = true;

export const canShare = true;

export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));

export const compile = (build: Build, shared: boolean): Promise<WebAssembly.Module> =>
  WebAssembly.compile(shared ? withSharedMemory(bytesOf(build)) : bytesOf(build));
