import type { Parameter } from '../autograd/parameter.ts';
import type { DType, Tensor } from '../autograd/tensor.ts';
import { embed } from '../ops/embedding.ts';
import { inOrder } from '../ops/layout.ts';
import type { StreamProgram } from '../ops/stream-program.ts';
import type { InitializerSpec } from './initializers.ts';
import { type BatchShape, expectCount, Layer, type LayerConfig, type LayerOptions } from './layer.ts';

export interface EmbeddingOptions extends LayerOptions {
  /** Size of the vocabulary V: ids are in [0, V). */
  inputDim: number;
  /** Width of a vector E. */
  outputDim: number;
  /** Default `randomUniform`, in [−0.05, 0.05]. */
  embeddingsInitializer?: InitializerSpec;
}

class Embedding extends Layer {
  readonly className = 'Embedding';
  readonly #options: EmbeddingOptions;
  #embeddings: Parameter | undefined;

  constructor(options: EmbeddingOptions) {
    // Ids of any number of steps: no inputShape is needed to build.
    const ownShape = options.inputShape || options.batchInputShape ? {} : { batchInputShape: [null, null] };
    super('embedding', { ...options, ...ownShape });
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

  override outputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape, this.#options.outputDim];
  }

  override config(): LayerConfig {
    const { inputDim, outputDim, embeddingsInitializer } = this.#options;
    return { ...this.baseConfig(), inputDim, outputDim, embeddingsInitializer };
  }

  override addToStream(program: StreamProgram): void {
    program.embedding(this.#embeddings!);
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override makeWeights(): void {
    const { inputDim, outputDim, embeddingsInitializer = 'randomUniform' } = this.#options;
    this.#embeddings = this.addWeight('embeddings', [inputDim, outputDim], embeddingsInitializer);
  }

  protected override call(ids: Tensor): Tensor {
    // Recurrent layers read time-major: exchanging ids is cheaper than exchanging their vectors.
    return embed(ids.shape.length === 2 ? inOrder(ids, true) : ids, this.#embeddings!);
  }
}

/**
 * Token ids to vectors: y[b, t, :] = embeddings[ids[b, t], :].
 *
 * Input `[B, T]` i32, output `[B, T, outputDim]`; embeddings `[inputDim, outputDim]`.
 *
 * @throws ArgumentError if a size is no positive integer; when called, if an id is outside [0, inputDim).
 * @see keras.layers.Embedding
 */
export const embedding = (options: EmbeddingOptions): Layer => new Embedding(options);
