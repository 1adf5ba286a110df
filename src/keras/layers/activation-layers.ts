// Keras's layers that are an activation with numbers of its own: ELU, LeakyReLU, ReLU, Softmax.
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, isFloat32, shown } from '../../checks/argument-error.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions } from '../../layers/base/layer.ts';
import { elu, leakyRelu } from '../../ops/elementwise/activations.ts';
import { clip, relu } from '../../ops/elementwise/elementwise.ts';
import { softmaxRows } from '../../ops/softmax.ts';

interface ActivationLayerOptions extends LayerOptions {
  alpha?: number | undefined;
  negativeSlope?: number | undefined;
  maxValue?: number | undefined;
}

interface Kind {
  readonly className: string;
  readonly defaultName: string;
  readonly own: object;
  /** Name of the activation, if it is one of the usual. */
  readonly activation?: string | undefined;
}

class ActivationLayer extends BuiltInLayer {
  readonly className: string;
  readonly #kind: Kind;
  readonly #activate: (x: Tensor) => Tensor;

  constructor(kind: Kind, options: ActivationLayerOptions, activate: (x: Tensor) => Tensor) {
    super(kind.defaultName, options, kind.own);
    for (const option of Object.keys(kind.own) as (keyof ActivationLayerOptions)[]) {
      const value = options[option];
      if (value === undefined || isFloat32(value)) continue;
      throw new ArgumentError(`${kind.defaultName}: ${option} expected a number, got ${shown(value)}`);
    }
    this.className = kind.className;
    this.#kind = kind;
    this.#activate = activate;
  }

  override get outputActivation(): string | undefined {
    return this.#kind.activation;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override call(x: Tensor): Tensor {
    return this.#activate(x);
  }
}

const layer = (kind: Kind, options: ActivationLayerOptions, activate: (x: Tensor) => Tensor): Layer =>
  new ActivationLayer(kind, options, activate);

/** y = x where x > 0, else alpha·(eˣ − 1). */
export const eluLayer = (options: ActivationLayerOptions): Layer =>
  layer({ className: 'ELU', defaultName: 'elu', own: { alpha: 1 } }, options, (x) => elu(x, options.alpha ?? 1));

/** y = x where x > 0, else negativeSlope·x. */
export const leakyReluLayer = (options: ActivationLayerOptions): Layer =>
  layer({ className: 'LeakyReLU', defaultName: 'leaky_re_lu', own: { negativeSlope: 1 } }, options, (x) =>
    leakyRelu(x, options.negativeSlope ?? 0.3),
  );

/** y = min(x, maxValue) where x > 0, else negativeSlope·x. */
export const reluLayer = (options: ActivationLayerOptions): Layer => {
  const { negativeSlope = 0, maxValue } = options;
  const own = { negativeSlope: 1, maxValue: 1 };
  const least = -3.4028234663852886e38;
  return layer({ className: 'ReLU', defaultName: 're_lu', own }, options, (x) => {
    const y = negativeSlope === 0 ? relu(x) : leakyRelu(x, negativeSlope);
    return maxValue === undefined ? y : clip(y, least, maxValue);
  });
};

/** Softmax of the last axis. */
export const softmaxLayer = (options: LayerOptions): Layer =>
  layer({ className: 'Softmax', defaultName: 'softmax', own: {}, activation: 'softmax' }, options, softmaxRows);
