// Options may be undefined under exactOptionalPropertyTypes. `npm run typecheck` checks it.

import { loadCsv, windows } from '../../src/data.ts';
import {
  adam,
  adamw,
  attention,
  conv1d,
  dense,
  embedding,
  huber,
  init,
  layerNormalization,
  metrics,
  sequential,
  sgd,
  tensor,
} from '../../src/index.ts';

declare const rate: number | undefined;
declare const flag: boolean | undefined;
declare const name: string | undefined;

export const taken = () => [
  adam({ learningRate: rate, clipNorm: rate, amsgrad: flag }),
  adamw({ weightDecay: rate }),
  sgd({ momentum: rate, nesterov: flag }),
  dense({ units: 1, useBias: flag, name }),
  embedding({ inputDim: 2, outputDim: 2, maskZero: flag }),
  conv1d({ filters: 2, kernelSize: 2, strides: rate, name }),
  attention({ useScale: flag }),
  layerNormalization({ epsilon: rate, center: flag }),
  huber({ delta: rate }),
  metrics.auc({ numThresholds: rate, name }),
  sequential([dense({ units: 1 })], { name }),
  windows([[1], [2], [3]], { inputSteps: 1, stride: rate }),
  tensor([1], { name }),
  init({ threads: rate }),
  loadCsv('a.csv', { dateFormat: name }),
];
