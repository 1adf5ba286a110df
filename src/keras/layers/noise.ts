// Keras's layers that change their input while training alone: GaussianNoise, GaussianDropout, AlphaDropout.
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, isFloat32, shown } from '../../checks/argument-error.ts';
import type { RandomStream } from '../../engine/random.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../../layers/base/built-in-layer.ts';
import { type CallOptions, isTraining, type Layer, type LayerOptions } from '../../layers/base/layer.ts';
import { ones } from '../../ops/constants.ts';
import { dropout, expectRate } from '../../ops/elementwise/dropout.ts';
import { add, addScalar, mul, scale } from '../../ops/elementwise/elementwise.ts';
import { select } from '../../ops/elementwise/select.ts';

interface NoiseOptions extends LayerOptions {
  rate: number;
  stddev: number;
  noiseShape?: BatchShape | undefined;
}

/** Standard normal numbers, one for each element of x. */
function normalLike({ shape, timeMajor, engine }: Tensor, random: RandomStream): Tensor {
  const noise = empty(shape, { name: 'noise', timeMajor, engine });
  random.fillNormal(noise.dataView() as Float32Array);
  return noise;
}

type Change = (x: Tensor, random: RandomStream) => Tensor;

class Noise extends BuiltInLayer {
  readonly className: string;
  readonly #change: Change;

  constructor(
    names: readonly [className: string, defaultName: string],
    options: LayerOptions,
    own: object,
    how: Change,
  ) {
    super(names[1], options, own);
    this.className = names[0];
    this.#change = how;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  /** A stream does not train, so nothing is changed. */
  override addToStream(): void {}

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override call(x: Tensor, options: CallOptions): Tensor {
    return isTraining(options) ? this.#change(x, this.random) : x;
  }
}

/** y = x + n while training, where n is normal with mean 0 and deviation `stddev`. */
export function gaussianNoiseLayer(options: NoiseOptions): Layer {
  const { stddev } = options;
  if (!(isFloat32(stddev) && stddev >= 0))
    throw new ArgumentError(`gaussian_noise: stddev expected a number ≥ 0, got ${shown(stddev)}`);
  return new Noise(['GaussianNoise', 'gaussian_noise'], options, { stddev: 1 }, (x, random) =>
    add(x, scale(normalLike(x, random), stddev)),
  );
}

/** y = x∘n while training, where n is normal with mean 1 and deviation √(rate/(1 − rate)). */
export function gaussianDropoutLayer(options: NoiseOptions): Layer {
  const rate = expectRate('gaussian_dropout: rate', options.rate);
  const deviation = Math.sqrt(rate / (1 - rate));
  return new Noise(['GaussianDropout', 'gaussian_dropout'], options, { rate: 1 }, (x, random) =>
    mul(x, addScalar(scale(normalLike(x, random), deviation), 1)),
  );
}

/** What `selu` tends to for great negative numbers: −scale·alpha. */
const SATURATED = -1.7580993408473766;

/**
 * y = a·x' + b while training, where x' is x with elements set to the least value of `selu` with probability `rate`; a
 * and b keep mean 0 and variance 1.
 *
 * @see Klambauer et al. 2017
 */
export function alphaDropoutLayer(options: NoiseOptions): Layer {
  const { noiseShape } = options;
  const rate = expectRate('alpha_dropout: rate', options.rate);
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * SATURATED ** 2));
  return new Noise(['AlphaDropout', 'alpha_dropout'], options, { rate: 1, noiseShape: 1 }, (x, random) => {
    const kept = dropout(ones(x.shape), rate, random.nextKey(), { noiseShape });
    return addScalar(scale(select(kept, x, SATURATED), a), -a * SATURATED * rate);
  });
}
