// The entry `tapeloop/images`: layers for images and video. Importing it registers their names for saved models.
import { batchNormalization } from './images/batch-normalization.ts';
import { cropping1d, cropping2d, zeroPadding1d, zeroPadding2d } from './images/borders.ts';
import { convLstm1d, convLstm2d } from './images/conv-lstm.ts';
import { conv2d } from './images/conv2d.ts';
import { conv2dTranspose } from './images/conv2d-transpose.ts';
import { depthwiseConv2d, separableConv1d, separableConv2d } from './images/depthwise-conv2d.ts';
import { averagePooling2d, globalAveragePooling2d, globalMaxPooling2d, maxPooling2d } from './images/pooling2d.ts';
import { rescaling } from './images/rescaling.ts';
import { spatialDropout2d } from './images/spatial-dropout2d.ts';
import { upSampling1d, upSampling2d } from './images/up-sampling.ts';
import { registerLayers } from './layers/base/layer-registry.ts';

export { type BatchNormalizationOptions, batchNormalization } from './images/batch-normalization.ts';
export {
  type Cropping1dOptions,
  type Cropping2dOptions,
  cropping1d,
  cropping2d,
  type Edges,
  type Ends,
  type ZeroPadding1dOptions,
  type ZeroPadding2dOptions,
  zeroPadding1d,
  zeroPadding2d,
} from './images/borders.ts';
export { convLstm1d, convLstm2d } from './images/conv-lstm.ts';
export type { ConvLstm1dOptions, ConvLstm2dOptions } from './images/conv-lstm-layer.ts';
export { type Conv2dOptions, conv2d } from './images/conv2d.ts';
export { type Conv2dTransposeOptions, conv2dTranspose } from './images/conv2d-transpose.ts';
export type { Pair, WindowOptions } from './images/convolution/geometry.ts';
export {
  type DepthwiseConv2dOptions,
  depthwiseConv2d,
  type SeparableConv1dOptions,
  type SeparableConv2dOptions,
  separableConv1d,
  separableConv2d,
} from './images/depthwise-conv2d.ts';
export * as imageOps from './images/ops.ts';
export {
  averagePooling2d,
  type GlobalPooling2dOptions,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  type Pooling2dOptions,
} from './images/pooling2d.ts';
export { type RescalingOptions, rescaling } from './images/rescaling.ts';
export { spatialDropout2d } from './images/spatial-dropout2d.ts';
export {
  type Interpolation,
  type UpSampling1dOptions,
  type UpSampling2dOptions,
  upSampling1d,
  upSampling2d,
} from './images/up-sampling.ts';

registerLayers({
  AveragePooling2D: averagePooling2d,
  BatchNormalization: batchNormalization,
  Conv2D: conv2d,
  Conv2DTranspose: conv2dTranspose,
  ConvLSTM1D: convLstm1d,
  ConvLSTM2D: convLstm2d,
  Cropping1D: cropping1d,
  Cropping2D: cropping2d,
  DepthwiseConv2D: depthwiseConv2d,
  GlobalAveragePooling2D: globalAveragePooling2d,
  GlobalMaxPooling2D: globalMaxPooling2d,
  MaxPooling2D: maxPooling2d,
  Rescaling: rescaling,
  SeparableConv1D: separableConv1d,
  SeparableConv2D: separableConv2d,
  SpatialDropout2D: spatialDropout2d,
  UpSampling1D: upSampling1d,
  UpSampling2D: upSampling2d,
  ZeroPadding1D: zeroPadding1d,
  ZeroPadding2D: zeroPadding2d,
});
