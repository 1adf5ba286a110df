// Every op and every loss beside what it means in float64: row-major arrays in the order of the shapes, plain loops, no kernels.
import type { GradientCase } from './cases/case.ts';
import { dropoutCases } from './cases/dropout.ts';
import { elementwiseCases } from './cases/elementwise.ts';
import { embeddingCases } from './cases/embedding.ts';
import { layoutCases } from './cases/layout.ts';
import { productCases } from './cases/product.ts';
import { recurrenceCases } from './cases/recurrence.ts';
import { reduceCases } from './cases/reduce.ts';
import { softmaxCases } from './cases/softmax.ts';

export { lossCases } from './cases/losses.ts';

export const opCases: GradientCase[] = [
  ...elementwiseCases,
  ...reduceCases,
  ...layoutCases,
  ...productCases(),
  ...embeddingCases(),
  ...dropoutCases(),
  ...softmaxCases(),
  ...recurrenceCases(),
];
