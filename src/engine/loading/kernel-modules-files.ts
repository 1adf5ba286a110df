import type { Build } from './load.ts';
import relaxed from './relaxed.wasm';
import simd from './simd.wasm';

// Edge workers forbid compiling from bytes and hand out modules that were compiled when the worker was deployed.

const modules: Record<Build, WebAssembly.Module> = { simd, relaxed };

/** Whether there is a fused build. */
export const canFuse = true;

/** Whether a module can be had whose memory threads share: it is compiled already, and its memory is its own. */
export const canShare = false;

/** A build's module. */
export const compileNow = (build: Build): WebAssembly.Module => modules[build];

/** A build's module. */
export const compile = async (build: Build, _shared: boolean): Promise<WebAssembly.Module> => modules[build];
