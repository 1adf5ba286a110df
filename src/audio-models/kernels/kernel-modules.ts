// biome-ignore-all assist/source/organizeImports: these bytes come first in an app, because gzip's window is still
// empty there (see scripts/build-package.ts).
import { builds, relaxedSize, simdSize } from './wasm.gen.ts';
import type { Build } from '../../engine/loading/load.ts';
import { unpackBuild } from '../../engine/loading/unpack-build.ts';

// The kernels of the build for streams of blocks, compressed in the code as those in src/engine/loading/kernel-modules.ts are.
// The package has another kernel-modules file for other hosts in the same way.

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => unpackBuild(build, { builds, simdSize, relaxedSize });

/** Whether there is a fused build. */
export const canFuse = true;

/** A build's module, compiled while the caller waits. */
export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));

/** A build's module, compiled outside the calling thread if the host can. */
export const compile = (build: Build): Promise<WebAssembly.Module> => WebAssembly.compile(bytesOf(build));
