// The entry `tapeloop/images`: layers for images and video. Importing it registers their names for saved models.

import { convLstm1d, convLstm2d } from './images/conv-lstm.ts';
import { conv2d } from './images/conv2d.ts';
import { registerLayers } from './layers/layer-classes.ts';

export { type ConvLstm1dOptions, type ConvLstm2dOptions, convLstm1d, convLstm2d } from './images/conv-lstm.ts';
export { type Conv2dOptions, conv2d } from './images/conv2d.ts';
export type { Pair, WindowOptions } from './images/convolution/geometry.ts';
export * as imageOps from './images/ops.ts';

registerLayers({ Conv2D: conv2d, ConvLSTM1D: convLstm1d, ConvLSTM2D: convLstm2d });
