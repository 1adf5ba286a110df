import { record } from '../autograd/tape.ts';
import { ArgumentError, empty, expectF32, type Tensor } from '../autograd/tensor.ts';
import type { RandomKey } from '../engine/random.ts';

/**
 * y = x ∘ m / (1 − rate), m = 0 with probability `rate`, else 1
 *
 * @param x f32 of any shape.
 * @param rate in [0, 1); 0 returns `x` itself.
 * @param key what the mask is a function of: the same key gives the same mask.
 * @returns a tensor of the shape of `x`.
 * @throws ArgumentError if `rate` is outside [0, 1).
 */
export function dropout(x: Tensor, rate: number, key: RandomKey): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new ArgumentError(`dropout: rate expected in [0, 1), got ${rate}`);
  expectF32('dropout: x', x);
  if (rate === 0) return x;
  const { engine } = x;
  const y = empty(x.shape, { name: 'dropout', timeMajor: x.timeMajor, engine });
  engine.kernels.dropout(x.size, rate, key.low, key.high, 0, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    engine.kernels.dropout(x.size, rate, key.low, key.high, 0, dy, dy);
    tape.give(x, dy);
  });
  return y;
}
