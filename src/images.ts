// The entry `tapeloop/images`: layers for images and video. Importing it registers their names for saved models.
import { conv2d } from './images/conv2d.ts';
import { registerLayers } from './layers/layer-classes.ts';

export { type Conv2dOptions, conv2d } from './images/conv2d.ts';
export type { Pair, WindowOptions } from './images/convolution/geometry.ts';
export * as imageOps from './images/ops.ts';

registerLayers({ Conv2D: conv2d });
