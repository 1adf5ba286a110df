import type { Build } from './load.ts';
import simd from './simd.wasm';

// Next compiles every module that an edge route's code names before the code runs, so that one which its host does not
// know breaks the route: Node 20 knows no relaxed SIMD. The host is not known when the route is built, so routes have
// the plain build.

/** Whether there is a fused build. */
export const canFuse = false;

/** Whether a module can be had whose memory threads share: it is compiled already, and its memory is its own. */
export const canShare = false;

/** The module. */
export const compileNow = (_build: Build): WebAssembly.Module => simd;

/** The module. */
export const compile = async (_build: Build, _shared: boolean): Promise<WebAssembly.Module> => simd;
