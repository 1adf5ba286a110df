import { ArgumentError, shown, shownForeign } from '../checks/argument-error.ts';
import { DeadTensorError } from '../checks/dead-tensor-error.ts';
import { flattenNested, type NestedNumbers, shapeOfNested } from '../checks/nested-numbers.ts';
import { checkOptions } from '../checks/options.ts';
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from '../checks/shape.ts';
import type { Ptr } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { classOf } from '../host/class-of.ts';

/** Data type of the elements: 32-bit floats, or 32-bit integers for ids. */
export type DType = 'f32' | 'i32';

/** Throws `ArgumentError` unless the shapes are equal. */
export function expectShape(what: string, got: Shape, expected: Shape): void {
  if (!sameShape(got, expected)) {
    throw new ArgumentError(`${what} expected ${formatShape(expected)}, got ${formatShape(got)}`);
  }
}

/** Throws `ArgumentError` if `x` is not a tensor. @internal */
export function expectTensor(what: string, x: Tensor): void {
  if (!(x instanceof Tensor)) throw new ArgumentError(`${what} expected a tensor, got ${shownForeign(x, 'timeMajor')}`);
}

/**
 * Throws `ArgumentError` if `x` is not a tensor or is i32: a kernel would read the bits of integers as floats.
 * @internal
 */
export function expectF32(what: string, x: Tensor): void {
  expectTensor(what, x);
  if (x.dtype !== 'f32') throw new ArgumentError(`${what} expected f32, got ${x.dtype} for '${x.name}'`);
}

/** Throws `ArgumentError` unless both tensors are in the memory of one engine. @internal */
export function expectEngine(x: Tensor, like: Tensor): void {
  if (x.engine !== like.engine) {
    throw new ArgumentError(`tensor '${x.name}' expected the engine of '${like.name}', got that of another init()`);
  }
}

// Frees a persistent buffer when its tensor is garbage-collected without `dispose`.
const abandoned = new FinalizationRegistry<{ engine: Engine; at: Ptr }>(({ engine, at }) => engine.heap.release(at));

/** The parts of a parameter that its tensor uses. */
interface TensorOwner {
  version: number;
  copyOf(key: string, form: unknown, floats: number, write: (to: Ptr) => void): Ptr;
}

/**
 * A dense array in linear memory.
 *
 * A tensor made inside a step is in the arena and lives until the step ends. A tensor made outside lives until
 * `dispose` or until it is garbage-collected. With `timeMajor` the first two axes are exchanged in memory only: a
 * `[B, T, F]` tensor is stored as `[T, B, F]`.
 */
export class Tensor {
  /** The engine whose memory it is in. Tensors of two engines cannot be mixed. */
  readonly engine: Engine;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Whether the first two axes are exchanged in memory. */
  readonly timeMajor: boolean;
  /** Its name in errors. */
  name: string;
  /**
   * Set if the rows of this tensor, in memory order, are table[ids[0], :], table[ids[1], :], …, gathered on `tape`.
   * @internal
   */
  gatheredFrom: { readonly table: Tensor; readonly ids: Tensor; readonly tape: object | undefined } | undefined;
  /** The parameter that has this tensor, if any. Each change of the values adds one to its version. @internal */
  parameter: TensorOwner | undefined;
  /**
   * The mask of a padded batch `[B, T, …]`: f32 `[B, T]`, or other leading axes of its shape; 1 for a valid step and 0
   * for padding. Layers read it and pass it on.
   */
  mask: Tensor | undefined;
  /** Name of the activation that computed it, if it is known. @internal */
  activation: string | undefined;
  #at: Ptr;
  // 0: persistent; −1: disposed; −2: overwritten; else the number of the step that it belongs to.
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

  /**
   * Byte address of the first element. Throws `DeadTensorError` if the step of the tensor has ended, or it was disposed
   * or overwritten.
   */
  get ptr(): Ptr {
    if (this.#step !== 0 && this.#step !== this.engine.openStep) {
      const ends: Record<number, string> = { [-1]: 'was disposed of', [-2]: 'has been overwritten by its loss' };
      const why = ends[this.#step] ?? `belongs to step ${this.#step}, which has ended`;
      const advice = this.parameter ? '' : '; copy what must outlive a step with toArray() or keep()';
      throw new DeadTensorError(`tensor '${this.name}' ${formatShape(this.shape)} ${why}${advice}`);
    }
    return this.#at;
  }

  /** Whether it was disposed, or overwritten by its loss. */
  get isDisposed(): boolean {
    return this.#step < 0;
  }

  /** Whether it outlives every step. */
  get isPersistent(): boolean {
    return this.#step === 0;
  }

  /** A view of the same memory with another shape, from element `offset` on. @internal */
  view(shape: Shape, timeMajor: boolean, name: string, offset = 0): Tensor {
    return new TensorView(this, this.ptr + 4 * offset, this.#step, shape, name, timeMajor);
  }

  /**
   * A copy of the elements, row-major in the order of `shape`. Throws `DeadTensorError` if the step of the tensor has
   * ended, or it was disposed or overwritten.
   */
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

  /** The elements in memory order. The next allocation may detach this view. @internal */
  dataView(): Float32Array | Int32Array {
    return this.dtype === 'f32' ? this.engine.f32(this.ptr, this.size) : this.engine.i32(this.ptr, this.size);
  }

  /** The element of a tensor of size 1. Throws `ArgumentError` for another size. */
  item(): number {
    if (this.size !== 1) throw new ArgumentError(`item(): '${this.name}' has ${this.size} elements, expected 1`);
    return this.toArray()[0]!;
  }

  /**
   * Overwrites the elements with `values`, row-major.
   *
   * @throws ArgumentError if the tensor is time-major, the number of values differs, or a value is not a number or, for
   *   i32, not a 32-bit integer.
   */
  set(values: ArrayLike<number>): void {
    if (this.timeMajor) throw new ArgumentError(`set(): '${this.name}' expected row-major memory, got time-major`);
    if (values.length !== this.size) {
      throw new ArgumentError(`set(): '${this.name}' has ${this.size} elements, got ${values.length}`);
    }
    const isIds = this.dtype === 'i32';
    // Typed arrays of the same type need no check.
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

  /** Frees the memory of a persistent tensor; a tensor of a step is freed with its step. Safe to call twice. */
  dispose(): void {
    if (this.#step !== 0) return;
    this.#step = -1;
    // This marks cached copies of the values as out of date. Their next refresh reads `ptr`, which throws.
    if (this.parameter) this.parameter.version++;
    abandoned.unregister(this);
    this.engine.heap.release(this.#at);
  }

  /**
   * Gives the memory of the tensor to the caller, before the step ends. Any later use of the tensor throws. @internal
   */
  take(): Ptr {
    const at = this.ptr;
    this.#step = -2;
    return at;
  }

  /** Frees the buffer when the tensor is garbage-collected without `dispose`. @internal */
  guard(): this {
    abandoned.register(this, { engine: this.engine, at: this.#at }, this);
    return this;
  }
}

/**
 * A view of a tensor's memory with another shape. It keeps a reference to its base, so that garbage collection does not
 * free the memory while the view is used.
 */
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

  /** Does nothing: a view owns no memory. */
  override dispose(): void {}
}

interface NewTensor {
  dtype?: DType | undefined;
  name?: string | undefined;
  timeMajor?: boolean | undefined;
  engine?: Engine | undefined;
}

/** A tensor with undefined content: in the arena inside a step, persistent outside. @internal */
export function empty(shape: Shape, options: NewTensor = {}): Tensor {
  const { dtype = 'f32', name = 'tensor', timeMajor = false, engine = currentEngine() } = options;
  checkShape(shape);
  const step = engine.openStep;
  if (step === 0) return persistent(shape, options);
  return new Tensor(engine, engine.arena.allocate(4 * sizeOf(shape)), step, shape, dtype, name, timeMajor);
}

/** Throws `ArgumentError` if `dtype` is not a data type. @internal */
export function expectDType(what: string, dtype: DType): void {
  if (dtype !== 'f32' && dtype !== 'i32')
    throw new ArgumentError(`${what}: dtype expected 'f32' or 'i32', got ${shown(dtype)}`);
}

/** A tensor with undefined content that outlives every step. @internal */
export function persistent(shape: Shape, options: NewTensor = {}): Tensor {
  const { dtype = 'f32', name = 'tensor', timeMajor = false, engine = currentEngine() } = options;
  checkShape(shape);
  return new Tensor(engine, engine.heap.allocate(4 * sizeOf(shape)), 0, shape, dtype, name, timeMajor).guard();
}

/** A tensor of zeros: in the arena inside a step, persistent outside. @internal */
export function zeros(shape: Shape, options: NewTensor = {}): Tensor {
  const t = empty(shape, options);
  t.engine.i32(t.ptr, t.size).fill(0);
  return t;
}

/**
 * Copies a tensor so that the copy outlives the step.
 *
 * y = x, a constant: within `valueAndGrad` no gradient flows through it to `x`
 *
 * @param x `[…]` f32 or i32, any shape.
 * @param name name of the copy in errors; default that of `x`.
 * @returns a persistent, row-major tensor of the shape of `x`. The caller owns it and must `dispose` it.
 * @throws ArgumentError if `x` is not a tensor.
 * @throws DeadTensorError if the step of `x` has ended, or `x` was disposed or overwritten.
 *
 * @example
 * const kept = keep(tensor([1, 2, 3]));
 * kept.toArray(); // 1 2 3
 * kept.dispose();
 */
export function keep(x: Tensor, name?: string): Tensor {
  expectTensor('keep: x', x);
  const copy = persistent(x.shape, { dtype: x.dtype, name: name ?? x.name, engine: x.engine });
  copy.set(x.toArray());
  return copy;
}

/**
 * Makes a tensor from values.
 *
 * @param values nested arrays, or a flat array with `shape`.
 * @param given.shape row-major shape of flat `values`. It may also be given alone instead of the options:
 *   `tensor(values, [2, 3])`. Default: the shape of the nesting.
 * @param given.dtype `f32`, or `i32` for token ids and class labels. Default: `i32` if `values` is an `Int32Array`,
 *   else `f32`.
 * @param given.name its name in errors; default `tensor`.
 * @param given.engine the engine whose memory holds it; default the current engine.
 * @returns a tensor of the open step. Outside a step it is persistent, and the caller owns it and must `dispose` it.
 * @throws ArgumentError if rows have unequal lengths, `values` does not fill `shape`, an element is not a number or,
 *   for i32, not a 32-bit integer, `dtype` is not a data type, or an option is unknown.
 * @see tf.tensor, numpy.array
 *
 * @example
 * tensor([[1, 2], [3, 4]]).shape; // [2, 2]
 * tensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'i32' }).dtype; // i32
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

/** A tensor whose elements are all `value`: in the arena inside a step, persistent outside. */
export function filled(shape: Shape, value = 0, engine = currentEngine()): Tensor {
  const y = empty(shape, { name: 'filled', engine });
  y.dataView().fill(value);
  return y;
}
