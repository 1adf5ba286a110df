// Powers, sines and cosines: computed in float64, one number at a time, since the host's own functions differ in their
// last bits.
import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { cosPi, ln, power, sinPi } from '../../engine/float64.ts';
import { eachPair } from '../shapes/runs.ts';
import { binaryOp, type Operand } from './binary.ts';

/** x^y as C has it (IEEE 754): x⁰ = 1ʸ = 1 also for NaN; below 0 a number for whole y alone. */
function powerOf(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const size = Math.abs(x);
  const isEnd = size === 0 || size === Number.POSITIVE_INFINITY;
  const isWhole = !Number.isFinite(y) || Number.isInteger(y);
  if (x < 0 && !isEnd && !isWhole) return Number.NaN;
  let result = 1;
  if (isEnd || !Number.isFinite(y)) {
    if (size !== 1) result = size > 1 === y > 0 ? Number.POSITIVE_INFINITY : 0;
  } else result = power(size, y);
  const isNegative = x < 0 || Object.is(x, -0);
  return isNegative && Math.abs(y % 2) === 1 ? -result : result;
}

/**
 * y = aᵇ
 *
 * Shapes line up as in `add`, and one of the two may be a number. Correctly rounded but for some 1e-7 of the results;
 * NaN where a < 0 and b is no whole number. Computed in float64: 25 ns an element for whole exponents up to 16, 0.3 µs
 * for others; `square`, `sqrt` and `reciprocal` take 0.3 ns.
 *
 * ∂y/∂a = b·aᵇ⁻¹, 0 where b = 0; ∂y/∂b = y·ln a, 0 where a ≤ 0, as in TensorFlow.
 *
 * @throws ArgumentError as `add` does.
 * @see numpy.power
 */
export const pow = (a: Operand, b: Operand): Tensor =>
  binaryOp(
    {
      name: 'pow',
      forward([left, right, y], runs) {
        const [bases, exponents, to] = [left.dataView(), right.dataView(), y.dataView()];
        eachPair(runs, (i, j, k) => {
          to[k] = powerOf(bases[i]!, exponents[j]!);
        });
      },
      backward([left, right, y], runs, dy, operand, out) {
        const [bases, exponents, results] = [left.dataView(), right.dataView(), y.dataView()];
        const [from, to] = [y.engine.f32(dy, y.size), y.engine.f32(out, y.size)];
        eachPair(runs, (i, j, k) => {
          const [base, exponent] = [bases[i]!, exponents[j]!];
          let slope = 0;
          if (operand === 0) slope = exponent === 0 ? 0 : exponent * powerOf(base, exponent - 1);
          else if (base > 0) slope = results[k]! * (base === Number.POSITIVE_INFINITY ? base : ln(base));
          to[k] = from[k]! * slope;
        });
      },
    },
    a,
    b,
  );

/** y = f(x), with derivative df, for functions of x/π. */
function wave(name: string, x: Weight, f: (turn: number) => number, df: (turn: number) => number): Tensor {
  x = floatsOf(x, `${name}: x`);
  const { engine, size } = x;
  const y = empty(x.shape, { name, timeMajor: x.timeMajor, engine });
  const [from, to] = [x.dataView(), y.dataView()];
  for (let i = 0; i < size; i++) to[i] = f(from[i]! / Math.PI);
  record([x], [y], (tape) => {
    const dx = engine.allocateScratch(size);
    const [at, dy, slopes] = [x.dataView(), engine.f32(tape.gradientOf(y), size), engine.f32(dx, size)];
    for (let i = 0; i < size; i++) slopes[i] = dy[i]! * df(at[i]! / Math.PI);
    tape.give(x, dx);
  });
  return y;
}

/** y = sin x, x in radians, within 1e-7 for |x| < 1e8; NaN for ±∞. Computed in float64, 30 ns an element. */
export const sin = (x: Weight): Tensor => wave('sin', x, sinPi, cosPi);

/** y = cos x, x in radians, within 1e-7 for |x| < 1e8; NaN for ±∞. Computed in float64, 70 ns an element. */
export const cos = (x: Weight): Tensor => wave('cos', x, cosPi, (turn) => -sinPi(turn));
