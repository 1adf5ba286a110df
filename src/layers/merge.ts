import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import {
  add as addTensors,
  maximum as greatest,
  minimum as least,
  mul,
  scale,
  sub,
} from '../ops/elementwise/elementwise.ts';
import { select } from '../ops/elementwise/select.ts';
import { concatenate as join } from '../ops/shapes/joins.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';
import { maskOf } from './base/mask.ts';

type Shapes = readonly BatchShape[];

/** A layer that merges a list of tensors into one. */
export abstract class Merge extends BuiltInLayer<Tensor, readonly Tensor[]> {
  protected override get passesMask(): boolean {
    return false;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override checkInput(shapes: Shapes): void {
    // The shape of a single tensor is a list of numbers; here a list of shapes is needed.
    if (!Array.isArray(shapes[0]) || shapes.length < this.fewest) {
      const got = Array.isArray(shapes[0]) ? `${shapes.length}` : `one of ${formatShape(shapes as never)}`;
      throw new ArgumentError(
        `${this.describe()}: input expected a list of ${this.fewest} tensors or more, got ${got}`,
      );
    }
    shapes.forEach((shape, i) => {
      if (this.fit(shapes[0]!, shape)) return;
      throw new ArgumentError(
        `${this.describe()}: input[${i}] expected ${this.expected(shapes[0]!)}, got ${formatShape(shape)}`,
      );
    });
  }

  protected get fewest(): number {
    return 2;
  }

  /** Whether an input of this shape fits the first one. */
  protected fit(first: BatchShape, shape: BatchShape): boolean {
    return shape.length === first.length && shape.every((n, i) => n === null || first[i] === null || n === first[i]);
  }

  protected expected(first: BatchShape): string {
    return `${formatShape(first)} as input[0]`;
  }
}

class Elementwise extends Merge {
  readonly className: string;
  readonly #merge: (inputs: readonly Tensor[]) => Tensor;

  constructor(className: string, defaultName: string, options: LayerOptions, merge: (x: readonly Tensor[]) => Tensor) {
    super(defaultName, options, {});
    this.className = className;
    this.#merge = merge;
  }

  override outputShape(shapes: Shapes): BatchShape {
    return shapes[0]!.map((_, i) => shapes.find((shape) => shape[i] != null)?.[i] ?? null);
  }

  protected override call(inputs: readonly Tensor[]): Tensor {
    const y = this.#merge(inputs);
    // As in Keras, a step is masked if all inputs mask it.
    if (inputs.every((x) => x.mask)) y.mask = anyOf(inputs.map((x) => x.mask!));
    return y;
  }
}

/** 1 where any of the masks is 1. The result has as many axes as the mask with the most. */
const anyOf = (masks: readonly Tensor[]): Tensor =>
  masks.reduce((all, mask) => {
    if (all === mask) return all;
    return all.shape.length > mask.shape.length ? select(mask, 1, all) : select(all, 1, mask);
  });

const total = (inputs: readonly Tensor[]): Tensor => inputs.reduce((sum, x) => addTensors(sum, x));

/**
 * Sum of tensors of one shape.
 *
 * y = x₁ + x₂ + … + xₙ
 *
 * Input: a list of n ≥ 2 tensors `[B, …]` f32 of one shape; nothing is broadcast. Output: a tensor of that shape. If
 * every input carries a mask, the mask of the output is 1 where any of theirs is 1; otherwise the output has no mask.
 * No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a list of two f32 tensors or more,
 *   or their shapes differ.
 * @see keras.layers.Add
 *
 * @example
 * add()([tensor([1, 2]), tensor([3, 4])]).toArray(); // 4, 6
 */
export const add = (options: LayerOptions = {}): Layer<Tensor, readonly Tensor[]> =>
  new Elementwise('Add', 'add', options, total);

/**
 * Difference of two tensors of one shape.
 *
 * y = x₁ − x₂
 *
 * Input: a list of two tensors `[B, …]` f32 of one shape; nothing is broadcast. Output: a tensor of that shape. If both
 * inputs carry a mask, the mask of the output is 1 where one of theirs is 1; otherwise it has no mask. No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a list of two f32 tensors, or their
 *   shapes differ.
 * @see keras.layers.Subtract
 *
 * @example
 * subtract()([tensor([3, 4]), tensor([1, 1])]).toArray(); // 2, 3
 */
export const subtract = (options: LayerOptions = {}): Layer<Tensor, readonly Tensor[]> =>
  new Elementwise('Subtract', 'subtract', options, (inputs) => {
    if (inputs.length !== 2) throw new ArgumentError(`subtract: input expected two tensors, got ${inputs.length}`);
    return sub(inputs[0]!, inputs[1]!);
  });

/**
 * Product of tensors of one shape.
 *
 * y = x₁∘x₂∘…∘xₙ, elementwise
 *
 * Input: a list of n ≥ 2 tensors `[B, …]` f32 of one shape; nothing is broadcast. Output: a tensor of that shape. If
 * every input carries a mask, the mask of the output is 1 where any of theirs is 1; otherwise the output has no mask.
 * No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a list of two f32 tensors or more,
 *   or their shapes differ.
 * @see keras.layers.Multiply
 *
 * @example
 * multiply()([tensor([1, 2]), tensor([3, 4])]).toArray(); // 3, 8
 */
export const multiply = (options: LayerOptions = {}): Layer<Tensor, readonly Tensor[]> =>
  new Elementwise('Multiply', 'multiply', options, (inputs) => inputs.reduce((product, x) => mul(product, x)));

/**
 * Mean of tensors of one shape.
 *
 * y = (x₁ + x₂ + … + xₙ) / n, elementwise
 *
 * Input: a list of n ≥ 2 tensors `[B, …]` f32 of one shape; nothing is broadcast. Output: a tensor of that shape. If
 * every input carries a mask, the mask of the output is 1 where any of theirs is 1; otherwise the output has no mask.
 * No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a list of two f32 tensors or more,
 *   or their shapes differ.
 * @see keras.layers.Average
 *
 * @example
 * average()([tensor([1, 2]), tensor([3, 4])]).toArray(); // 2, 3
 */
export const average = (options: LayerOptions = {}): Layer<Tensor, readonly Tensor[]> =>
  new Elementwise('Average', 'average', options, (inputs) => scale(total(inputs), 1 / inputs.length));

/**
 * Greatest of tensors of one shape.
 *
 * y = max(x₁, x₂, …, xₙ), elementwise
 *
 * Input: a list of n ≥ 2 tensors `[B, …]` f32 of one shape; nothing is broadcast. Output: a tensor of that shape. If
 * every input carries a mask, the mask of the output is 1 where any of theirs is 1; otherwise the output has no mask.
 * No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a list of two f32 tensors or more,
 *   or their shapes differ.
 * @see keras.layers.Maximum
 *
 * @example
 * maximum()([tensor([1, 4]), tensor([3, 2])]).toArray(); // 3, 4
 */
export const maximum = (options: LayerOptions = {}): Layer<Tensor, readonly Tensor[]> =>
  new Elementwise('Maximum', 'maximum', options, (inputs) => inputs.reduce((most, x) => greatest(most, x)));

/**
 * Least of tensors of one shape.
 *
 * y = min(x₁, x₂, …, xₙ), elementwise
 *
 * Input: a list of n ≥ 2 tensors `[B, …]` f32 of one shape; nothing is broadcast. Output: a tensor of that shape. If
 * every input carries a mask, the mask of the output is 1 where any of theirs is 1; otherwise the output has no mask.
 * No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a list of two f32 tensors or more,
 *   or their shapes differ.
 * @see keras.layers.Minimum
 *
 * @example
 * minimum()([tensor([1, 4]), tensor([3, 2])]).toArray(); // 1, 2
 */
export const minimum = (options: LayerOptions = {}): Layer<Tensor, readonly Tensor[]> =>
  new Elementwise('Minimum', 'minimum', options, (inputs) => inputs.reduce((fewest, x) => least(fewest, x)));

export interface ConcatenateOptions extends LayerOptions {
  /** Axis to join along, with the batch as axis 0; negative from the last. Default −1. */
  axis?: number | undefined;
}

const own: OwnNames<ConcatenateOptions> = { axis: 1 };

class Concatenate extends Merge {
  readonly className = 'Concatenate';
  readonly #axis: number;

  constructor(options: ConcatenateOptions) {
    super('concatenate', options, own);
    this.#axis = options.axis ?? -1;
    if (!Number.isInteger(this.#axis) || this.#axis === 0) {
      throw new ArgumentError(
        `concatenate: axis expected an integer other than 0, the batch, got ${shown(options.axis)}`,
      );
    }
  }

  override outputShape(shapes: Shapes): BatchShape {
    const axis = this.#axisOf(shapes[0]!);
    return shapes[0]!.map((_, i) =>
      i === axis
        ? shapes.reduce<number | null>((sum, { [i]: n }) => (sum === null || n == null ? null : sum + n), 0)
        : (shapes.find((shape) => shape[i] != null)?.[i] ?? null),
    );
  }

  protected override get fewest(): number {
    return 1;
  }

  protected override fit(first: BatchShape, shape: BatchShape): boolean {
    const axis = this.#axisOf(first);
    return super.fit(
      first.filter((_, i) => i !== axis),
      shape.filter((_, i) => i !== axis),
    );
  }

  protected override expected(first: BatchShape): string {
    const axis = this.#axisOf(first);
    return `${formatShape(first.map((n, i) => (i === axis ? null : n)))} to go with input[0]`;
  }

  protected override call(inputs: readonly Tensor[]): Tensor {
    const { shape } = inputs[0]!;
    const axis = this.#axisOf(shape);
    const y = join(inputs, axis);
    y.mask = this.#mask(inputs, axis);
    return y;
  }

  /**
   * Along an axis of steps the masks are joined like their inputs. Along the last axis a step counts if it counts in
   * any input.
   */
  #mask(inputs: readonly Tensor[], axis: number): Tensor | undefined {
    const masks = inputs.map((x) => x.mask);
    if (masks.every((mask) => !mask)) return undefined;
    if (axis === inputs[0]!.shape.length - 1) return masks.every((mask) => mask) ? anyOf(masks as Tensor[]) : undefined;
    const axes = Math.max(axis + 1, ...masks.map((mask) => mask?.shape.length ?? 0));
    return join(
      inputs.map((x, i) => maskOf(x, axes, () => true, masks[i])),
      axis,
    );
  }

  #axisOf(shape: BatchShape): number {
    const axis = this.#axis < 0 ? this.#axis + shape.length : this.#axis;
    if (axis < 1 || axis >= shape.length) {
      throw new ArgumentError(`${this.describe()}: axis ${this.#axis} expected to be one of ${formatShape(shape)}`);
    }
    return axis;
  }
}

/**
 * Joins tensors along an axis.
 *
 * `[B, …, n₁]`, `[B, …, n₂]`, … → `[B, …, n₁ + n₂ + …]`, here along the last axis
 *
 * Input: a list of one tensor or more, f32, whose shapes are equal except along the axis. Output: one tensor. If inputs
 * are joined along any axis but the last and one of them carries a mask, the output carries their masks joined, with 1
 * for an input without a mask. If they are joined along the last axis and every input carries a mask, the mask of the
 * output is 1 where any of theirs is 1. Otherwise the output has no mask. No weights.
 *
 * @param options.axis counted with the batch as axis 0; negative from the last. Default −1.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `axis` is not an integer other than 0; when called, if the input is
 *   not a list of f32 tensors, one does not have the axis, or one does not fit the first.
 * @see keras.layers.Concatenate
 *
 * @example
 * concatenate()([tensor([[1, 2]]), tensor([[3]])]).toArray(); // 1, 2, 3
 */
export const concatenate = (options: ConcatenateOptions = {}): Layer<Tensor, readonly Tensor[]> =>
  new Concatenate(options);
