// All graphs whose outputs are compared with ONNX Runtime's.

import { type GraphCase, graphCases as operatorCases } from './cases.ts';
import { cellCases } from './cell-cases.ts';
import { functionCases } from './function-cases.ts';
import { microsoftCases } from './microsoft-cases.ts';

export const graphCases: readonly GraphCase[] = [...operatorCases, ...functionCases, ...microsoftCases, ...cellCases];
