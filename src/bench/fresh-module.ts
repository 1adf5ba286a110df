import { bytesOf } from '../engine/loading/kernel-modules.ts';
import type { Build } from '../engine/loading/load.ts';

/** Whether this package of tapeloop has the kernels as bytes. In edge workers they are compiled when it is deployed. */
export const hasKernelBytes = (): boolean => typeof bytesOf === 'function';

let made = 0;

/**
 * The bytes of a module, with a custom section that no other module has. Engines keep the code of a module for the same
 * bytes, so without it only the first one is compiled.
 */
export function neverCompiled(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(new Uint32Array([++made, Date.now() % 2 ** 32]).buffer);
  // Section 0: its size, the length of its name, the name "n", and the content.
  const section = [0, 2 + nonce.length, 1, 0x6e, ...nonce];
  const out = new Uint8Array(bytes.length + section.length);
  out.set(bytes);
  out.set(section, bytes.length);
  return out;
}

/** The kernels of a build, compiled anew. */
export const freshModule = (build: Build): WebAssembly.Module => new WebAssembly.Module(neverCompiled(bytesOf(build)));
