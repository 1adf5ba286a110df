// A kernel under test, alone in its own memory: buffers fenced by canary words, every build through one suite.
import { readFileSync } from 'node:fs';
import type { AudioKernels } from '../../src/audio/kernels/audio-kernels.ts';
import type { Kernels, Ptr } from '../../src/engine/abi.ts';
import type { ExtraKernels } from '../../src/engine/extra/extra-kernels.ts';
import { instantiateKernels } from '../../src/engine/loading/instantiate.ts';
import { type Build, hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';

const CANARY = 0xdeadbeef;
const FENCE = 64;

/** Builds this host can run; the relaxed one needs Node 22 or newer. */
export const builds: Build[] = hostHasRelaxedSimd() ? ['simd', 'relaxed'] : ['simd'];

export class Sandbox {
  readonly kernels: Kernels;
  readonly extra: ExtraKernels;
  readonly audio: AudioKernels;
  readonly #memory: WebAssembly.Memory;
  readonly #start: number;
  #top: number;
  #fences: number[] = [];

  constructor(build: Build, megabytes = 64) {
    this.#memory = new WebAssembly.Memory({ initial: megabytes * 16 });
    const moduleOf = (name: string): WebAssembly.Module =>
      new WebAssembly.Module(readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url)));
    this.kernels = instantiateKernels(moduleOf(build), this.#memory);
    this.extra = instantiateKernels(moduleOf(`extra-${build}`), this.#memory);
    this.audio = instantiateKernels(moduleOf(`audio-${build}`), this.#memory);
    this.#start = (this.kernels.heapBase() + 63) & ~63;
    this.#top = this.#start;
    this.#fence();
  }

  /** Forgets every buffer, so that one sandbox serves many cases. */
  clear(): void {
    this.#top = this.#start;
    this.#fences = [];
    this.#fence();
  }

  /**
   * A buffer of the given values (or of `count` NaNs), 4 bytes an element, at an odd multiple of 4 bytes when
   * `misaligned`. With `whole`, the kernel owns the rest of the last vector too.
   */
  f32(values: ArrayLike<number> | number, misaligned = false, whole = false): Ptr {
    const count = typeof values === 'number' ? values : values.length;
    const at = this.#reserve(whole ? Math.ceil(count / 4) * 4 : count, misaligned);
    const view = new Float32Array(this.#memory.buffer, at, count);
    if (typeof values === 'number') view.fill(Number.NaN);
    else view.set(values);
    return at;
  }

  i32(values: ArrayLike<number>): Ptr {
    const at = this.#reserve(values.length, false);
    new Int32Array(this.#memory.buffer, at, values.length).set(values);
    return at;
  }

  /** A copy of what stands at `at` now. */
  read(at: Ptr, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, count).slice();
  }

  /** Replaces the values at `at`. */
  write(at: Ptr, values: Float32Array): void {
    new Float32Array(this.#memory.buffer, at, values.length).set(values);
  }

  readI32(at: Ptr, count: number): Int32Array {
    return new Int32Array(this.#memory.buffer, at, count).slice();
  }

  /** Throws unless every word between the buffers still holds its canary. */
  checkFences(): void {
    const words = new Uint32Array(this.#memory.buffer);
    for (const at of this.#fences) {
      for (let i = 0; i < FENCE / 4; i++) {
        if (words[at / 4 + i] !== CANARY) throw new Error(`a kernel wrote outside its buffers, at byte ${at + 4 * i}`);
      }
    }
  }

  #reserve(count: number, misaligned: boolean): Ptr {
    const at = this.#top + (misaligned ? 4 : 0);
    this.#top = at + 4 * count;
    this.#fence();
    this.#top = (this.#top + 63) & ~63;
    return at;
  }

  #fence(): void {
    if (this.#top + FENCE > this.#memory.buffer.byteLength) throw new Error('sandbox: out of memory, call clear()');
    new Uint32Array(this.#memory.buffer, this.#top, FENCE / 4).fill(CANARY);
    this.#fences.push(this.#top);
    this.#top += FENCE;
  }
}
