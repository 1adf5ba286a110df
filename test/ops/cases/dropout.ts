import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { sizeOf } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { type GradientCase, map, pick, SEQUENCE } from './case.ts';

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
    ...[
      [3, 1, 5],
      [1, 2, 1],
    ].map(
      (noise): GradientCase => ({
        of: 'dropout',
        variant: `a mask of [${noise}]`,
        arguments: [{ shape: SEQUENCE }],
        // In either memory order the mask is drawn in that of memory, whose one axis of these is the same.
        run: (x) => ops.dropout(x, 0.4, key, { noiseShape: noise.map((n) => (n === 1 ? 1 : null)) }),
        shape: SEQUENCE,
        reference: (x) => {
          const kept = mask(tensor(new Float32Array(sizeOf(noise))));
          return map(x, (v, at) => {
            const [i, j, k] = [Math.floor(at / 10), Math.floor(at / 5) % 2, at % 5];
            return v * pick(kept, noise, [noise[0] === 1 ? 0 : i, noise[1] === 1 ? 0 : j, noise[2] === 1 ? 0 : k]);
          });
        },
      }),
    ),
    {
      of: 'dropout',
      variant: 'rate 0',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.dropout(x, 0, key),
      reference: (x) => x,
    },
  ];
}
