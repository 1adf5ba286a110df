// biome-ignore-all assist/source/organizeImports: as in src/engine/loading/kernel-modules.ts.
import { builds, relaxedSize, simdSize } from './wasm.gen.ts';
import type { Build } from '../../engine/loading/load.ts';
import { unpackBuild } from '../../engine/loading/unpack-build.ts';

// The kernels of the benchmark suite, compressed in the code as those in src/engine/loading/kernel-modules.ts are. The package has
// another kernel-modules file for other hosts in the same way.

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => unpackBuild(build, { builds, simdSize, relaxedSize });

/** A build's module, compiled while the caller waits. */
export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));
