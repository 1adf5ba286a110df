import { classOf } from '../../host/class-of.ts';
import type { Engine } from '../engine.ts';
import { instantiateKernels } from '../loading/instantiate.ts';
import { type Build, compileRefused } from '../loading/load.ts';
import { compileNow } from './kernel-modules.ts';

/**
 * The exports of assembly/extra-index.ts. Arguments are as in `Kernels` of src/engine/abi.ts: byte addresses, counts and
 * strides in elements, scalars. The calling thread alone runs them.
 */
export type ExtraKernels = Record<never, never>;

const instances = new WeakMap<Engine, ExtraKernels>();

/**
 * The extra kernels on the memory of an engine. They are compiled at the first call.
 *
 * @throws HostError if the host does not let the program compile them.
 */
export function extraKernels(engine: Engine): ExtraKernels {
  const known = instances.get(engine);
  if (known) return known;
  const build: Build = engine.build.startsWith('relaxed') ? 'relaxed' : 'simd';
  const { memory } = engine;
  try {
    const module = compileNow(build, classOf(memory.buffer) === 'SharedArrayBuffer');
    const made = instantiateKernels<ExtraKernels>(module, memory);
    instances.set(engine, made);
    return made;
  } catch (error) {
    throw compileRefused(error);
  }
}
