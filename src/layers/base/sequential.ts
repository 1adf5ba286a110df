import type { DType, Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList } from '../../checks/argument-error.ts';
import { formatShape } from '../../checks/shape.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import type { StreamProgram } from '../../streaming/program.ts';
import type { BatchShape } from './batch-shape.ts';
import { fitsShape } from './input-spec.ts';
import { type AnyLayer, type CallOptions, inNetwork, Layer, type LayerLike, layerOf, takesWeights } from './layer.ts';
import { saveLayer } from './saved-layer.ts';

/** A stack of layers as one layer: each reads the output of the layer before it. */
export class Sequential extends Layer {
  readonly className = 'Sequential';
  readonly layers: readonly Layer[];
  declare batchInputShape: BatchShape | undefined;

  constructor(given: readonly LayerLike<Layer>[], name?: string) {
    expectList('sequential: layers', given);
    const layers = given.map((layer, i) => layerOf(`sequential: layers[${i}]`, layer));
    const first = layers[0];
    if (!first) throw new ArgumentError('sequential: layers expected one layer or more, got none');
    super('sequential', { name, batchInputShape: first.batchInputShape });
    this.layers = layers;
    this.setScope();
    if (this.batchInputShape && !takesWeights()) this.#buildFirst(first, this.batchInputShape);
  }

  /**
   * Builds the stack for the input shape of the first layer. If the caller gave no shape, as for ids, axes are added to
   * the assumed shape until the layers after it fit.
   */
  #buildFirst(first: { batchInputShape?: BatchShape | undefined; assumesShape: boolean }, assumed: BatchShape): void {
    let failure: unknown;
    for (let shape = assumed; ; shape = [...shape, null]) {
      this.batchInputShape = first.batchInputShape = shape;
      try {
        this.build(shape);
        return;
      } catch (error) {
        failure ??= error;
        if (first.assumesShape && shape.length < 4) continue;
        first.batchInputShape = assumed;
        throw failure;
      }
    }
  }

  override get inputDtype(): DType {
    return this.layers[0]!.inputDtype;
  }

  override get outputActivation(): string | undefined {
    return this.layers.at(-1)!.outputActivation;
  }

  override get inputLimit(): number | undefined {
    return this.layers[0]!.inputLimit;
  }

  override get sublayers(): readonly AnyLayer[] {
    return this.layers;
  }

  override get stack(): readonly AnyLayer[] {
    return this.layers.flatMap((layer) => layer.stack);
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return this.layers.reduce((shape, layer) => layer.outputShape(shape), inputShape);
  }

  override sublayerShapes(): (BatchShape | undefined)[] {
    const built = this.builtShape;
    let shape = this.batchInputShape ?? (built && [null, ...built.slice(1)]);
    return this.layers.map((layer) => (shape = shape && layer.outputShape(shape)));
  }

  override config(): LayerConfig {
    return { name: this.name, layers: this.layers.map(saveLayer) };
  }

  override addToStream(program: StreamProgram): void {
    for (const layer of this.layers) layer.addToStream(program);
  }

  /** The last layer sets the mask of the output. */
  protected override get passesMask(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    const expected = this.batchInputShape;
    if (expected && !fitsShape(expected, inputShape)) {
      throw new ArgumentError(
        `${this.name}: input expected ${formatShape(expected)}, got ${formatShape(inputShape)} for its first layer '${this.layers[0]!.name}'`,
      );
    }
  }

  /** If the stack is built, its first layer checks that the shape fits. */
  override build(inputShape: BatchShape): void {
    super.build(inputShape);
    this.layers[0]!.build(inputShape);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    inNetwork(this, () => this.#buildLayers(inputShape));
  }

  #buildLayers(inputShape: BatchShape): void {
    let shape = inputShape;
    let before: Layer | undefined;
    for (const layer of this.layers) {
      try {
        layer.build(shape);
      } catch (error) {
        if (!(error instanceof ArgumentError) || !before) throw error;
        throw new ArgumentError(`${error.message} from layer '${before.name}'`);
      }
      shape = layer.outputShape(shape);
      before = layer;
    }
  }

  protected override call(x: Tensor, { training, mask }: CallOptions): Tensor {
    return inNetwork(this, () => this.#callLayers(x, training, mask));
  }

  #callLayers(x: Tensor, training: CallOptions['training'], mask: CallOptions['mask']): Tensor {
    return this.layers.reduce((value, layer, i) => {
      const y = layer(value, { training, mask: i === 0 ? mask : undefined });
      if (Array.isArray(y)) {
        throw new ArgumentError(
          `${this.name}: layer '${layer.name}' returns its states too; a sequential model passes on one tensor`,
        );
      }
      return y;
    }, x);
  }
}
