import type { Build } from './load.ts';
import simd from './simd.wasm';

// The kernels for edge routes of Next. Next compiles every module that a route imports before the route runs. A module
// that the host does not support breaks the route, and Node 20 does not support relaxed SIMD. The host is unknown when
// the route is built, so routes have only the plain build.

/** These hosts do not let a program compile bytes. @internal */
export const bytesOf = undefined;

/** Whether there is a fused build. */
export const canFuse = false;

/** Whether there are modules with shared memory. This module is already compiled, for memory that is not shared. */
export const canShare = false;

/** The module. */
export const compileNow = (_build: Build): WebAssembly.Module => simd;

/** The module. */
export const compile = async (_build: Build, _shared: boolean): Promise<WebAssembly.Module> => simd;
