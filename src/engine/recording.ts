// Kernel calls of some work that can be made again without the code that made them.
import type { Ptr } from './abi.ts';
import type { Engine } from './engine.ts';
import type { Mark } from './memory.ts';

type Kernel = (...args: number[]) => unknown;

/** A call of a kernel: `module` is undefined for `Engine.kernels`, and the key of `Engine.secondKernels` for others. */
export interface KernelCall {
  readonly module: unknown;
  readonly name: string;
  readonly args: readonly number[];
}

/** Constants that are written at an address. */
export interface ConstantWrite {
  readonly at: Ptr;
  readonly values: Float32Array | Int32Array;
}

/**
 * What some work did to linear memory: calls of kernels, and writes of constants. It can be repeated while the arena is
 * as it was before the work. It reads the memory anew, so it computes with whatever the addresses then hold.
 */
export class Recording {
  readonly #engine: Engine;
  /** The kernels that were recorded: a profiler may have exchanged them since. */
  readonly #plain: object;
  readonly #epoch: number;
  readonly #before: Mark;
  #after: Mark = [];
  readonly #kernels: Kernel[] = [];
  readonly #args: number[][] = [];
  readonly #told: (KernelCall | ConstantWrite)[] = [];
  #isRepeatable: boolean;

  private constructor(engine: Engine) {
    this.#engine = engine;
    this.#plain = engine.kernels;
    this.#isRepeatable = engine.threads === 1;
    this.#epoch = engine.arena.epoch;
    this.#before = engine.arena.mark();
  }

  /**
   * Runs `body` and records it. There is no recording if `body` reads memory, gets a result of a kernel, takes memory of
   * the heap, uses threads, or calls `refuse`: what it does next may depend on it.
   */
  static of<T>(engine: Engine, body: (refuse: () => void) => T): { result: T; recording: Recording | undefined } {
    const recording = new Recording(engine);
    const refuse = (): void => {
      recording.#isRepeatable = false;
    };
    const { kernels, secondKernels, f32, i32, heap, arena } = engine;
    const persistentBytes = (): number => heap.usedBytes - arena.heldBytes;
    const bytes = persistentBytes();
    engine.kernels = recording.#noted(kernels, undefined);
    engine.secondKernels = new Map(
      [...secondKernels].map(([key, each]) => [key, recording.#noted(each as object, key)]),
    );
    engine.f32 = (at, count) => recording.#watched(at, f32(at, count), f32);
    engine.i32 = (at, count) => recording.#watched(at, i32(at, count), i32);
    try {
      const result = body(refuse);
      recording.#after = arena.mark();
      const isWhole = engine.secondKernels.size === secondKernels.size && persistentBytes() === bytes;
      const isKept = isWhole && recording.#isRepeatable && arena.epoch === recording.#epoch;
      return { result, recording: isKept ? recording : undefined };
    } finally {
      for (const [key, each] of engine.secondKernels) if (!secondKernels.has(key)) secondKernels.set(key, each);
      Object.assign(engine, { kernels, secondKernels, f32, i32 });
    }
  }

  /** Whether the arena is as it was before the work, so that `repeat` may be called. */
  get fits(): boolean {
    const { arena, threads, kernels } = this.#engine;
    if (threads > 1 || kernels !== this.#plain || arena.epoch !== this.#epoch) return false;
    const now = arena.mark();
    const before = this.#before;
    for (let i = 0; i < Math.max(now.length, before.length); i++) {
      if ((now[i] ?? 0) !== (before[i] ?? 0)) return false;
    }
    return true;
  }

  /** Does the work again. What it allocated is allocated. */
  repeat(): void {
    const [kernels, args] = [this.#kernels, this.#args];
    for (let i = 0; i < kernels.length; i++) kernels[i]!(...args[i]!);
    this.#engine.arena.release(this.#after);
  }

  /** What `repeat` does, in order. */
  get calls(): readonly (KernelCall | ConstantWrite)[] {
    return this.#told;
  }

  #note(kernel: Kernel, args: number[], told: KernelCall | ConstantWrite): void {
    this.#kernels.push(kernel);
    this.#args.push(args);
    this.#told.push(told);
  }

  /** Kernels that note their calls. Sizes of packed matrices depend on no memory. */
  #noted<K extends object>(kernels: K, module: unknown): K {
    const noted = Object.entries(kernels).map(([name, kernel]: [string, Kernel]) => [
      name,
      (...args: number[]): unknown => {
        const result = kernel(...args);
        if (result === undefined) this.#note(kernel, args, { module, name, args });
        else if (!name.endsWith('_size')) this.#isRepeatable = false;
        return result;
      },
    ]);
    return Object.fromEntries(noted) as K;
  }

  /** A view that notes what is written. */
  #watched<V extends Float32Array | Int32Array>(at: Ptr, view: V, viewAt: (at: Ptr, count: number) => V): V {
    const written = (from: number, count: number): void => {
      const to = at + 4 * from;
      // Of memory itself: another recording may watch the view.
      const { buffer } = this.#engine.memory;
      const bytes = buffer.slice(to, to + 4 * count) as ArrayBuffer;
      const values = view instanceof Float32Array ? new Float32Array(bytes) : new Int32Array(bytes);
      this.#note(() => viewAt(to, count).set(values), [], { at: to, values });
    };
    const writes: Record<PropertyKey, unknown> = {
      length: view.length,
      set: (values: ArrayLike<number>, from = 0): void => {
        view.set(values, from);
        written(from, values.length);
      },
      fill: (value: number, from = 0, to = view.length): V => {
        view.fill(value, from, to);
        written(from, to - from);
        return watched;
      },
    };
    const watched: V = new Proxy(view, {
      get: (_, key) => {
        if (Object.hasOwn(writes, key)) return writes[key];
        this.#isRepeatable = false;
        const value = Reflect.get(view, key, view) as unknown;
        return typeof value === 'function' ? value.bind(view) : value;
      },
      set: (_, key, value) => {
        view[Number(key)] = value as number;
        written(Number(key), 1);
        return true;
      },
    });
    return watched;
  }
}
