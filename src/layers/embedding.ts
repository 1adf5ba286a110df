import type { Parameter } from '../autograd/parameter.ts';
import type { DType, Tensor } from '../autograd/tensor.ts';
import { expectCount } from '../checks/argument-error.ts';
import { embed } from '../ops/embedding.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import type { StreamProgram } from '../streaming/program.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { InitializerSpec } from './base/initializers.ts';
import type { CallOptions, Layer, LayerOptions, OwnNames } from './base/layer.ts';
import { maskOf } from './base/mask.ts';
import type { RegularizerSpec } from './base/regularizers.ts';
import type { ConstraintSpec } from './constraints/constraint.ts';

export interface EmbeddingOptions extends LayerOptions {
  /** Size V of the vocabulary: ids are in [0, V). */
  inputDim: number;
  /** Width E of a vector. */
  outputDim: number;
  /** Default `randomUniform` in [−0.05, 0.05]. */
  embeddingsInitializer?: InitializerSpec | undefined;
  embeddingsRegularizer?: RegularizerSpec | undefined;
  embeddingsConstraint?: ConstraintSpec | undefined;
  /** Whether id 0 is padding. The layers after this one then skip its steps. Default false. */
  maskZero?: boolean | undefined;
}

const own: OwnNames<EmbeddingOptions> = {
  inputDim: 1,
  outputDim: 1,
  embeddingsInitializer: 1,
  embeddingsRegularizer: 1,
  embeddingsConstraint: 1,
  maskZero: true,
};

class Embedding extends BuiltInLayer {
  readonly className = 'Embedding';
  readonly #options: EmbeddingOptions;
  #embeddings: Parameter | undefined;

  constructor(options: EmbeddingOptions) {
    // The number of steps may vary, so the layer needs no inputShape to build.
    super('embedding', options, own, [null, null]);
    expectCount('embedding: inputDim', options.inputDim);
    expectCount('embedding: outputDim', options.outputDim);
    this.#options = options;
  }

  override describe(): string {
    return `${this.name}(inputDim=${this.#options.inputDim})`;
  }

  override get inputDtype(): DType {
    return 'i32';
  }

  override get inputLimit(): number {
    return this.#options.inputDim;
  }

  override get makesMask(): boolean {
    return this.#options.maskZero ?? false;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape, this.#options.outputDim];
  }

  override addToStream(program: StreamProgram): void {
    program.embedding(this.#embeddings!);
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override makeWeights(): void {
    const { inputDim, outputDim, embeddingsInitializer = 'randomUniform', embeddingsRegularizer } = this.#options;
    const shape = [inputDim, outputDim];
    this.#embeddings = this.addWeight('embeddings', shape, embeddingsInitializer, embeddingsRegularizer);
  }

  protected override call(input: Tensor, { mask }: CallOptions): Tensor {
    // Recurrent layers read time-major. It is cheaper to reorder ids than their vectors.
    const ids = input.shape.length === 2 ? inOrder(input, true) : input;
    const y = embed(ids, this.#embeddings!);
    if (this.#options.maskZero) y.mask = maskOf(ids, ids.shape.length, (i, values) => values[i] !== 0, mask);
    return y;
  }
}

/**
 * Turns token ids into vectors.
 *
 * y[b, t, :] = embeddings[ids[b, t], :]
 *
 * Input `[B, T]` i32; output `[B, T, E]` f32 with E = `outputDim`; weight `embeddings` `[V, E]` with V = `inputDim`.
 * Ids may have more axes, such as `[B, words, characters]`. With `maskZero` the output carries a mask of the shape of
 * the ids: 0 where the id is 0, else 1.
 *
 * As the first layer of a model it needs no `inputShape`: it reads `[B, T]`, or more axes if the layers after it need
 * them. `inputShape: [null, null]` fixes two axes after the batch.
 *
 * @param options `inputDim` and `outputDim` are required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `inputDim` or `outputDim` is not a positive integer, or the
 *   initializer or the regularizer is unknown; when called, if the input is not an i32 tensor or one of its ids is
 *   outside [0, V).
 * @see keras.layers.Embedding
 *
 * @example
 * const tokens = tensor([[1, 2, 0]], { dtype: 'i32' }); // [1, 3]
 * const vectors = embedding({ inputDim: 10, outputDim: 4, maskZero: true })(tokens);
 * vectors.shape; // [1, 3, 4]
 */
export const embedding = (options: EmbeddingOptions): Layer => new Embedding(options);
