import { ArgumentError, type DType, formatShape, type Tensor } from '../autograd/tensor.ts';
import { type BatchShape, Layer, type LayerConfig } from './layer.ts';
import { layerFromConfig } from './registry.ts';

/** A stack of layers as one layer: each takes what the one before it gives. */
export class Sequential extends Layer {
  readonly className = 'Sequential';
  readonly layers: readonly Layer[];

  constructor(layers: readonly Layer[], name?: string) {
    const first = layers[0];
    if (!first) throw new ArgumentError('sequential: layers expected one layer or more, got none');
    super('sequential', { name, batchInputShape: first.batchInputShape });
    this.layers = layers;
    numberNames(layers);
    if (this.batchInputShape) this.build(this.batchInputShape);
  }

  override get inputDtype(): DType {
    return this.layers[0]!.inputDtype;
  }

  override get inputLimit(): number | undefined {
    return this.layers[0]!.inputLimit;
  }

  override snapshot(): () => void {
    const restores = this.layers.map((layer) => layer.snapshot());
    return () => {
      for (const restore of restores) restore();
    };
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return this.layers.reduce((shape, layer) => layer.outputShape(shape), inputShape);
  }

  override config(): LayerConfig {
    return {
      name: this.name,
      layers: this.layers.map((layer) => ({ className: layer.className, config: layer.config() })),
    };
  }

  protected override checkInput(inputShape: BatchShape): void {
    const expected = this.batchInputShape;
    const fits = expected?.every((n, i) => n === null || inputShape[i] == null || n === inputShape[i]) ?? true;
    if (expected && (!fits || expected.length !== inputShape.length)) {
      throw new ArgumentError(
        `${this.name}: input expected ${formatShape(expected)}, got ${formatShape(inputShape)} for its first layer '${this.layers[0]!.name}'`,
      );
    }
  }

  protected override makeWeights(inputShape: BatchShape): void {
    let shape = inputShape;
    let before: Layer | undefined;
    const made: Layer[] = [];
    for (const layer of this.layers) {
      try {
        if (!layer.isBuilt) made.push(layer);
        layer.build(shape);
      } catch (error) {
        for (const each of made) each.unbuild();
        if (!(error instanceof ArgumentError) || !before) throw error;
        throw new ArgumentError(`${error.message} from layer '${before.name}'`);
      }
      shape = layer.outputShape(shape);
      this.weights.push(...layer.weights);
      before = layer;
    }
  }

  override unbuild(): void {
    this.weights.length = 0;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override call(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => {
      const y = layer(value);
      if (Array.isArray(y)) {
        throw new ArgumentError(
          `${this.name}: layer '${layer.name}' returns its states too; a sequential model passes on one tensor`,
        );
      }
      return y;
    }, x);
  }

  override get trainable(): boolean {
    return super.trainable;
  }

  override set trainable(value: boolean) {
    super.trainable = value;
    for (const layer of this.layers) layer.trainable = value;
  }

  override dispose(): void {
    for (const layer of this.layers) layer.dispose();
  }
}

/** Gives layers of one kind the names lstm, lstm_1, …, and refuses a name that two have for good. */
function numberNames(layers: readonly Layer[]): void {
  const seen = new Set<Layer>();
  for (const layer of layers) {
    if (seen.has(layer)) throw new ArgumentError(`sequential: layer '${layer.name}' is listed twice`);
    seen.add(layer);
  }
  const taken = new Set<string>();
  // A layer that has weights has named them.
  const isFixed = (layer: Layer): boolean => layer.isNamed || layer.isBuilt;
  for (const layer of layers.filter(isFixed)) {
    if (taken.has(layer.name)) throw new ArgumentError(`sequential: two layers are named '${layer.name}'`);
    taken.add(layer.name);
  }
  const lastOfKind = new Map<string, number>();
  for (const layer of layers.filter((each) => !isFixed(each))) {
    const kind = layer.name;
    let n = lastOfKind.get(kind) ?? 0;
    let name = n === 0 ? kind : `${kind}_${n}`;
    while (taken.has(name)) name = `${kind}_${++n}`;
    lastOfKind.set(kind, n);
    taken.add(name);
    layer.name = name;
  }
}

/** A stack from what `config` gave. */
export function sequentialFromConfig(config: LayerConfig): Sequential {
  const layers = config.layers as readonly { className: string; config: LayerConfig }[];
  return new Sequential(
    layers.map(({ className, config: options }) => layerFromConfig(className, options)),
    config.name as string,
  );
}
