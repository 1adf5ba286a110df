// biome-ignore-all assist/source/organizeImports: the bytes stand first in an app, where gzip's window is still empty (scripts/build-package.ts).
import { builds, relaxedSize, simdSize } from './wasm.gen.ts';
import type { Build } from './load.ts';
import { withSharedMemory } from './shared-memory.ts';
import { unpackBuild } from './unpack-build.ts';

// Where the compiled kernels come from: compressed bytes inlined in the package, for pages, where every kilobyte is
// waited for. The package takes another of the kernel-modules files where the host wants it: bytes as they are in its
// files for Node, whose start they shorten by 5 ms, and files for edge workers (its `imports`).

/** The bytes of a build. @internal */
export const bytesOf = (build: Build): Uint8Array<ArrayBuffer> => unpackBuild(build, { builds, simdSize, relaxedSize });

/** Whether there is a fused build. */
export const canFuse = true;

/** Whether a module can be had whose memory threads share. */
export const canShare = true;

/** A build's module, compiled while the caller waits. */
export const compileNow = (build: Build): WebAssembly.Module => new WebAssembly.Module(bytesOf(build));

/** A build's module, compiled off the calling thread where the host can. */
export const compile = (build: Build, shared: boolean): Promise<WebAssembly.Module> =>
  WebAssembly.compile(shared ? withSharedMemory(bytesOf(build)) : bytesOf(build));
