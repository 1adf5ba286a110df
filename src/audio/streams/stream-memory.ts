import { DeadTensorError } from '../../checks/dead-tensor-error.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';

/**
 * Buffers of a stream in the heap, which live until `dispose`. A view of one is made anew only after memory has grown.
 */
export class StreamMemory {
  readonly #what: string;
  readonly #engine: Engine;
  readonly #buffers: Ptr[] = [];
  #isAlive = true;

  /** @param what the stream, for the message of an error. */
  constructor(what: string, engine: Engine) {
    this.#what = what;
    this.#engine = engine;
  }

  /** Allocates a buffer of `count` floats, zeros. */
  allocate(count: number): StreamBuffer {
    const at = this.#engine.heap.allocate(4 * Math.max(count, 1));
    this.#buffers.push(at);
    const buffer = new StreamBuffer(this.#engine, at, count);
    buffer.view.fill(0);
    return buffer;
  }

  /** Throws `DeadTensorError` after `dispose`. */
  expectAlive(): void {
    if (!this.#isAlive) throw new DeadTensorError(`${this.#what}: it was disposed of`);
  }

  dispose(): void {
    this.#isAlive = false;
    for (const at of this.#buffers.splice(0)) this.#engine.heap.release(at);
  }
}

export class StreamBuffer {
  readonly at: Ptr;
  readonly #engine: Engine;
  readonly #count: number;
  #view: Float32Array;

  constructor(engine: Engine, at: Ptr, count: number) {
    this.at = at;
    this.#engine = engine;
    this.#count = count;
    this.#view = engine.f32(at, count);
  }

  get view(): Float32Array {
    if (this.#view.buffer !== this.#engine.memory.buffer) this.#view = this.#engine.f32(this.at, this.#count);
    return this.#view;
  }
}

/** An array that grows, outside of linear memory: what a stream returns. */
export class Output {
  #room = new Float32Array(0);
  #view = this.#room;
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** Makes room for `count` numbers more, and returns the place of the first. */
  extend(count: number): number {
    const from = this.#count;
    this.#count += count;
    if (this.#count > this.#room.length) {
      const larger = new Float32Array(Math.max(this.#count, 2 * this.#room.length));
      larger.set(this.#room.subarray(0, from));
      this.#room = larger;
    }
    return from;
  }

  /** All of its memory, until it grows. */
  get room(): Float32Array {
    return this.#room;
  }

  /** The numbers since `clear`. The same view as before, if it has the same length. */
  get values(): Float32Array {
    if (this.#view.buffer !== this.#room.buffer || this.#view.length !== this.#count)
      this.#view = this.#room.subarray(0, this.#count);
    return this.#view;
  }
}
