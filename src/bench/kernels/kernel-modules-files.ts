import type { Build } from '../../engine/loading/load.ts';
import relaxed from './bench-relaxed.wasm';
import simd from './bench-simd.wasm';

const modules: Record<Build, WebAssembly.Module> = { simd, relaxed };

/** These hosts do not let a program compile bytes. @internal */
export const bytesOf = undefined;

export const compileNow = (build: Build): WebAssembly.Module => modules[build];
