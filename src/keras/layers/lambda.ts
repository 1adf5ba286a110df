import { type Tensor, zeros } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import { leavesOf, type Nested } from '../../data/nested.ts';
import { engine } from '../../engine/engine.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import { type BatchShape, isShape } from '../../layers/base/batch-shape.ts';
import { Layer, type LayerOptions } from '../../layers/base/layer.ts';
import { expectTensors } from '../../layers/base/network.ts';
import { ownObject } from '../config/own-object.ts';

/** The function of a Lambda layer, which the caller gives because a file has it as code of Python. */
export type LambdaFunction = (x: Tensor | readonly Tensor[]) => Tensor;

/** A layer that computes a function without weights. A file holds its name; the function comes from the caller. */
export class Lambda extends Layer<Tensor, Nested<Tensor>> {
  readonly className = 'Lambda';
  readonly #compute: LambdaFunction;

  constructor(options: LayerOptions) {
    super('lambda', options, {});
    const compute = ownObject('Lambda', this.name);
    if (typeof compute !== 'function')
      throw new ArgumentError(
        `layer '${this.name}' is a Lambda, whose code tapeloop does not run: give customObjects: { ${this.name}: (x) => … }`,
      );
    this.#compute = compute as LambdaFunction;
  }

  /** Runs the function on zeros with lengths that vary set to 2 and to 3. A length that differs varies too. */
  override outputShape(inputShape: Nested<BatchShape>): BatchShape {
    const shapes = leavesOf<BatchShape>(inputShape, isShape);
    const [short, long] = [2, 3].map((length) =>
      engine().step(() => {
        const x = shapes.map((shape) => zeros([1, ...shape.slice(1).map((n) => n ?? length)]));
        return this.call(isShape(inputShape) ? x[0]! : x).shape;
      }),
    ) as [Shape, Shape];
    return short.map((n, axis) => (axis === 0 ? (shapes[0]![0] ?? null) : n === long[axis] ? n : null));
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override call(x: Nested<Tensor>): Tensor {
    const y = this.#compute(x as Tensor);
    expectTensors(`${this.describe()}: its function`, y);
    return y;
  }
}
