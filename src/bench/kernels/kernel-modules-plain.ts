import type { Build } from '../../engine/loading/load.ts';
import simd from './bench-simd.wasm';

/** These hosts do not let a program compile bytes. @internal */
export const bytesOf = undefined;

export const compileNow = (_build: Build): WebAssembly.Module => simd;
