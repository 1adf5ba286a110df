import type { Build } from '../../engine/loading/load.ts';
import { decodeInlined } from '../../host/base64.ts';
import { relaxed, simd } from './wasm-text.gen.ts';

const inlined: Record<Build, string> = { simd, relaxed };

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => decodeInlined(inlined[build]);

export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));
