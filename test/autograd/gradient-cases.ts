// Every op and every loss with its definition in float64: row-major arrays in the order of the shapes, plain loops, no
// kernels.
import { activationCases } from '../ops/cases/activations.ts';
import { attentionCases } from '../ops/cases/attention.ts';
import { broadcastCases } from '../ops/cases/broadcast.ts';
import type { GradientCase } from '../ops/cases/case.ts';
import { convolutionCases } from '../ops/cases/convolution.ts';
import { crfCases } from '../ops/cases/crf.ts';
import { ctcCases } from '../ops/cases/ctc.ts';
import { dropoutCases } from '../ops/cases/dropout.ts';
import { elementwiseCases } from '../ops/cases/elementwise.ts';
import { embeddingCases } from '../ops/cases/embedding.ts';
import { imageConvolutionCases } from '../ops/cases/image-convolution.ts';
import { joinCases } from '../ops/cases/joins.ts';
import { layoutCases } from '../ops/cases/layout.ts';
import { normalizationCases } from '../ops/cases/normalization.ts';
import { pickCases } from '../ops/cases/pick.ts';
import { placeCases } from '../ops/cases/places.ts';
import { productCases } from '../ops/cases/product.ts';
import { recurrenceCases } from '../ops/cases/recurrence.ts';
import { reduceCases } from '../ops/cases/reduce.ts';
import { sliceAndStepCases } from '../ops/cases/slices.ts';
import { softmaxCases } from '../ops/cases/softmax.ts';

export { audioCases } from '../ops/cases/audio.ts';
export { lossCases } from '../ops/cases/losses.ts';
export { stateSpaceCases } from '../ops/cases/state-space.ts';

export const opCases: GradientCase[] = [
  ...elementwiseCases,
  ...activationCases,
  ...reduceCases,
  ...layoutCases,
  ...sliceAndStepCases,
  ...joinCases,
  ...broadcastCases,
  ...productCases(),
  ...embeddingCases(),
  ...dropoutCases(),
  ...softmaxCases(),
  ...normalizationCases,
  ...convolutionCases,
  ...imageConvolutionCases,
  ...attentionCases,
  ...pickCases,
  ...placeCases,
  ...ctcCases,
  ...crfCases,
  ...recurrenceCases(),
];
