import type { Parameter } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { activation } from '../../layers/activations/activations.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from '../../layers/base/layer.ts';
import { add, maximum, mul, scale, sub } from '../../ops/elementwise/elementwise.ts';
import { conv1d } from '../../ops/products/convolution.ts';
import { linear } from '../../ops/products/linear.ts';
import { slice } from '../../ops/shapes/slices.ts';
import { streamedActivations } from '../../streaming/activations.ts';
import { checkWaveNet, runWaveNet, type WaveNetArray, type WaveNetStructure, waveNetWeights } from './structure.ts';

export type { WaveNetActivation, WaveNetArray, WaveNetModulated } from './structure.ts';

/** Options of `waveNet`. */
export interface WaveNetOptions extends LayerOptions, WaveNetStructure {}

const own: OwnNames<WaveNetOptions> = { arrays: 1, headScale: 1 };

const arrayNames: Record<keyof WaveNetArray, 1 | true> = {
  channels: 1,
  kernelSize: 1,
  dilations: 1,
  headSize: 1,
  activation: 1,
  gated: 1,
  gateActivation: 1,
  headBias: true,
  headKernelSize: 1,
  bottleneck: 1,
  residual: true,
  headChannels: 1,
  film: 1,
};

export class WaveNet extends BuiltInLayer {
  readonly className = 'WaveNet';
  readonly structure: WaveNetStructure;
  readonly #weights = new Map<string, Parameter>();

  constructor(options: WaveNetOptions) {
    super('wave_net', options, own);
    checkWaveNet('waveNet', options);
    options.arrays.forEach((array, i) => {
      const { activation: own = 'tanh', gateActivation = 'sigmoid' } = checkOptions(
        `waveNet: arrays[${i}]`,
        array,
        arrayNames as never,
      ) as WaveNetArray;
      for (const name of [own, gateActivation].flat()) {
        if (typeof name !== 'string' || name === 'linear' || Object.hasOwn(streamedActivations, name)) continue;
        const known = ['linear', ...Object.keys(streamedActivations)].join(', ');
        throw new ArgumentError(`waveNet: arrays[${i}].activation expected one of ${known}, got '${name}'`);
      }
    });
    this.structure = options;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.structure.arrays.at(-1)!.headSize];
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.expectSequence(inputShape);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    for (const { name, shape } of waveNetWeights(this.structure, this.inputWidth(inputShape))) {
      this.#weights.set(name, this.addWeight(name, shape, shape.length === 1 ? 'zeros' : 'glorotUniform'));
    }
  }

  protected override call(x: Tensor): Tensor {
    const of = (name: string): Parameter => this.#weights.get(name)!;
    return runWaveNet<Tensor>(
      this.structure,
      x,
      {
        product: (input, kernel, bias) => linear(input, of(kernel), bias === undefined ? undefined : of(bias)),
        convolution: (input, kernel, bias, dilationRate) =>
          conv1d(input, of(kernel), bias === undefined ? undefined : of(bias), { padding: 'causal', dilationRate }),
        add,
        subtract: sub,
        multiply: mul,
        maximum,
        activation: (input, name) => activation(name as 'tanh')(input),
        columns: (input, from, count) => slice(input, { axis: -1, from, to: from + count }),
        scale,
      },
      x.shape.at(-1)!,
    );
  }
}

/**
 * A WaveNet: arrays of dilated causal convolutions with residual and skip connections.
 *
 * z = conv(y) + x·mixin, a = act(z), or act(z₁)·σ(z₂) if gated; head += a; y += a·out + b, over all layers of an array,
 * where y starts as the output of the array before times `rechannel`, and the head of the next array starts from
 * head·headKernel + headBias. The output is the last head times `headScale`. Steps before the first are zeros.
 *
 * Input x `[B, T, I]` f32; output `[B, T, headSize]` with the `headSize` of the last array. Weights of array i and its
 * layer j with C `channels` and Z = C, or 2·C if gated: `i/rechannel` `[I, C]`, `i/j/kernel` `[K, C, Z]`, `i/j/bias`
 * `[Z]`, `i/j/mixin` `[I, Z]`, `i/j/outKernel` `[C, C]`, `i/j/outBias` `[C]`, `i/headKernel` `[C, headSize]` and, with
 * `headBias`, `i/headBias` `[headSize]`. Options of newer files change these and add others: `bottleneck` for C in Z and
 * outKernel, `headKernelSize` K′ makes headKernel `[K′, C, headSize]`, `headChannels` D adds `i/j/toHeadKernel` `[C, D]` and
 * `toHeadBias` `[D]`, whose product goes to the head, and each entry P of `film` adds `i/j/PKernel` `[I, n or 2·n]` and
 * `PBias`, for the n features that it modulates: v·(x·W + b), with `shift` plus the second half.
 *
 * @param options `arrays` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer, `headSize` of an array is not the
 *   number of channels of the next, or an activation is unknown; when called, if the input is not `[B, T, I]`.
 * @see van den Oord et al. 2016, https://arxiv.org/abs/1609.03499; the form is that of Neural Amp Modeler
 *
 * @example
 * const arrays = [{ channels: 4, kernelSize: 3, dilations: [1, 2, 4], headSize: 1, headBias: true }];
 * const amp = sequential([waveNet({ arrays, inputShape: [null, 1] })]);
 */
export const waveNet = (options: WaveNetOptions): Layer => new WaveNet(options);
