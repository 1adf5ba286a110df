import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList, expectType, isFloat32, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import { Binary, type Ptr } from '../../engine/abi.ts';
import type { RandomKey } from '../../engine/random.ts';
import { memoryShape } from '../shapes/axis.ts';
import { spread } from '../shapes/runs.ts';

export interface DropoutNoise {
  /**
   * Shape of the mask: that of `x`, with 1 for an axis along which the mask is the same, and null for the length of
   * `x`. `[null, 1, null]` drops a feature at all steps or at none.
   */
  noiseShape?: readonly (number | null)[] | undefined;
}

/**
 * Sets random elements to 0 and scales the others, so that the expected value stays the same.
 *
 * y = x ∘ m / (1 − rate), where m is 0 with probability `rate`, else 1
 *
 * @param x `[…]` f32, any shape.
 * @param rate in [0, 1); 0 returns `x` itself.
 * @param key determines the mask: the same key gives the same mask.
 * @param options.noiseShape shape of the mask, if it is shared along some axes.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor, `rate` is outside [0, 1), `key` has no numbers `low` and `high`,
 *   `noiseShape` does not fit or an option is unknown.
 * @see keras.layers.Dropout, keras.layers.SpatialDropout1D
 */
export function dropout(x: Weight, rate: number, key: RandomKey, options: DropoutNoise = {}): Tensor {
  const { noiseShape } = checkOptions('dropout', options, { noiseShape: 1 });
  expectRate('dropout: rate', rate);
  expectType('dropout: key.low', key?.low, 'a number');
  expectType('dropout: key.high', key.high, 'a number');
  x = floatsOf(x, 'dropout: x');
  const noise = noiseShape && sharedAxes(x, noiseShape);
  if (rate === 0) return x;
  const { engine } = x;
  const y = empty(x.shape, { name: 'dropout', timeMajor: x.timeMajor, engine });
  const drop = (from: Ptr, to: Ptr): void => {
    if (noise) dropShared(x, noise, rate, key, from, to);
    else engine.kernels.dropout(x.size, rate, key.low, key.high, 0, from, to);
  };
  drop(x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    drop(dy, dy);
    tape.give(x, dy);
  });
  return y;
}

/** Throws `ArgumentError` unless `rate` is in [0, 1). @internal */
export function expectRate(what: string, rate: number): number {
  if (!(isFloat32(rate) && rate >= 0 && rate < 1))
    throw new ArgumentError(`${what} expected a number in [0, 1), got ${shown(rate)}`);
  return rate;
}

/** The shape of the mask, with lengths in place of null. */
function sharedAxes(x: Tensor, noiseShape: readonly (number | null)[]): Shape {
  expectList('dropout: noiseShape', noiseShape);
  const shape = noiseShape.map((n, axis) => n ?? x.shape[axis] ?? 0);
  if (shape.length !== x.shape.length || shape.some((n, axis) => n !== 1 && n !== x.shape[axis])) {
    throw new ArgumentError(
      `dropout: noiseShape expected ${formatShape(x.shape)} with 1 for some axes, got ${formatShape(noiseShape)}`,
    );
  }
  return shape;
}

/** to = from ∘ mask. The mask has shape `noise` and is repeated. `to` may be `from`. */
function dropShared(x: Tensor, noise: Shape, rate: number, key: RandomKey, from: Ptr, to: Ptr): void {
  const { engine, timeMajor } = x;
  const { kernels } = engine;
  engine.scratch(() => {
    const shape = memoryShape({ shape: noise, timeMajor });
    const count = shape.reduce((product, n) => product * n, 1);
    const mask = engine.allocateScratch(count);
    kernels.fill(count, 1, mask);
    kernels.dropout(count, rate, key.low, key.high, 0, mask, mask);
    const whole = engine.allocateScratch(x.size);
    spread(engine, mask, shape, memoryShape(x), whole);
    kernels.binary(Binary.Mul, 1, x.size, from, 0, 1, whole, 0, 1, to);
  });
}
