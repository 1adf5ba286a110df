import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { formatShape, sizeOf } from '../../checks/shape.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import type { Layer, LayerOptions } from '../../layers/base/layer.ts';
import { Merge } from '../../layers/merge.ts';
import { batchMatmul } from '../../ops/products/batch-matmul.ts';
import { expectAxis } from '../../ops/shapes/axis.ts';
import { reshape, transpose } from '../../ops/shapes/layout.ts';
import { unitRows } from './normalizations.ts';

interface DotOptions extends LayerOptions {
  axes: number | readonly number[];
  normalize?: boolean | undefined;
}

type Pair<T> = readonly [T, T];

class Dot extends Merge {
  readonly className = 'Dot';
  readonly #axes: Pair<number>;
  readonly #isNormalized: boolean;

  constructor(options: DotOptions) {
    super('dot', options, { axes: 1, normalize: true });
    const axes = [options.axes].flat() as number[];
    this.#axes = [axes[0]!, axes.at(-1)!];
    this.#isNormalized = options.normalize ?? false;
    if (axes.length > 2 || !this.#axes.every((axis) => Number.isInteger(axis) && axis !== 0))
      throw new ArgumentError(
        `dot: axes expected one or two integers other than 0, the batch, got ${shown(options.axes)}`,
      );
  }

  protected override fit(): boolean {
    return true;
  }

  protected override checkInput(shapes: readonly BatchShape[]): void {
    super.checkInput(shapes);
    const { length } = shapes;
    if (length !== 2) throw new ArgumentError(`${this.describe()}: input expected two tensors, got ${length}`);
    const [m, n] = this.#axesOf(shapes).map((axis, i) => shapes[i]![axis]);
    if (m === n || m === null || n === null) return;
    const got = shapes.map(formatShape).join(' and ');
    throw new ArgumentError(
      `${this.describe()}: input expected equal lengths along axes ${this.#axes.join(' and ')}, got ${got}`,
    );
  }

  #axesOf(shapes: readonly BatchShape[]): Pair<number> {
    const axisOf = (i: 0 | 1): number => {
      const shape = shapes[i]!;
      const axis = expectAxis(`${this.describe()}: axes[${i}] of ${formatShape(shape)}`, this.#axes[i], shape.length);
      if (axis > 0) return axis;
      throw new ArgumentError(
        `${this.describe()}: axes[${i}] expected another than the batch of ${formatShape(shape)}`,
      );
    };
    return [axisOf(0), axisOf(1)];
  }

  override outputShape(shapes: readonly BatchShape[]): BatchShape {
    const rest = this.#axesOf(shapes).flatMap((axis, i) => shapes[i]!.toSpliced(axis, 1).slice(1));
    return [shapes[0]![0] ?? null, ...(rest.length === 0 ? [1] : rest)];
  }

  protected override call(inputs: readonly Tensor[]): Tensor {
    const axes = this.#axesOf(inputs.map(({ shape }) => shape));
    /** x as `[B, rows, n]`, with the axis of the product last. */
    const rowsOf = (i: 0 | 1): Tensor => {
      const [x, axis] = [inputs[i]!, axes[i]];
      const { shape } = x;
      const unit = this.#isNormalized ? unitRows(x, [axis]) : x;
      const last = transpose(unit, [...shape.keys()].toSpliced(axis, 1).concat(axis));
      return reshape(last, [shape[0]!, sizeOf(shape.toSpliced(axis, 1).slice(1)), shape[axis]!]);
    };
    const y = batchMatmul(rowsOf(0), rowsOf(1), { transposeB: true });
    return reshape(y, this.outputShape(inputs.map(({ shape }) => shape)) as number[]);
  }
}

/**
 * Products of rows of two tensors, summed along an axis of each: `[B, …, n, …]` and `[B, …, n, …]` → `[B, …, …]` with
 * the other axes of the first, then those of the second. Axes count with the batch as axis 0. The output has no mask.
 */
export const dotLayer = (options: DotOptions): Layer<Tensor, readonly Tensor[]> => new Dot(options);
