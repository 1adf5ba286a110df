import { ArgumentError, shown, shownStranger } from '../checks/argument-error.ts';
import { DeadTensorError } from '../checks/dead-tensor-error.ts';
import { flattenNested, type NestedNumbers, shapeOfNested } from '../checks/nested-numbers.ts';
import { checkOptions } from '../checks/options.ts';
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from '../checks/shape.ts';
import type { Ptr } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { classOf } from '../host/class-of.ts';

/** Elements of a tensor: 32-bit floats, or 32-bit integers for ids. */
export type DType = 'f32' | 'i32';

export function expectShape(what: string, got: Shape, expected: Shape): void {
  if (!sameShape(got, expected)) {
    throw new ArgumentError(`${what} expected ${formatShape(expected)}, got ${formatShape(got)}`);
  }
}

/** Throws `ArgumentError` for what is no tensor. @internal */
export function expectTensor(what: string, x: Tensor): void {
  if (!(x instanceof Tensor))
    throw new ArgumentError(`${what} expected a tensor, got ${shownStranger(x, 'timeMajor')}`);
}

/**
 * Throws `ArgumentError` for what is no tensor and for an i32 tensor, whose bits a kernel would take for floats.
 * @internal
 */
export function expectF32(what: string, x: Tensor): void {
  expectTensor(what, x);
  if (x.dtype !== 'f32') throw new ArgumentError(`${what} expected f32, got ${x.dtype} for '${x.name}'`);
}

/** Throws `ArgumentError` unless two tensors are in the memory of one engine. @internal */
export function expectEngine(x: Tensor, like: Tensor): void {
  if (x.engine !== like.engine) {
    throw new ArgumentError(`tensor '${x.name}' expected the engine of '${like.name}', got that of another init()`);
  }
}

// A persistent buffer is returned to its heap when its tensor is collected without having been disposed of.
const abandoned = new FinalizationRegistry<{ engine: Engine; at: Ptr }>(({ engine, at }) => engine.heap.release(at));

/** What a tensor knows of the parameter whose values it has. */
interface TensorOwner {
  version: number;
  copyOf(values: string, form: unknown, floats: number, write: (to: Ptr) => void): Ptr;
}

/**
 * A dense array in linear memory.
 *
 * Made inside a step it lives in the step's arena and dies with it; made outside it lives until `dispose` or until it
 * is collected. With `timeMajor` the first two axes are exchanged in memory only: a `[B, T, F]` tensor stored
 * `[T, B, F]`.
 */
export class Tensor {
  /** Whose memory it is in: tensors of two engines do not mix. */
  readonly engine: Engine;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Whether the first two axes are exchanged in memory. */
  readonly timeMajor: boolean;
  /** What errors call it. */
  name: string;
  /**
   * Set where the rows of this tensor, in memory order, are table[ids[0], :], table[ids[1], :], …, gathered on `tape`.
   * @internal
   */
  gatheredFrom: { readonly table: Tensor; readonly ids: Tensor; readonly tape: object | undefined } | undefined;
  /** The parameter whose values these are. Each change of them adds one to its version. @internal */
  parameter: TensorOwner | undefined;
  /**
   * Of a padded batch `[B, T, …]`: `[B, T]` f32, or any number of its first axes, 1 where a step counts and 0 where it
   * is padding. Layers read it and pass it on.
   */
  mask: Tensor | undefined;
  /** Name of the activation that a layer made it with, where that is known. @internal */
  activation: string | undefined;
  #at: Ptr;
  // 0: persistent; −1: disposed of; −2: overwritten; else the number of the step it belongs to.
  #step: number;

  /** @internal */
  constructor(engine: Engine, at: Ptr, step: number, shape: Shape, dtype: DType, name: string, timeMajor: boolean) {
    this.engine = engine;
    this.#at = at;
    this.#step = step;
    this.shape = shape;
    this.dtype = dtype;
    this.name = name;
    this.timeMajor = timeMajor;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Byte address of the first element. Throws `DeadTensorError` once the tensor's life is over. */
  get ptr(): Ptr {
    if (this.#step !== 0 && this.#step !== this.engine.openStep) {
      const ends: Record<number, string> = { [-1]: 'was disposed of', [-2]: 'has been overwritten by its loss' };
      const why = ends[this.#step] ?? `belongs to step ${this.#step}, which has ended`;
      const advice = this.parameter ? '' : '; copy what must outlive a step with toArray() or keep()';
      throw new DeadTensorError(`tensor '${this.name}' ${formatShape(this.shape)} ${why}${advice}`);
    }
    return this.#at;
  }

  get isDisposed(): boolean {
    return this.#step < 0;
  }

  get isPersistent(): boolean {
    return this.#step === 0;
  }

  /** The same memory under another shape of the same size. @internal */
  view(shape: Shape, timeMajor: boolean, name: string, offset = 0): Tensor {
    return new TensorView(this, this.ptr + 4 * offset, this.#step, shape, name, timeMajor);
  }

  /** A copy of the elements, row-major in the order of `shape`. */
  toArray(): Float32Array | Int32Array {
    const from = this.dataView();
    if (!this.timeMajor) return from.slice();
    const [b, t] = this.shape as [number, number];
    const inner = this.size / Math.max(b * t, 1);
    const to = this.dtype === 'f32' ? new Float32Array(this.size) : new Int32Array(this.size);
    for (let i = 0; i < b; i++) {
      for (let j = 0; j < t; j++) {
        const row = (j * b + i) * inner;
        to.set(from.subarray(row, row + inner), (i * t + j) * inner);
      }
    }
    return to;
  }

  /** The elements where they stand: a view that the next allocation may detach. @internal */
  dataView(): Float32Array | Int32Array {
    return this.dtype === 'f32' ? this.engine.f32(this.ptr, this.size) : this.engine.i32(this.ptr, this.size);
  }

  /** The only element of a tensor of size 1. */
  item(): number {
    if (this.size !== 1) throw new ArgumentError(`item(): '${this.name}' has ${this.size} elements, expected 1`);
    return this.toArray()[0]!;
  }

  /**
   * Overwrites the elements with `values`, row-major.
   *
   * @throws ArgumentError if the tensor is time-major, there are more or fewer, or one is no number, or, for i32, no
   *   32-bit integer.
   */
  set(values: ArrayLike<number>): void {
    if (this.timeMajor) throw new ArgumentError(`set(): '${this.name}' expected row-major memory, got time-major`);
    if (values.length !== this.size) {
      throw new ArgumentError(`set(): '${this.name}' has ${this.size} elements, got ${values.length}`);
    }
    const isIds = this.dtype === 'i32';
    // What is made for these elements needs no look.
    if (!(values instanceof (isIds ? Int32Array : Float32Array))) {
      for (let i = 0; i < this.size; i++) {
        const value = values[i]!;
        if (typeof value === 'number' && (!isIds || (value | 0) === value)) continue;
        const expected = isIds ? 'integers of 32 bits' : 'numbers';
        throw new ArgumentError(`set(): '${this.name}' expected ${expected}, got ${shown(value)} at ${i}`);
      }
    }
    this.dataView().set(values);
    if (this.parameter) this.parameter.version++;
  }

  /** Ends a persistent tensor's life and returns its memory; a step's tensor dies by itself. Safe to call twice. */
  dispose(): void {
    if (this.#step !== 0) return;
    this.#step = -1;
    // Whatever was made from its values asks for them again, and is told.
    if (this.parameter) this.parameter.version++;
    abandoned.unregister(this);
    this.engine.heap.release(this.#at);
  }

  /** Ends a step's tensor's life before the step's: its memory is the caller's. @internal */
  take(): Ptr {
    const at = this.ptr;
    this.#step = -2;
    return at;
  }

  /** @internal Hands the buffer's return to the collector, should nobody dispose of it. */
  guard(): this {
    abandoned.register(this, { engine: this.engine, at: this.#at }, this);
    return this;
  }
}

/** Another shape over a tensor's memory. It holds its base, so that the memory outlives neither. */
class TensorView extends Tensor {
  readonly #base: Tensor;

  constructor(base: Tensor, at: Ptr, step: number, shape: Shape, name: string, timeMajor: boolean) {
    super(base.engine, at, step, shape, base.dtype, name, timeMajor);
    this.#base = base;
  }

  override get ptr(): Ptr {
    void this.#base.ptr;
    return super.ptr;
  }

  override get isDisposed(): boolean {
    return this.#base.isDisposed;
  }

  /** A view owns no memory. */
  override dispose(): void {}
}

interface NewTensor {
  dtype?: DType | undefined;
  name?: string | undefined;
  timeMajor?: boolean | undefined;
  engine?: Engine | undefined;
}

/** A tensor of undefined content: in the arena inside a step, persistent outside. @internal */
export function empty(shape: Shape, options: NewTensor = {}): Tensor {
  const { dtype = 'f32', name = 'tensor', timeMajor = false, engine = currentEngine() } = options;
  checkShape(shape);
  const step = engine.openStep;
  if (step === 0) return persistent(shape, options);
  return new Tensor(engine, engine.arena.allocate(4 * sizeOf(shape)), step, shape, dtype, name, timeMajor);
}

/** Throws `ArgumentError` for what is no data type. @internal */
export function expectDType(what: string, dtype: DType): void {
  if (dtype !== 'f32' && dtype !== 'i32')
    throw new ArgumentError(`${what}: dtype expected 'f32' or 'i32', got ${shown(dtype)}`);
}

/** A tensor of undefined content that outlives every step. @internal */
export function persistent(shape: Shape, options: NewTensor = {}): Tensor {
  const { dtype = 'f32', name = 'tensor', timeMajor = false, engine = currentEngine() } = options;
  checkShape(shape);
  return new Tensor(engine, engine.heap.allocate(4 * sizeOf(shape)), 0, shape, dtype, name, timeMajor).guard();
}

/** @internal */
export function zeros(shape: Shape, options: NewTensor = {}): Tensor {
  const t = empty(shape, options);
  t.engine.i32(t.ptr, t.size).fill(0);
  return t;
}

/**
 * A persistent copy of any tensor: what must outlive its step. Owned by the caller, who may `dispose` of it. A
 * constant: within `valueAndGrad` no gradient flows through it to `x`.
 */
export function keep(x: Tensor, name?: string): Tensor {
  expectTensor('keep: x', x);
  const copy = persistent(x.shape, { dtype: x.dtype, name: name ?? x.name, engine: x.engine });
  copy.set(x.toArray());
  return copy;
}

/**
 * A tensor of given values.
 *
 * @param values nested arrays, or a flat array with `shape`.
 * @param given.shape row-major shape of flat `values`; it may stand alone in place of the options:
 *   `tensor(values, [2, 3])`.
 * @param given.dtype `i32` for token ids and class labels, or `f32`. Default: `i32` where `values` is an `Int32Array`,
 *   else `f32`.
 * @returns in the arena inside a step, else persistent and owned by the caller.
 * @throws ArgumentError if a row is ragged, `values` does not fill `shape`, an element is no number, or, for i32, no
 *   32-bit integer.
 */
export function tensor(
  values: NestedNumbers,
  given:
    | Shape
    | {
        shape?: Shape | undefined;
        dtype?: DType | undefined;
        name?: string | undefined;
        engine?: Engine | undefined;
      } = {},
): Tensor {
  const known = { shape: 1, dtype: 1, name: 1, engine: 1 };
  const options = Array.isArray(given) ? { shape: given as Shape } : (given as Exclude<typeof given, Shape>);
  const { name = 'tensor', shape = shapeOfNested(values, name), ...rest } = checkOptions('tensor', options, known);
  const { dtype = classOf(values) === 'Int32Array' ? 'i32' : 'f32' } = rest;
  expectDType('tensor', dtype);
  checkShape(shape);
  const flat = options.shape ? (values as ArrayLike<number>) : flattenNested(values, shape, name);
  if (flat?.length !== sizeOf(shape)) {
    throw new ArgumentError(`tensor: shape ${formatShape(shape)} holds ${sizeOf(shape)} values, got ${flat?.length}`);
  }
  const t = empty(shape, { ...rest, name, dtype });
  try {
    t.set(flat);
    return t;
  } catch (error) {
    t.dispose();
    throw error;
  }
}

/** A tensor of one value, in the open step. */
export function filled(shape: Shape, value = 0, engine = currentEngine()): Tensor {
  const y = empty(shape, { name: 'filled', engine });
  y.dataView().fill(value);
  return y;
}
