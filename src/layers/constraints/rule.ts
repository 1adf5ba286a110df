import type { Parameter } from '../../autograd/parameter.ts';
import { expectF32, expectShape, type Tensor } from '../../autograd/tensor.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Json } from '../../io/model-file.ts';

/** Name and options of a constraint. */
export type ConstraintConfig = { readonly name: string; readonly [option: string]: Json | undefined };

/** A rule for the values that a weight may have. */
export class Constraint {
  readonly #rule: (weight: Tensor) => Tensor;
  readonly #config: ConstraintConfig | undefined;

  /** @param config name and options, for files. @internal */
  constructor(rule: (weight: Tensor) => Tensor, config?: ConstraintConfig) {
    this.#rule = rule;
    this.#config = config;
  }

  /**
   * The allowed values for a weight `[…]`: a tensor of the same shape. It lives until the open step ends; outside a
   * step the caller owns it.
   */
  apply(weight: Tensor): Tensor {
    return this.#rule(weight);
  }

  /** Name and options, for files. */
  toJSON(): ConstraintConfig | undefined {
    return this.#config;
  }

  /** Makes optimizers constrain a weight. Throws `ArgumentError` if the rule does not fit it. @internal */
  attach(weight: Parameter): void {
    this.#valuesFor(weight);
    weight.constraint = this;
  }

  /**
   * Prepares for an update of parameters, some of which have constraints. The returned function runs after the update
   * and sets them to allowed values. If one has none, it undoes the whole update, of all `buffers`. @internal
   */
  begin(parameters: readonly Parameter[], buffers: readonly (readonly Ptr[])[]): () => void {
    const memory = (i: number, at: Ptr): Float32Array => parameters[i]!.tensor.engine.f32(at, parameters[i]!.size);
    const before = buffers.map((list, i) => list.map((at) => memory(i, at).slice()));
    return () => {
      try {
        for (const parameter of parameters) {
          const { constraint } = parameter;
          if (constraint) parameter.assign((constraint as Constraint).#valuesFor(parameter));
        }
      } catch (error) {
        buffers.forEach((list, i) => list.forEach((at, j) => memory(i, at).set(before[i]![j]!)));
        for (const parameter of parameters) parameter.version++;
        throw error;
      }
    };
  }

  #valuesFor({ name, tensor }: Parameter): Float32Array {
    return tensor.engine.step(() => {
      const y: Tensor | undefined = this.apply(tensor);
      const what = `constraint of '${name}': output`;
      expectF32(what, y);
      expectShape(what, y.shape, tensor.shape);
      return y.toArray() as Float32Array;
    });
  }
}
