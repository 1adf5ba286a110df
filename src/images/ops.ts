/**
 * Functions of images `[B, H, W, C]`, each with its gradient. They take f32 tensors or parameters, in either memory
 * order, and return row-major tensors. What `ops` says of its functions holds for these too.
 *
 * @module
 */

export { type Conv2dOpOptions, conv2d } from './convolution/conv2d.ts';
export { conv2dTranspose, type TransposeOptions } from './convolution/conv2d-transpose.ts';
export { depthwiseConv2d } from './convolution/depthwise.ts';
