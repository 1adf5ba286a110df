import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import * as ops from '../../../src/ops/index.ts';
import { type GradientCase, map, SEQUENCE } from './case.ts';

export function dropoutCases(): GradientCase[] {
  const key = { low: 12345, high: 678 };
  // The mask is the kernel's own; that it has the right statistics is the kernel's test.
  const mask = (x: Tensor): Float32Array | Int32Array => {
    const ones = tensor(new Float32Array(x.size).fill(1), { shape: [x.size] });
    return ops.dropout(ones, 0.4, key).toArray();
  };
  return [
    {
      of: 'dropout',
      variant: 'rate 0.4',
      arguments: [{ shape: [30] }],
      run: (x) => ops.dropout(x, 0.4, key),
      reference: (x) => map(x, (v, i) => v * mask(tensor(new Float32Array(x.length)))[i]!),
    },
    {
      of: 'dropout',
      variant: 'rate 0',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.dropout(x, 0, key),
      reference: (x) => x,
    },
  ];
}
