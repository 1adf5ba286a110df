import type { Build } from './load.ts';
import relaxed from './relaxed.wasm';
import simd from './simd.wasm';

// The kernels for edge workers. These hosts forbid compiling from bytes, and import modules that were compiled when the
// worker was deployed.

const modules: Record<Build, WebAssembly.Module> = { simd, relaxed };

/** These hosts do not let a program compile bytes. @internal */
export const bytesOf = undefined;

/** Whether there is a fused build. */
export const canFuse = true;

/** Whether there are modules with shared memory. These modules are already compiled, for memory that is not shared. */
export const canShare = false;

/** A build's module. */
export const compileNow = (build: Build): WebAssembly.Module => modules[build];

/** A build's module. */
export const compile = async (build: Build, _shared: boolean): Promise<WebAssembly.Module> => modules[build];
