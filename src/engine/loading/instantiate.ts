// biome-ignore-all assist/source/organizeImports: the loader needs at import what text-decoder.ts lends.
import { takeBackTextDecoder } from '../../host/text-decoder.ts';
import { instantiateSync } from '@assemblyscript/loader';
import type { Kernels } from '../abi.ts';

takeBackTextDecoder();

/**
 * Instantiates a compiled module over memory that the caller made; returns the raw exports, since the loader's wrappers
 * double a call's cost.
 */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const imports = { env: { memory } };
  // The loader takes a module of another realm for bytes.
  const { exports } =
    module instanceof WebAssembly.Module
      ? instantiateSync(module, imports).instance
      : new WebAssembly.Instance(module, imports);
  return exports as unknown as Kernels;
}
