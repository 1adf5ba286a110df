// biome-ignore-all assist/source/organizeImports: the bytes stand first in an app, where gzip's window is still empty (scripts/build-package.ts).
import { builds, relaxedSize, simdSize } from './wasm.gen.ts';
import type { Build } from '../engine/loading/load.ts';
import { unpackBuild } from '../engine/loading/unpack-build.ts';

// The kernels of streams alone, from where engine/kernel-modules.ts has those of the whole package; the package chooses
// in the same way.

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => unpackBuild(build, { builds, simdSize, relaxedSize });

/** Whether there is a fused build. */
export const canFuse = true;

/** A build's module, compiled while the caller waits. */
export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));

/** A build's module, compiled off the calling thread where the host can. */
export const compile = (build: Build): Promise<WebAssembly.Module> => WebAssembly.compile(bytesOf(build));
