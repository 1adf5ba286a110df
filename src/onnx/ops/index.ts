// All operators, by name.
import type { Operator } from '../graph/node.ts';
import { casts } from './cast.ts';
import { control } from './control.ts';
import { elementwise } from './elementwise/elementwise.ts';
import { microsoft } from './microsoft/index.ts';
import { normalizations } from './normalization.ts';
import { einsum } from './products/einsum.ts';
import { products } from './products/products.ts';
import { quantized } from './products/quantized.ts';
import { randoms } from './random.ts';
import { recurrents } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { resizes } from './resize.ts';
import { constants } from './shapes/constants.ts';
import { indexing } from './shapes/indexing.ts';
import { layout } from './shapes/layout.ts';
import { windows } from './windows.ts';

export const operators: Readonly<Record<string, Operator>> = {
  ...elementwise,
  ...layout,
  ...indexing,
  ...constants,
  ...casts,
  ...products,
  ...reductions,
  ...windows,
  ...normalizations,
  ...recurrents,
  ...quantized,
  ...control,
  ...randoms,
  ...resizes,
  Einsum: einsum,
  ...microsoft,
};
