// All operators, by name.
import type { Operator } from '../graph/node.ts';
import { control } from './control.ts';
import { einsum } from './einsum.ts';
import { elementwise } from './elementwise.ts';
import { normalizations } from './normalization.ts';
import { products } from './products.ts';
import { quantized } from './quantized.ts';
import { randoms } from './random.ts';
import { recurrents } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { resizes } from './resize.ts';
import { shapes } from './shapes.ts';
import { windows } from './windows.ts';

export const operators: Readonly<Record<string, Operator>> = {
  ...elementwise,
  ...shapes,
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
};
