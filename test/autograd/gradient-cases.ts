// Every op and every loss beside what it means in float64: row-major arrays in the order of the shapes, plain loops, no kernels.
import { activationCases } from './cases/activations.ts';
import { attentionCases } from './cases/attention.ts';
import { broadcastCases } from './cases/broadcast.ts';
import type { GradientCase } from './cases/case.ts';
import { convolutionCases } from './cases/convolution.ts';
import { ctcCases } from './cases/ctc.ts';
import { dropoutCases } from './cases/dropout.ts';
import { elementwiseCases } from './cases/elementwise.ts';
import { embeddingCases } from './cases/embedding.ts';
import { joinCases } from './cases/joins.ts';
import { layoutCases } from './cases/layout.ts';
import { normalizationCases } from './cases/normalization.ts';
import { pickCases } from './cases/pick.ts';
import { placeCases } from './cases/places.ts';
import { productCases } from './cases/product.ts';
import { recurrenceCases } from './cases/recurrence.ts';
import { reduceCases } from './cases/reduce.ts';
import { sliceAndStepCases } from './cases/slices.ts';
import { softmaxCases } from './cases/softmax.ts';

export { lossCases } from './cases/losses.ts';

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
  ...attentionCases,
  ...pickCases,
  ...placeCases,
  ...ctcCases,
  ...recurrenceCases(),
];
