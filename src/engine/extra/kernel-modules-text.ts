import { decodeInlined } from '../../host/base64.ts';
import type { Build } from '../loading/load.ts';
import { withSharedMemory } from '../loading/shared-memory.ts';
import { relaxed, simd } from './wasm-text.gen.ts';

const inlined: Record<Build, string> = { simd, relaxed };

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => decodeInlined(inlined[build]);

export const compileNow = (build: Build, shared: boolean): WebAssembly.Module =>
  new WebAssembly.Module(shared ? withSharedMemory(bytesOf(build)) : bytesOf(build));
