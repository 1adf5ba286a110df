// Mixtures of Gaussians as outputs: the layer that gives their parameters, the loss, and samples.
import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { formatShape, type Shape } from '../checks/shape.ts';
import { type DataLike, NdArray, toNdArray } from '../data/array.ts';
import { exp2 } from '../engine/float64.ts';
import { nextStream, type RandomStream } from '../engine/random.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import { type Loss, type LossOptions, rowLoss } from '../losses/loss.ts';
import { softplus } from '../ops/elementwise/activations.ts';
import { add, addScalar, exp, log, mul, neg, scale, square, sub, tanh } from '../ops/elementwise/elementwise.ts';
import { linear } from '../ops/products/linear.ts';
import { logSumExp, sum } from '../ops/reduce.ts';
import { expandDims, reshape } from '../ops/shapes/layout.ts';
import { slice, split } from '../ops/shapes/slices.ts';
import { logSoftmaxRows } from '../ops/softmax.ts';

/** A mixture of Gaussians. Layer, loss and sampler of a model have the same. */
export interface MixtureOptions {
  /** Number K of Gaussians. */
  components: number;
  /** Number D of dimensions. Default 1. */
  dims?: number | undefined;
  /** Whether the two dimensions of each Gaussian are correlated; `dims` is 2 then. Default false. */
  correlated?: boolean | undefined;
  /**
   * Whether targets have one more number, 1 or 0, such as the end of a stroke, and the output its logit. Default false.
   */
  endOfStroke?: boolean | undefined;
}

export interface MixtureDensityOptions extends LayerOptions, MixtureOptions {
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec | undefined;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec | undefined;
}

export interface MixtureDensityLossOptions extends LossOptions, MixtureOptions {
  /** Added to every σ, so that no Gaussian shrinks to a point. Default 0. */
  minScale?: number | undefined;
}

export interface SampleMixtureOptions extends MixtureOptions {
  /**
   * τ > 0: logits of the components are divided by τ, and σ is multiplied by √τ. Below 1, samples are surer. As the
   * bias of Graves, it does not change the ends of strokes. Default 1.
   */
  temperature?: number | undefined;
  /** As in the loss. Default 0. */
  minScale?: number | undefined;
  /** Random numbers. Default: a new stream from the one that `setSeed` set. */
  random?: RandomStream | undefined;
}

const mixtureNames: Names<MixtureOptions> = { components: 1, dims: 1, correlated: true, endOfStroke: true };

/** The sizes of a mixture. Throws `ArgumentError` if they do not go together. */
function sizesOf(what: string, { components, dims = 1, correlated = false, endOfStroke = false }: MixtureOptions) {
  expectCount(`${what}: components`, components);
  expectCount(`${what}: dims`, dims);
  if (correlated && dims !== 2) throw new ArgumentError(`${what}: dims expected 2 with correlated, got ${dims}`);
  const parts = [components, components * dims, components * dims];
  if (correlated) parts.push(components);
  if (endOfStroke) parts.push(1);
  return { components, dims, correlated, endOfStroke, parts, width: parts.reduce((total, n) => total + n, 0) };
}

const own: OwnNames<MixtureDensityOptions> = { ...mixtureNames, kernelInitializer: 1, biasInitializer: 1 };

class MixtureDensity extends BuiltInLayer {
  readonly className = 'MixtureDensity';
  readonly #options: MixtureDensityOptions;
  readonly #width: number;
  #kernel: Parameter | undefined;
  #bias: Parameter | undefined;

  constructor(options: MixtureDensityOptions) {
    super('mixture_density', options, own);
    this.#options = options;
    this.#width = sizesOf('mixtureDensity', options).width;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.#width];
  }

  override addToStream(...[program]: Parameters<Layer['addToStream']>): void {
    program.dense({ kernel: this.#kernel!, bias: this.#bias });
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = this.#options;
    this.#kernel = this.addWeight('kernel', [this.inputWidth(inputShape), this.#width], kernelInitializer);
    this.#bias = this.addWeight('bias', [this.#width], biasInitializer);
  }

  protected override call(x: Tensor): Tensor {
    return linear(x, this.#kernel!, this.#bias);
  }
}

/**
 * The parameters of a mixture of Gaussians, from a fully connected layer over the last axis.
 *
 * [π̂, μ, σ̂, ρ̂, ê] = x·kernel + bias; π = softmax(π̂), σ = exp(σ̂), ρ = tanh(ρ̂), e = sigmoid(ê)
 *
 * Input `[B, …, I]` f32; output `[B, …, P]`: π̂ `[K]`, μ `[K, D]`, σ̂ `[K, D]`, with `correlated` ρ̂ `[K]`, with
 * `endOfStroke` ê `[1]`, one after the other. Weights: kernel `[I, P]`, bias `[P]`. The loss and the sampler read this
 * output. It runs step by step.
 *
 * @param options `components` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer, or `correlated` is given for other
 *   than two dimensions; when called, as `dense`.
 * @see Bishop 1994; Graves 2013, "Generating sequences with recurrent neural networks"
 *
 * @example
 * mixtureDensity({ components: 5, dims: 2, correlated: true, endOfStroke: true })(tensor([[1, 2]])).shape; // [1, 31]
 */
export const mixtureDensity = (options: MixtureDensityOptions): Layer => new MixtureDensity(options);

/** ln 2π. */
const LOG_2PI = 1.8378770664093453;

// In float64, with the same bits on every host.
const exponential = (x: number): number => exp2(x * Math.LOG2E);
const sigmoidOf = (x: number): number => 1 / (1 + exponential(-x));

/**
 * The negative log-likelihood of targets under the mixture that `mixtureDensity` gives.
 *
 * ℓ = −ln Σ_k π_k·N(y; μ_k, Σ_k), and with `endOfStroke` −ln e for a 1 and −ln(1 − e) for a 0, in nats
 *
 * Targets `[B, …, D]`, with `endOfStroke` `[B, …, D + 1]`; predictions `[B, …, P]` as the layer orders them.
 *
 * @param given the sizes of the layer, `minScale`, and `reduction`: how row losses become one number
 *   (`sumOverBatchSize`, the default, divides their sum by the number of rows, `sum` does not divide it,
 *   `meanWithSampleWeight` divides it by the sum of the weights).
 * @returns the loss, for `compile`.
 * @throws ArgumentError if an option is unknown or out of range; when the loss gets a batch, if targets or predictions
 *   have another shape.
 * @see Bishop 1994; Graves 2013, equations 17 to 26
 *
 * @example
 * const mixture = { components: 3 };
 * const model = sequential([lstm({ units: 8, inputShape: [null, 1] }), mixtureDensity(mixture)]);
 * model.compile({ optimizer: 'adam', loss: mixtureDensityLoss(mixture) });
 */
export function mixtureDensityLoss(given: MixtureDensityLossOptions): Loss {
  const names = { ...mixtureNames, minScale: 1, reduction: 1 };
  const { reduction, minScale = 0, ...options } = checkOptions('mixtureDensityLoss', given, names);
  const { components, dims, correlated, endOfStroke, parts, width } = sizesOf('mixtureDensityLoss', options);
  expectNumber('mixtureDensityLoss: minScale', minScale, '≥ 0');
  const expectWidth = (predictions: Shape): void => {
    if (predictions.at(-1) === width) return;
    throw new ArgumentError(
      `mixtureDensityLoss: predictions expected ${width} features, as mixtureDensity gives, got ${formatShape(predictions)}`,
    );
  };
  const targetWidth = dims + Number(endOfStroke);
  return rowLoss(
    {
      name: 'mixtureDensityLoss',
      targetShape: (predictions) => [...predictions.slice(0, -1), targetWidth],
      values(y, p) {
        expectWidth(p.shape);
        const rows = p.shape.slice(0, -1);
        const [logits, means, scales, ...rest] = split(p, parts) as [Tensor, Tensor, Tensor, ...Tensor[]];
        const each = (x: Tensor): Tensor => reshape(x, [...rows, components, dims]);
        const point = expandDims(slice(y, { axis: -1, from: 0, to: dims }), -2);
        const logScale = minScale > 0 ? log(addScalar(exp(each(scales)), minScale)) : each(scales);
        const z = mul(sub(point, each(means)), exp(neg(logScale)));
        const constant = -0.5 * dims * LOG_2PI;
        let density: Tensor;
        if (correlated) {
          const raw = rest[0]!;
          const [z1, z2] = split(z, 2).map((part) => reshape(part, [...rows, components])) as [Tensor, Tensor];
          // ln(1 − ρ²) = 2·(ρ̂ + ln 2 − softplus(2ρ̂)) for ρ = tanh(ρ̂).
          const logRest = scale(addScalar(sub(raw, softplus(scale(raw, 2))), Math.LN2), 2);
          const distance = sub(add(square(z1), square(z2)), scale(mul(tanh(raw), mul(z1, z2)), 2));
          const quadratic = scale(mul(distance, exp(neg(logRest))), -0.5);
          density = sub(sub(quadratic, scale(logRest, 0.5)), sum(logScale, { axis: -1 }));
        } else {
          density = sub(scale(sum(square(z), { axis: -1 }), -0.5), sum(logScale, { axis: -1 }));
        }
        const likelihood = logSumExp(add(logSoftmaxRows(logits), addScalar(density, constant)), { axis: -1 });
        if (!endOfStroke) return neg(likelihood);
        const end = rest.at(-1)!;
        const bit = slice(y, { axis: -1, from: dims });
        return sub(reshape(sub(softplus(end), mul(bit, end)), rows), likelihood);
      },
      checkTargets: (_, predictions) => expectWidth(predictions),
      config: { components, dims, correlated, endOfStroke, minScale },
    },
    reduction === undefined ? {} : { reduction },
  );
}

/**
 * Samples of the mixtures that `mixtureDensity` gives.
 *
 * k ~ softmax(π̂/τ), y ~ N(μ_k, τ·Σ_k), and with `endOfStroke` a 1 with probability sigmoid(ê)
 *
 * @param parameters `[…, P]`: predictions of a model, or the output of a step of a stream, `[P]`.
 * @param options the sizes of the layer, temperature τ and random numbers.
 * @returns `[…, D]` f32, with `endOfStroke` `[…, D + 1]`, owned by the caller.
 * @throws ArgumentError if an option is unknown or out of range, or the last axis is not P.
 * @see Graves 2013; Ha and Eck 2017 (temperature)
 *
 * @example
 * const mixture = { components: 1, dims: 2 };
 * sampleMixture([0, 5, 6, -9, -9], mixture).data; // close to 5 and 6
 */
export function sampleMixture(parameters: DataLike, options: SampleMixtureOptions): NdArray<Float32Array> {
  const names = { ...mixtureNames, temperature: 1, minScale: 1, random: 1 };
  const {
    temperature = 1,
    minScale = 0,
    random = nextStream(),
    ...mixture
  } = checkOptions('sampleMixture', options, names);
  const { components, dims, correlated, endOfStroke, width } = sizesOf('sampleMixture', mixture);
  expectNumber('sampleMixture: temperature', temperature, '> 0');
  expectNumber('sampleMixture: minScale', minScale, '≥ 0');
  const { data, shape } = toNdArray(parameters, 'f32', 'sampleMixture: parameters');
  if (shape.at(-1) !== width) {
    throw new ArgumentError(
      `sampleMixture: parameters expected ${width} features, as mixtureDensity gives, got ${formatShape(shape)}`,
    );
  }
  const out = dims + Number(endOfStroke);
  const samples = new Float32Array((data.length / width) * out);
  for (let row = 0; row * width < data.length; row++) {
    const p = Array.from({ length: width }, (_, i) => data[row * width + i]!);
    const k = drawn(p.slice(0, components), temperature, random);
    const mean = components + k * dims;
    const noise = Array.from({ length: dims }, () => random.nextNormal());
    if (correlated) {
      const rho = 2 * sigmoidOf(2 * p[components * (1 + 2 * dims) + k]!) - 1;
      noise[1] = rho * noise[0]! + Math.sqrt(1 - rho * rho) * noise[1]!;
    }
    for (let d = 0; d < dims; d++) {
      const sigma = exponential(p[mean + components * dims + d]!) + minScale;
      samples[row * out + d] = p[mean + d]! + Math.sqrt(temperature) * sigma * noise[d]!;
    }
    if (endOfStroke) {
      const end = sigmoidOf(p[width - 1]!);
      samples[row * out + dims] = Number(random.nextUniform() < end);
    }
  }
  return new NdArray(samples, [...shape.slice(0, -1), out]);
}

/** The index of a component, drawn by the softmax of logits divided by the temperature. */
function drawn(logits: readonly number[], temperature: number, random: RandomStream): number {
  const greatest = Math.max(...logits);
  const weights = logits.map((logit) => exponential((logit - greatest) / temperature));
  let rest = random.nextUniform() * weights.reduce((total, weight) => total + weight, 0);
  const at = weights.findIndex((weight) => (rest -= weight) < 0);
  return at < 0 ? weights.length - 1 : at;
}
