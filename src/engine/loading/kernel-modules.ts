// biome-ignore-all assist/source/organizeImports: these bytes come first in an app, because gzip's window is still
// empty there (see scripts/build-package.ts).
import { builds, relaxedSize, simdSize } from './wasm.gen.ts';
import type { Build } from './load.ts';
import { withSharedMemory } from './shared-memory.ts';
import { unpackBuild } from './unpack-build.ts';

// The kernels for pages: compressed bytes in the code, because a page waits for every kilobyte. The package has another
// kernel-modules file for other hosts (`imports` of package.json and scripts/build-package.ts): uncompressed bytes for
// Node, which shorten its start by 5 ms, and `.wasm` files for edge workers and edge routes.

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => unpackBuild(build, { builds, simdSize, relaxedSize });

/** Whether there is a fused build. */
export const canFuse = true;

/** Whether there are modules with shared memory. */
export const canShare = true;

/** A build's module, compiled while the caller waits. */
export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));

/** A build's module, compiled outside the calling thread if the host can. */
export const compile = (build: Build, shared: boolean): Promise<WebAssembly.Module> =>
  WebAssembly.compile(shared ? withSharedMemory(bytesOf(build)) : bytesOf(build));
