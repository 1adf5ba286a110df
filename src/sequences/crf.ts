import type { Parameter } from '../autograd/parameter.ts';
import { record } from '../autograd/tape.ts';
import { empty, type Tensor, tensor, zeros } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import type { Shape } from '../checks/shape.ts';
import type { LayerConfig } from '../io/model-file.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { CallOptions, Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import type { RegularizerSpec } from '../layers/base/regularizers.ts';
import { bestPaths, type ChainScores, type Chains, chainsOf, marginals } from '../ops/chain.ts';
import { add } from '../ops/elementwise/elementwise.ts';
import { type AllowedTags, checkAllowed } from './allowed-tags.ts';

export interface CrfLayerOptions extends LayerOptions {
  /** Whether the first and the last tag have scores of their own. Default true. */
  useBoundary?: boolean | undefined;
  /** Which tags may follow each other, begin and end, as `allowedTags` makes it. Default: all. */
  allowed?: AllowedTags | undefined;
  /** What the layer returns: one-hot tags of the best path, or the probability of each tag. Default `viterbi`. */
  testMode?: 'viterbi' | 'marginal' | undefined;
  /** Default `orthogonal`. */
  chainInitializer?: InitializerSpec | undefined;
  /** Default `zeros`. */
  boundaryInitializer?: InitializerSpec | undefined;
  chainRegularizer?: RegularizerSpec | undefined;
  boundaryRegularizer?: RegularizerSpec | undefined;
}

const own: OwnNames<CrfLayerOptions> = {
  useBoundary: true,
  allowed: 1,
  testMode: 1,
  chainInitializer: 1,
  boundaryInitializer: 1,
  chainRegularizer: 1,
  boundaryRegularizer: 1,
};

/** From what a layer decoded its output. `crfLoss` needs it. */
export interface Decoded {
  readonly emissions: Tensor;
  readonly scores: ChainScores;
  readonly allowed: AllowedTags | undefined;
}

const decoded = new WeakMap<Tensor, Decoded>();

/** From what `y` was decoded; undefined if it is not the output of a `crf` layer. */
export const decodedFrom = (y: Tensor): Decoded | undefined => decoded.get(y);

/** A `crf` layer. */
export interface Crf extends Layer {
  /** What the layer returns. Setting it takes effect at the next call. */
  testMode: 'viterbi' | 'marginal';
}

class CrfLayer extends BuiltInLayer implements Crf {
  readonly className = 'CRF';
  readonly #options: CrfLayerOptions;
  #testMode: 'viterbi' | 'marginal' = 'viterbi';
  #chain: Parameter | undefined;
  #left: Parameter | undefined;
  #right: Parameter | undefined;

  constructor(options: CrfLayerOptions) {
    super('crf', options, own);
    this.#options = options;
    this.testMode = options.testMode ?? 'viterbi';
    if (options.allowed !== undefined) checkAllowed(this.name, options.allowed);
  }

  get testMode(): 'viterbi' | 'marginal' {
    return this.#testMode;
  }

  set testMode(value: 'viterbi' | 'marginal') {
    expectChoice(this.name, 'testMode', value, ['viterbi', 'marginal']);
    this.#testMode = value;
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), testMode: this.#testMode };
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.expectSequence(inputShape);
    const tags = this.inputWidth(inputShape);
    if (this.#options.allowed) checkAllowed(this.name, this.#options.allowed, tags);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { useBoundary = true, chainInitializer = 'orthogonal', boundaryInitializer = 'zeros' } = this.#options;
    const { chainRegularizer, boundaryRegularizer } = this.#options;
    const tags = this.inputWidth(inputShape);
    this.#chain = this.addWeight('chain_kernel', [tags, tags], chainInitializer, chainRegularizer);
    if (!useBoundary) return;
    this.#left = this.addWeight('left_boundary', [tags], boundaryInitializer, boundaryRegularizer);
    this.#right = this.addWeight('right_boundary', [tags], boundaryInitializer, boundaryRegularizer);
  }

  protected override call(x: Tensor, { mask }: CallOptions): Tensor {
    const scores = this.#scores(x);
    const chains = chainsOf(this.name, x, scores, { mask });
    const y = this.#testMode === 'viterbi' ? bestTags(chains) : probabilities(chains);
    record([x], [y], () => {
      throw new ArgumentError(`${this.describe()}: its output has no gradient; compile the model with crfLoss()`);
    });
    decoded.set(y, { emissions: x, scores, allowed: this.#options.allowed });
    return y;
  }

  /** The weights, with −∞ for what is not allowed. */
  #scores(x: Tensor): ChainScores {
    const { allowed } = this.#options;
    const tags = x.shape[2]!;
    const limited = (shape: Shape, weight?: Parameter, flags?: readonly number[]): Tensor | undefined => {
      if (!flags || flags.every((flag) => flag === 1)) return weight?.tensor;
      const limits = Float32Array.from(flags, (flag) => (flag ? 0 : Number.NEGATIVE_INFINITY));
      const limit = tensor(limits, { shape, name: 'allowed', engine: x.engine });
      return weight ? add(weight, limit) : limit;
    };
    return {
      transitions: limited([tags, tags], this.#chain, allowed?.transitions.flat())!,
      start: limited([tags], this.#left, allowed?.start),
      end: limited([tags], this.#right, allowed?.end),
    };
  }
}

/** 1 at the tag of each step, and zeros at steps that do not count. */
function bestTags(chains: Chains): Tensor {
  const { engine, emissions, tags, time, steps } = chains;
  const { paths } = bestPaths(chains);
  const y = zeros(emissions.shape, { name: 'crf', engine });
  const to = engine.f32(y.ptr, y.size);
  paths.forEach((path, i) => {
    path.forEach((tag, k) => {
      to[(i * time + steps[i]![k]!) * tags + tag] = 1;
    });
  });
  return y;
}

function probabilities(chains: Chains): Tensor {
  const { engine, emissions } = chains;
  const y = empty(emissions.shape, { name: 'crf', timeMajor: emissions.timeMajor, engine });
  marginals(chains, y.ptr);
  return y;
}

/**
 * A linear-chain conditional random field, the last layer of a tagger.
 *
 * P(y | x) = exp(left[y₁] + Σₜ x[t, yₜ] + Σₜ chain[yₜ₋₁, yₜ] + right[y_N]) / Z
 *
 * Input: scores x `[B, T, K]` f32 of K tags, such as those of `dense({ units: K })` without activation. Output `[B, T,
 * K]` f32: the best path, one-hot, by Viterbi's algorithm; with `testMode: 'marginal'` P(yₜ = j). So `accuracy` and the
 * like measure decoded tags, and `argmax` gives ids. Masked steps are no part of the chain, and their output is 0. The
 * output has no gradient: `crfLoss` trains the weights and what is below. Weights: chain_kernel `[K, K]` from row to
 * column; left_boundary and right_boundary `[K]`.
 *
 * With `allowed`, other transitions are impossible: in decoding, in the probabilities and in the loss.
 *
 * @param options all optional.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends; outside
 *   a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option, an initializer or a regularizer is unknown, or `allowed` is not 0 or 1 for each
 *   pair of tags; when called, if the input is not `[B, T, K]` f32 or `allowed` is for another K; when a model trains
 *   on another loss than `crfLoss`. A stream cannot run it: the best tag of a step depends on later steps.
 * @see tfa.layers.CRF, which has the dense layer inside; keras_contrib.layers.CRF
 *
 * @example
 * const names = ['O', 'B-city', 'I-city'];
 * const tagger = sequential([
 *   bidirectional(lstm({ units: 4, returnSequences: true }), { inputShape: [null, 2] }),
 *   dense({ units: names.length }),
 *   crf({ allowed: allowedTags(names) }),
 * ]);
 * tagger.compile({ optimizer: 'adam', loss: crfLoss(), metrics: ['accuracy'] });
 */
export const crf = (options: CrfLayerOptions = {}): Crf => new CrfLayer(options);
