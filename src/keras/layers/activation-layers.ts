// Keras's layers that are an activation with numbers of its own: ELU, LeakyReLU, ReLU, Softmax.
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, isFloat32, shown } from '../../checks/argument-error.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions } from '../../layers/base/layer.ts';
import { elu, leakyRelu } from '../../ops/elementwise/activations.ts';
import { greater } from '../../ops/elementwise/compare.ts';
import { addScalar, clip, relu, scale } from '../../ops/elementwise/elementwise.ts';
import { select } from '../../ops/elementwise/select.ts';
import { softmax } from '../../ops/softmax-axis.ts';
import type { StreamProgram } from '../../streaming/program.ts';

interface ActivationLayerOptions extends LayerOptions {
  alpha?: number | undefined;
  negativeSlope?: number | undefined;
  maxValue?: number | undefined;
  threshold?: number | undefined;
  axis?: number | undefined;
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

/** y = min(x, maxValue) where x > threshold, else negativeSlope·(x − threshold). */
export const reluLayer = (options: ActivationLayerOptions): Layer => {
  const { negativeSlope = 0, maxValue, threshold = 0 } = options;
  if (threshold < 0) throw new ArgumentError(`re_lu: threshold expected a number ≥ 0, got ${shown(threshold)}`);
  const own = { negativeSlope: 1, maxValue: 1, threshold: 1 };
  const least = -3.4028234663852886e38;
  return layer({ className: 'ReLU', defaultName: 're_lu', own }, options, (x) => {
    const y = threshold === 0 ? rectified(x, negativeSlope) : above(x, threshold, negativeSlope);
    return maxValue === undefined ? y : clip(y, least, maxValue);
  });
};

const rectified = (x: Tensor, slope: number): Tensor => (slope === 0 ? relu(x) : leakyRelu(x, slope));

/** x where x > threshold, else slope·(x − threshold). */
const above = (x: Tensor, threshold: number, slope: number): Tensor =>
  select(greater(x, threshold), x, scale(addScalar(x, -threshold), slope));

class SoftmaxLayer extends ActivationLayer {
  readonly #axis: number;

  constructor(options: ActivationLayerOptions) {
    const { axis = -1 } = options;
    super({ className: 'Softmax', defaultName: 'softmax', own: { axis: 1 } }, options, (x) => softmax(x, { axis }));
    this.#axis = axis;
  }

  get #isLast(): boolean {
    const rank = (this.builtShape as BatchShape | undefined)?.length;
    return this.#axis === -1 || this.#axis + 1 === rank;
  }

  override get outputActivation(): string | undefined {
    return this.#isLast ? 'softmax' : undefined;
  }

  override config(): LayerConfig {
    return this.#isLast ? { ...super.config(), axis: undefined } : super.config();
  }

  override addToStream(program: StreamProgram): void {
    if (this.#axis === -1 || this.#axis === 2) program.activation('softmax');
    else super.addToStream(program);
  }
}

/** Softmax along an axis, the last by default. */
export const softmaxLayer = (options: ActivationLayerOptions): Layer => new SoftmaxLayer(options);
