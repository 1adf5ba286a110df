import { decodeInlined } from '../../host/base64.ts';
import type { Build } from './load.ts';
import { withSharedMemory } from './shared-memory.ts';
import { relaxed, simd } from './wasm-text.gen.ts';

// The kernels for Node. It reads packages from a disk, so the bytes are not compressed.

const inlined: Record<Build, string> = { simd, relaxed };

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => decodeInlined(inlined[build]);

export const canFuse = true;

export const canShare = true;

export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));

export const compile = (build: Build, shared: boolean): Promise<WebAssembly.Module> =>
  WebAssembly.compile(shared ? withSharedMemory(bytesOf(build)) : bytesOf(build));
