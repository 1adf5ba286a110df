// Keras's layers that normalize otherwise than by batch or by layer: GroupNormalization, UnitNormalization, and
// Normalization by statistics of the data.
import type { Parameter } from '../../autograd/parameter.ts';
import { filled, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { formatShape, sizeOf } from '../../checks/shape.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions } from '../../layers/base/layer.ts';
import type { LayerNormalizationOptions } from '../../layers/layer-normalization.ts';
import { add, div, maximum, mul, sqrt, square, sub } from '../../ops/elementwise/elementwise.ts';
import { expectEpsilon } from '../../ops/epsilon.ts';
import { layerNorm } from '../../ops/normalization.ts';
import { sum } from '../../ops/reduce.ts';
import { expectAxis } from '../../ops/shapes/axis.ts';
import { reshape, transpose } from '../../ops/shapes/layout.ts';

abstract class Normalizing extends BuiltInLayer {
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
}

interface GroupOptions extends LayerNormalizationOptions {
  groups?: number | undefined;
}

const groupNames = {
  groups: 1,
  epsilon: 1,
  center: true,
  scale: true,
  betaInitializer: 1,
  gammaInitializer: 1,
  betaRegularizer: 1,
  gammaRegularizer: 1,
  betaConstraint: 1,
  gammaConstraint: 1,
};

class GroupNormalization extends Normalizing {
  readonly className = 'GroupNormalization';
  readonly #options: GroupOptions;
  #gamma: Parameter | undefined;
  #beta: Parameter | undefined;

  constructor(options: GroupOptions) {
    super('group_normalization', options, groupNames);
    const { groups = 32, epsilon = 1e-3 } = options;
    if (!(Number.isInteger(groups) && (groups > 0 || groups === -1)))
      throw new ArgumentError(`group_normalization: groups expected an integer ≥ 1 or −1, got ${shown(groups)}`);
    expectEpsilon('group_normalization: epsilon', epsilon);
    this.#options = options;
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const width = this.inputWidth(inputShape);
    this.#groupsOf(width);
    const { center = true, scale = true, betaInitializer = 'zeros', gammaInitializer = 'ones' } = this.#options;
    const { betaRegularizer, gammaRegularizer } = this.#options;
    if (scale) this.#gamma = this.addWeight('gamma', [width], gammaInitializer, gammaRegularizer);
    if (center) this.#beta = this.addWeight('beta', [width], betaInitializer, betaRegularizer);
  }

  #groupsOf(width: number): number {
    const { groups = 32 } = this.#options;
    if (groups === -1) return width;
    if (width % groups === 0) return groups;
    throw new ArgumentError(`${this.describe()}: input expected features in ${groups} groups, got ${width}`);
  }

  protected override call(x: Tensor): Tensor {
    const { shape } = x;
    const width = shape.at(-1)!;
    const groups = this.#groupsOf(width);
    const [batch, places, size] = [shape[0]!, sizeOf(shape.slice(1, -1)), width / groups];
    // A group is a row: its features at all places.
    const grouped = transpose(reshape(x, [batch, places, groups, size]), [0, 2, 1, 3]);
    const rows = reshape(grouped, [batch, groups, places * size]);
    const normalized = reshape(layerNorm(rows, undefined, undefined, { epsilon: this.#options.epsilon ?? 1e-3 }), [
      batch,
      groups,
      places,
      size,
    ]);
    const y = reshape(transpose(normalized, [0, 2, 1, 3]), shape);
    const scaled = this.#gamma ? mul(y, this.#gamma) : y;
    return this.#beta ? add(scaled, this.#beta) : scaled;
  }
}

/** y = gamma∘(x − μ)/√(σ² + epsilon) + beta, with μ and σ² of each group of features at all places of a sample. */
export const groupNormalizationLayer = (options: GroupOptions): Layer => new GroupNormalization(options);

/** Rows along `axes` with the length 1; a row of zeros stays one. As in TF, no square of a length is below 1e-12. */
export function unitRows(x: Tensor, axes: readonly number[]): Tensor {
  const squares = axes.reduce((total, axis) => sum(total, { axis, keepDims: true }), square(x));
  return div(x, sqrt(maximum(squares, 1e-12)));
}

interface UnitOptions extends LayerOptions {
  axis?: number | readonly number[] | undefined;
}

class UnitNormalization extends Normalizing {
  readonly className = 'UnitNormalization';
  readonly #axes: readonly number[];

  constructor(options: UnitOptions) {
    super('unit_normalization', options, { axis: 1 });
    this.#axes = [options.axis ?? -1].flat() as number[];
    if (this.#axes.length === 0 || !this.#axes.every((axis) => Number.isInteger(axis) && axis !== 0)) {
      throw new ArgumentError(
        `unit_normalization: axis expected integers other than 0, the batch, got ${shown(options.axis)}`,
      );
    }
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    for (const axis of this.#axes)
      expectAxis(`${this.describe()}: axis of ${formatShape(inputShape)}`, axis, inputShape.length);
  }

  protected override call(x: Tensor): Tensor {
    return unitRows(x, this.#axes);
  }
}

/** y = x/‖x‖ along axes. */
export const unitNormalizationLayer = (options: UnitOptions): Layer => new UnitNormalization(options);

interface StatisticsOptions extends LayerOptions {
  /** Given numbers, nested as in the file; without them the statistics are weights. */
  mean?: number | readonly unknown[] | undefined;
  variance?: number | readonly unknown[] | undefined;
}

class Normalization extends Normalizing {
  readonly className = 'Normalization';
  readonly #given: readonly [mean: readonly number[], variance: readonly number[]] | undefined;
  #weights: readonly Parameter[] = [];

  constructor(options: StatisticsOptions) {
    super('normalization', options, { mean: 1, variance: 1 });
    const { mean, variance } = options;
    if (mean === undefined && variance === undefined) return;
    const [means, variances] = [mean, variance].map((value) => [value].flat(9) as number[]);
    for (const [name, list] of Object.entries({ mean: means!, variance: variances! })) {
      if (list.length > 0 && list.length === means!.length && list.every(Number.isFinite)) continue;
      throw new ArgumentError(
        `normalization: ${name} expected a number for each feature, got ${shown(options[name as 'mean'])}`,
      );
    }
    this.#given = [means!, variances!];
  }

  override get trainable(): boolean {
    return super.trainable;
  }

  /** Statistics of the data are never trained. */
  override set trainable(value: boolean) {
    super.trainable = value;
    for (const weight of this.#weights) weight.trainable = false;
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const width = this.inputWidth(inputShape);
    if (this.#given) {
      const count = this.#given[0].length;
      if (count === width || count === 1) return;
      throw new ArgumentError(`${this.describe()}: mean expected ${width} numbers, got ${count}`);
    }
    this.#weights = [
      this.addWeight('mean', [width], 'zeros'),
      this.addWeight('variance', [width], 'ones'),
      this.addWeight('count', [], 'zeros'),
    ];
    for (const weight of this.#weights) weight.trainable = false;
  }

  protected override call(x: Tensor): Tensor {
    const [mean, variance] = this.#given?.map(constant) ?? this.#weights.map(({ tensor }) => tensor);
    return div(sub(x, mean!), maximum(sqrt(variance!), 1e-7));
  }
}

function constant(values: readonly number[]): Tensor {
  const made = filled([values.length]);
  made.set(Float32Array.from(values));
  return made;
}

/** y = (x − mean)/max(√variance, 1e-7) of each feature; training changes neither. */
export const normalizationLayer = (options: StatisticsOptions): Layer => new Normalization(options);
