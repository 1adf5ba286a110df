// Operators of the domain com.microsoft, by their names with the domain.
import type { Operator } from '../../graph/node.ts';
import { dynamicQuantizeLstm } from './dynamic-quantize-lstm.ts';
import { fused } from './fused.ts';
import { quantizedFused } from './quantized.ts';

export const microsoft: Readonly<Record<string, Operator>> = Object.fromEntries(
  Object.entries({ ...fused, ...quantizedFused, DynamicQuantizeLSTM: dynamicQuantizeLstm }).map(([name, operator]) => [
    `com.microsoft.${name}`,
    operator,
  ]),
);
