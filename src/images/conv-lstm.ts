import type { Tensor } from '../autograd/tensor.ts';
import type { Recurrent, WithState } from '../layers/rnn/recurrent.ts';
import { ConvLstm, type ConvLstm1dOptions, type ConvLstm2dOptions } from './conv-lstm-layer.ts';
/**
 * Long short-term memory over images: a video is read frame by frame, and the state is an image.
 *
 * i, f, o = recurrentActivation(x∗W + h∗U + b), g = activation(x∗W + h∗U + b), c′ = f∘c + i∘g, h′ = o∘activation(c′),
 * where ∗ is a convolution
 *
 * Input `[B, T, H, W, I]` f32; output `[B, H′, W′, F]` with F = `filters`, or `[B, T, H′, W′, F]` with
 * `returnSequences`; with `returnState` an array `[y, h, c]`, h and c `[B, H′, W′, F]`, and `initialState` is a list of
 * such tensors. H′ and W′ are those of `conv2d`. Weights: kernel W `[KH, KW, I, 4F]`, recurrentKernel U
 * `[KH, KW, F, 4F]`, bias b `[4F]`, gates in the order i f c o. `strides`, `padding` and `dilationRate` are those of
 * x∗W; h∗U has strides 1 and `same` padding.
 *
 * A mask has one number for each frame, `[B, T]`. A masked frame keeps the states. Its output repeats that of the frame
 * before (zeros at first), or is zeros with `zeroOutputForMask`.
 *
 * @param options `filters` and `kernelSize` are required.
 * @returns a recurrent layer, to be listed in a model or called with a tensor. Its outputs live until the open step
 *   ends; outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer or two, `padding` is not one of its
 *   values, `dataFormat` is not `channelsLast`, `dropout` or `recurrentDropout` is outside [0, 1), or an activation, an
 *   initializer or a regularizer is unknown; when called, if the input is not an f32 tensor of five axes, its I differs
 *   from that of the kernel, a frame is smaller than a window, a mask or an initial state does not fit, or the batch
 *   or the frames of a stateful layer change their size.
 * @see keras.layers.ConvLSTM2D; Shi et al. 2015, "Convolutional LSTM network"
 *
 * @example
 * const video = ops.ones([2, 10, 16, 16, 1]); // [B, T, H, W, I]
 * convLstm2d({ filters: 4, kernelSize: 3, padding: 'same', returnSequences: true })(video).shape; // [2, 10, 16, 16, 4]
 */
export function convLstm2d<const S extends boolean = false>(
  options: ConvLstm2dOptions & { returnState?: S | undefined },
): Recurrent<WithState<S, [y: Tensor, h: Tensor, c: Tensor]>> {
  return new ConvLstm(2, options, (changed) => convLstm2d({ ...options, ...changed } as typeof options));
}

/**
 * Long short-term memory over rows of pixels: `convLstm2d` with one spatial axis.
 *
 * i, f, o = recurrentActivation(x∗W + h∗U + b), g = activation(x∗W + h∗U + b), c′ = f∘c + i∘g, h′ = o∘activation(c′)
 *
 * Input `[B, T, W, I]` f32; output `[B, W′, F]` with F = `filters`, or `[B, T, W′, F]` with `returnSequences`; with
 * `returnState` an array `[y, h, c]`, h and c `[B, W′, F]`. Weights: kernel `[K, I, 4F]`, recurrentKernel `[K, F, 4F]`,
 * bias `[4F]`, gates in the order i f c o.
 *
 * @param options `filters` and `kernelSize` are required.
 * @returns a recurrent layer, to be listed in a model or called with a tensor. Its outputs live until the open step
 *   ends; outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer, `padding` is not one of its values,
 *   `dataFormat` is not `channelsLast`, `dropout` or `recurrentDropout` is outside [0, 1), or an activation, an
 *   initializer or a regularizer is unknown; when called, if the input is not an f32 tensor of four axes, its I differs
 *   from that of the kernel, a row is shorter than a window, a mask or an initial state does not fit, or the batch or
 *   the rows of a stateful layer change their size.
 * @see keras.layers.ConvLSTM1D
 *
 * @example
 * const rows = ops.ones([2, 10, 16, 1]); // [B, T, W, I]
 * convLstm1d({ filters: 4, kernelSize: 3 })(rows).shape; // [2, 14, 4]
 */
export function convLstm1d<const S extends boolean = false>(
  options: ConvLstm1dOptions & { returnState?: S | undefined },
): Recurrent<WithState<S, [y: Tensor, h: Tensor, c: Tensor]>> {
  return new ConvLstm(1, options, (changed) => convLstm1d({ ...options, ...changed } as typeof options));
}
