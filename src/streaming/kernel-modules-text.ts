import { decodeBase64 } from '../engine/base64.ts';
import type { Build } from '../engine/load.ts';
import { relaxed, simd } from './wasm-text.gen.ts';

const inlined: Record<Build, string> = { simd, relaxed };

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> =>
  typeof Buffer === 'undefined' ? decodeBase64(inlined[build]) : Buffer.from(inlined[build], 'base64');

export const canFuse = true;

export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));

export const compile = (build: Build): Promise<WebAssembly.Module> => WebAssembly.compile(bytesOf(build));
