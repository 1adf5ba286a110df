// biome-ignore-all assist/source/organizeImports: at import, the loader needs text-decoder.ts.
import { removeEmptyTextDecoder } from '../../host/text-decoder.ts';
import { instantiateSync } from '@assemblyscript/loader';
import type { Kernels } from '../abi.ts';

removeEmptyTextDecoder();

/**
 * Instantiates a compiled module with the caller's memory. Returns the raw exports, because the loader's wrappers
 * double the cost of a call.
 */
export function instantiateKernels<K = Kernels>(module: WebAssembly.Module, memory: WebAssembly.Memory): K {
  const imports = { env: { memory } };
  // The loader treats a module of another realm as bytes.
  const { exports } =
    module instanceof WebAssembly.Module
      ? instantiateSync(module, imports).instance
      : new WebAssembly.Instance(module, imports);
  return exports as unknown as K;
}
