import { classOf } from '../../host/class-of.ts';
import type { Engine } from '../engine.ts';
import { instantiateKernels } from './instantiate.ts';
import { type Build, compileRefused } from './load.ts';

/**
 * Makes a function that gives the kernels of a module on the memory of an engine. They are compiled at its first call.
 *
 * @param compileNow compiles a build of the module. The function throws `HostError` if the host refuses it.
 */
export function secondKernels<K>(
  compileNow: (build: Build, isShared: boolean) => WebAssembly.Module,
): (engine: Engine) => K {
  return (engine) => {
    const known = engine.secondKernels.get(compileNow) as K | undefined;
    if (known) return known;
    const build: Build = engine.build.startsWith('relaxed') ? 'relaxed' : 'simd';
    const { memory } = engine;
    try {
      const made = instantiateKernels<K>(compileNow(build, classOf(memory.buffer) === 'SharedArrayBuffer'), memory);
      engine.secondKernels.set(compileNow, made);
      return made;
    } catch (error) {
      throw compileRefused(error);
    }
  };
}
