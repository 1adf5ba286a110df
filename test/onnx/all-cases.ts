// All graphs whose outputs are compared with ONNX Runtime's.
import { graphCases as operatorCases } from './cases.ts';
import { cellCases } from './cell-cases.ts';
import { functionCases } from './function-cases.ts';
import { microsoftCases } from './microsoft-cases.ts';
import { moreCases } from './more-cases.ts';
import type { GraphCase } from './one-node.ts';
import { opsetCases } from './opset-cases.ts';

export const graphCases: readonly GraphCase[] = [
  ...[operatorCases, moreCases, opsetCases, functionCases, microsoftCases, cellCases].flat(),
];
