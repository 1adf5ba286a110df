import type { Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import type { Build, NumericMode } from '../engine/loading/load.ts';
import { uniform } from './models/numbers.ts';
import type { Group, Size } from './results.ts';

/** A workload that is ready to run. */
export interface Prepared {
  /** One call of what is timed. If it returns a promise, the workload is `isAsync`. */
  run(): unknown;
  /** What the calls so far computed. Its bytes are hashed. */
  result(): readonly ArrayBufferView[];
  /** Operations of one call that its equations need; 0 where that says nothing. */
  readonly flops: number;
  /** Bytes that one call must read and write at least; 0 where that says nothing. */
  readonly bytes: number;
  dispose(): void;
}

/** What a host must have for a workload. */
export interface Needs {
  /** Kernels other than those of the run's mode. */
  readonly build?: 'relaxed' | 'wide';
  /** Threads of the engine. */
  readonly threads?: number;
  /** Whether it compiles WebAssembly from bytes. */
  readonly compiles?: true;
}

interface Facts {
  /** Lower-case words joined by hyphens. */
  readonly name: string;
  readonly group: Group;
  /** What it stresses, in a few words. */
  readonly stresses: string;
  readonly needs?: Needs;
  /** Calls before the result is taken; default 1. */
  readonly calls?: number;
  /** Whether single calls are timed too, for the 99.9th percentile. */
  readonly timesCalls?: true;
  /** Whether `run` returns a promise. */
  readonly isAsync?: true;
  /** Calls whose times are kept one by one from the first on; default 40. */
  readonly curveCalls?: number;
  /** The name of the workload that computes the same bits. */
  readonly sameAs?: string;
}

export interface Workload extends Facts {
  prepare(size: Size, engine: Engine): Prepared | Promise<Prepared>;
}

/** A workload of three sizes, `P` being what a size consists of. */
export function workload<P>(
  facts: Facts & {
    readonly sizes: Readonly<Record<Size, P>>;
    prepare(size: P, engine: Engine): Prepared | Promise<Prepared>;
  },
): Workload {
  const { sizes, prepare, ...rest } = facts;
  return { ...rest, prepare: (size, engine) => prepare(sizes[size], engine) };
}

/** The build of the kernels of an engine that `init` made. */
export const buildOf = (engine: Engine): Build => (engine.build.startsWith('relaxed') ? 'relaxed' : 'simd');

/** Its numeric mode. */
export const modeOf = (engine: Engine): NumericMode => (buildOf(engine) === 'relaxed' ? 'fast' : 'reproducible');

/** Buffers in linear memory, for workloads that call kernels. */
export class Buffers {
  readonly #engine: Engine;
  readonly #places: Ptr[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** `count` elements of 4 bytes, filled with what is given, or with numbers from −1 to 1. */
  make(count: number, values: Float32Array | Int32Array = uniform(this.#places.length, count, 1)): Ptr {
    const at = this.#engine.heap.allocate(4 * count);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.#engine.memory.buffer, at, 4 * count).set(bytes);
    this.#places.push(at);
    return at;
  }

  dispose(): void {
    for (const at of this.#places) this.#engine.heap.release(at);
  }
}
