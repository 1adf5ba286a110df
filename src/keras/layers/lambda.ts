import type { Tensor } from '../../autograd/tensor.ts';
import { zeros } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Nested } from '../../data/nested.ts';
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

  override outputShape(inputShape: Nested<BatchShape>): BatchShape {
    const sample = (shape: BatchShape): Tensor => zeros([1, ...shape.slice(1).map((n) => n ?? 2)]);
    const [batch = null] = (isShape(inputShape) ? inputShape : (inputShape as readonly BatchShape[])[0]) ?? [];
    return engine().step(() => {
      const x = isShape(inputShape) ? sample(inputShape) : (inputShape as readonly BatchShape[]).map(sample);
      return [batch, ...this.call(x as Nested<Tensor>).shape.slice(1)];
    });
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
