import { ArgumentError, isFloat32 } from '../checks/argument-error.ts';
import type { Shape } from '../checks/shape.ts';
import type { Ptr } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { expectF32, expectShape, expectTensor, persistent, type Tensor } from './tensor.ts';

/**
 * A named tensor that training changes. It outlives every step; `version` counts its changes, so that whatever was
 * derived from its values can tell that it is stale.
 */
export class Parameter {
  /** `layer/weight`, unique within a model; of a layer that stands in several as the last one named it. */
  name: string;
  /** Its values, as ops take them. */
  readonly tensor: Tensor;
  /** Whether optimizers change it. */
  trainable = true;
  /** Whether a layer made it for one of its weights. @internal */
  isOwned = false;
  /** Counts changes of the values. */
  version = 0;
  readonly #copies = new Map<string, { version: number; form: unknown; values: Tensor }>();

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

  /** Replaces every value, row-major. Throws `ArgumentError` on another shape or a value that is not finite. */
  assign(values: ArrayLike<number>, shape: Shape = this.shape): void {
    expectShape(`parameter '${this.name}'`, shape, this.shape);
    this.#expectFinite(values);
    this.tensor.set(values);
  }

  #expectFinite(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) {
      // What float32 makes of it.
      if (isFloat32(values[i]!)) continue;
      throw new ArgumentError(`parameter '${this.name}': value ${i} expected a finite number, got ${values[i]}`);
    }
  }

  /** A copy of the values, row-major. */
  toArray(): Float32Array {
    return this.tensor.toArray() as Float32Array;
  }

  /**
   * Some of its values in another form of as many floats, written by `write` at the first call and again when they have
   * changed or `form` has. The copy lives as long as the parameter. @internal
   */
  copyOf(values: string, form: unknown, floats: number, write: (to: Ptr) => void): Ptr {
    let copy = this.#copies.get(values);
    if (!copy) {
      const name = `copy of ${this.name}, ${values}`;
      copy = { version: -1, form, values: persistent([floats], { name, engine: this.tensor.engine }) };
      this.#copies.set(values, copy);
    }
    if (copy.version !== this.version || copy.form !== form) {
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

/** How many numbers parameters hold together. */
export const totalSize = (parameters: readonly Parameter[]): number =>
  parameters.reduce((sum, { size }) => sum + size, 0);

/** What ops take for a weight: a parameter or any tensor. */
export type Weight = Parameter | Tensor;

/** The tensor of what ops take. Throws `ArgumentError` for what is neither, which `what` names. @internal */
export function tensorOf(weight: Weight, what = 'an operand'): Tensor {
  const x = weight instanceof Parameter ? weight.tensor : weight;
  expectTensor(what, x);
  return x;
}

/** `tensorOf` for f32 alone: the first line of most ops. @internal */
export function floatsOf(weight: Weight, what: string): Tensor {
  const x = tensorOf(weight, what);
  expectF32(what, x);
  return x;
}
