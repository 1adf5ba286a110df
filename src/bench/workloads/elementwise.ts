import { Unary } from '../../engine/abi.ts';
import { uniform } from '../models/numbers.ts';
import { Buffers, type Workload, workload } from '../workload.ts';

// Operations of one element: additions, multiplications, divisions and conversions of the polynomial in assembly/math.ts.
const functions = [
  { name: 'exp', f: Unary.Exp, operations: 15 },
  { name: 'tanh', f: Unary.Tanh, operations: 20 },
  { name: 'sigmoid', f: Unary.Sigmoid, operations: 18 },
];

export const elementwiseWorkloads: readonly Workload[] = functions.map(({ name, f, operations }) =>
  workload({
    name,
    group: 'kernels',
    stresses: 'a polynomial for each element',
    sizes: { small: 1024, medium: 32_768, large: 1_048_576 },
    prepare(count, engine) {
      const buffers = new Buffers(engine);
      const x = buffers.make(count, uniform(0, count, 8));
      const y = buffers.make(count);
      return {
        run: () => engine.kernels.unary(count, f, x, y),
        result: () => [engine.f32(y, count)],
        flops: operations * count,
        bytes: 8 * count,
        dispose: () => buffers.dispose(),
      };
    },
  }),
);
