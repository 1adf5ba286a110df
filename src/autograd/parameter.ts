import { ArgumentError, isFloat32 } from '../checks/argument-error.ts';
import type { Shape } from '../checks/shape.ts';
import type { Ptr } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { expectF32, expectShape, expectTensor, persistent, type Tensor } from './tensor.ts';

/** Constrains the values of parameters after an update. */
export interface UpdateConstraint {
  /** Runs before an update. What it returns runs after it, and may throw after it has undone the update. */
  begin(parameters: readonly Parameter[], buffers: readonly (readonly Ptr[])[]): () => void;
}

/** How often a copy of any parameter was written. @internal */
export const copies = { written: 0 };

/**
 * A named tensor that training changes. It outlives every step. `version` counts its changes, which shows whether a
 * value derived from it is out of date.
 */
export class Parameter {
  /**
   * `layer/weight`, unique within a model. A layer that several models share has the name that the last one gave it.
   */
  name: string;
  /** Its values, as a tensor for ops. */
  readonly tensor: Tensor;
  /** Whether optimizers change it. */
  trainable = true;
  /** Whether a layer made it for one of its weights. @internal */
  isOwned = false;
  /** Sets it to allowed values after each update. @internal */
  constraint: UpdateConstraint | undefined;
  /** Counts changes of the values. */
  version = 0;
  readonly #copies = new Map<string, { version: number; form: unknown; values: Tensor }>();

  /**
   * Allocates the parameter. It outlives every step.
   *
   * @param name `layer/weight`, used in errors and files.
   * @param shape lengths of the axes.
   * @param values row-major; default zeros.
   * @param engine default the current one.
   * @throws ArgumentError if the shape is not a list of lengths, if `values` does not fill it, or if a value is not
   *   finite as float32.
   */
  constructor(name: string, shape: Shape, values?: ArrayLike<number>, engine: Engine = currentEngine()) {
    this.name = name;
    this.tensor = persistent(shape, { name, engine });
    if (values) {
      this.tensor.set(values);
      if (!engine.kernels.all_finite(this.size, this.ptr)) {
        this.dispose();
        this.#expectFinite(values);
      }
    } else engine.f32(this.tensor.ptr, this.tensor.size).fill(0);
    this.tensor.parameter = this;
  }

  get shape(): Shape {
    return this.tensor.shape;
  }

  /** Number of elements. */
  get size(): number {
    return this.tensor.size;
  }

  /** Address of its values, row-major. @internal */
  get ptr(): Ptr {
    return this.tensor.ptr;
  }

  /**
   * Replaces all values.
   *
   * @param values row-major.
   * @param shape shape of `values`; it must be that of the parameter.
   * @throws ArgumentError if the shape or the number of values differs, or a value is not finite as float32.
   */
  assign(values: ArrayLike<number>, shape: Shape = this.shape): void {
    expectShape(`parameter '${this.name}'`, shape, this.shape);
    this.#expectFinite(values);
    this.tensor.set(values);
  }

  #expectFinite(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) {
      // The number must stay finite as float32.
      if (isFloat32(values[i]!)) continue;
      throw new ArgumentError(`parameter '${this.name}': value ${i} expected a finite number, got ${values[i]}`);
    }
  }

  /** A copy of the values, row-major. */
  toArray(): Float32Array {
    return this.tensor.toArray() as Float32Array;
  }

  /**
   * Address of a cached copy of the values, or of some of them, in another form of `floats` floats. `key` names the
   * copy. `write` fills the copy at the first call, and again after the parameter or `form` has changed. The parameter
   * owns the copy. @internal
   */
  copyOf(key: string, form: unknown, floats: number, write: (to: Ptr) => void): Ptr {
    let copy = this.#copies.get(key);
    if (!copy) {
      const name = `copy of ${this.name}, ${key}`;
      copy = { version: -1, form, values: persistent([floats], { name, engine: this.tensor.engine }) };
      this.#copies.set(key, copy);
    }
    if (copy.version !== this.version || copy.form !== form) {
      copies.written++;
      write(copy.values.ptr);
      copy.version = this.version;
      copy.form = form;
    }
    return copy.values.ptr;
  }

  /** Frees its memory. Safe to call twice. */
  dispose(): void {
    this.tensor.dispose();
    for (const { values } of this.#copies.values()) values.dispose();
    this.#copies.clear();
  }
}

/** Number of elements of all parameters together. */
export const totalSize = (parameters: readonly Parameter[]): number =>
  parameters.reduce((sum, { size }) => sum + size, 0);

/** A weight as an argument of an op: a parameter or any tensor. */
export type Weight = Parameter | Tensor;

/**
 * The tensor of a weight. Throws `ArgumentError` if it is neither a parameter nor a tensor; `what` names it in the
 * error. @internal
 */
export function tensorOf(weight: Weight, what = 'an operand'): Tensor {
  const x = weight instanceof Parameter ? weight.tensor : weight;
  expectTensor(what, x);
  return x;
}

/**
 * The tensor of an f32 weight. Most ops call it first. Throws `ArgumentError` if it is not an f32 tensor or a
 * parameter. @internal
 */
export function floatsOf(weight: Weight, what: string): Tensor {
  const x = tensorOf(weight, what);
  expectF32(what, x);
  return x;
}
