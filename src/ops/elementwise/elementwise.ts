import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { expectType } from '../../checks/argument-error.ts';
import { Binary, type Ptr, Unary } from '../../engine/abi.ts';
import { combine, type Run } from '../shapes/runs.ts';
import { type Aligned, binaryOp, type Operand } from './binary.ts';

/** y = f(x) for f one of `Unary`. @internal */
export function unary(name: string, code: number, x: Weight): Tensor {
  x = floatsOf(x, `${name}: x`);
  const { engine } = x;
  const y = empty(x.shape, { name, timeMajor: x.timeMajor, engine });
  engine.kernels.unary(x.size, code, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const { ptr, accumulate } = tape.into(x)!;
    engine.kernels.unary_backward(x.size, code, x.ptr, y.ptr, tape.gradientOf(y), ptr, accumulate);
  });
  return y;
}

/** y = −x */
export const neg = (x: Weight): Tensor => unary('neg', Unary.Neg, x);
/** y = |x|, with derivative 0 at 0 */
export const abs = (x: Weight): Tensor => unary('abs', Unary.Abs, x);
/** y = x² */
export const square = (x: Weight): Tensor => unary('square', Unary.Square, x);
/** y = √x */
export const sqrt = (x: Weight): Tensor => unary('sqrt', Unary.Sqrt, x);
/** y = 1/x */
export const reciprocal = (x: Weight): Tensor => unary('reciprocal', Unary.Reciprocal, x);
/** y = eˣ, within 4 ulp */
export const exp = (x: Weight): Tensor => unary('exp', Unary.Exp, x);
/** y = ln x, within 4 ulp */
export const log = (x: Weight): Tensor => unary('log', Unary.Log, x);
/** y = 1/(1 + e⁻ˣ), within 4 ulp */
export const sigmoid = (x: Weight): Tensor => unary('sigmoid', Unary.Sigmoid, x);
/** y = tanh x, within 4 ulp */
export const tanh = (x: Weight): Tensor => unary('tanh', Unary.Tanh, x);
/** y = max(x, 0), with derivative 0 at 0 */
export const relu = (x: Weight): Tensor => unary('relu', Unary.Relu, x);

/** y = alpha·x */
export function scale(x: Weight, alpha: number): Tensor {
  x = floatsOf(x, 'scale: x');
  expectType('scale: alpha', alpha, 'a number');
  const { engine } = x;
  const y = empty(x.shape, { name: 'scale', timeMajor: x.timeMajor, engine });
  engine.kernels.scale(x.size, alpha, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    engine.kernels.scale(x.size, alpha, dy, dy);
    tape.give(x, dy);
  });
  return y;
}

/** Runs `body` with the address of a constant that a kernel can read. */
function withConstant(x: Tensor, value: number, body: (at: Ptr) => void): void {
  const { engine } = x;
  engine.scratch(() => {
    const at = engine.allocateScratch(1);
    engine.f32(at, 1)[0] = value;
    body(at);
  });
}

/** y = x + alpha */
export function addScalar(x: Weight, alpha: number): Tensor {
  x = floatsOf(x, 'addScalar: x');
  expectType('addScalar: alpha', alpha, 'a number');
  const { engine, size } = x;
  const y = empty(x.shape, { name: 'addScalar', timeMajor: x.timeMajor, engine });
  withConstant(x, alpha, (at) => engine.kernels.binary(Binary.Add, 1, size, x.ptr, size, 1, at, 0, 0, y.ptr));
  record([x], [y], (tape) => tape.give(x, tape.gradientOf(y)));
  return y;
}

/** y = min(max(x, low), high), with derivative 1 strictly inside and 0 elsewhere */
export function clip(x: Weight, low: number, high: number): Tensor {
  x = floatsOf(x, 'clip: x');
  expectType('clip: low', low, 'a number');
  expectType('clip: high', high, 'a number');
  const { engine, size } = x;
  const { kernels } = engine;
  const y = empty(x.shape, { name: 'clip', timeMajor: x.timeMajor, engine });
  withConstant(x, low, (at) => kernels.binary(Binary.Max, 1, size, x.ptr, size, 1, at, 0, 0, y.ptr));
  withConstant(x, high, (at) => kernels.binary(Binary.Min, 1, size, y.ptr, size, 1, at, 0, 0, y.ptr));
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    engine.scratch(() => {
      // relu's derivative, at x − low and at high − x, is the mask.
      const above = engine.allocateScratch(size);
      withConstant(x, low, (at) => kernels.binary(Binary.Sub, 1, size, x.ptr, size, 1, at, 0, 0, above));
      kernels.unary_backward(size, Unary.Relu, above, above, dy, dy, 0);
      withConstant(x, high, (at) => kernels.binary(Binary.Sub, 1, size, at, 0, 0, x.ptr, size, 1, above));
      kernels.unary_backward(size, Unary.Relu, above, above, dy, dy, 0);
    });
    tape.give(x, dy);
  });
  return y;
}

/** y = f(a, b) for f one of `Binary`; `backward` as in `binaryOp`. */
const binary = (
  name: string,
  code: number,
  left: Operand,
  right: Operand,
  backward: (operands: Aligned, runs: readonly Run[], dy: Ptr, operand: number, out: Ptr) => void,
): Tensor =>
  binaryOp(
    {
      name,
      forward: ([a, b, y], runs) => combine(y.engine, code, runs, [a.ptr, 0], [b.ptr, 1], y.ptr),
      backward,
    },
    left,
    right,
  );

/** out = f(dy, x), where x repeats as it did forward. */
const combineGradient = (
  code: number,
  operands: Aligned,
  runs: readonly Run[],
  dy: Ptr,
  operand: number,
  out: Ptr,
): void => combine(operands[2].engine, code, runs, [dy, 2], [operands[operand]!.ptr, operand], out);

/**
 * y = a + b
 *
 * Shapes line up from their last axes; where one has length 1, or no such axis, it repeats along the other's, as in
 * NumPy. One of the two may be a number. The result has the memory order of the larger.
 *
 * @throws ArgumentError if both are numbers, or two lengths differ and neither is 1.
 * @see https://numpy.org/doc/stable/user/basics.broadcasting.html
 */
export const add = (a: Operand, b: Operand): Tensor =>
  binary('add', Binary.Add, a, b, ([, , y], _, dy, __, out) => y.engine.kernels.scale(y.size, 1, dy, out));

/** y = a − b, repeating as in `add`. */
export const sub = (a: Operand, b: Operand): Tensor =>
  binary('sub', Binary.Sub, a, b, ([, , y], _, dy, operand, out) =>
    y.engine.kernels.scale(y.size, operand === 0 ? 1 : -1, dy, out),
  );

/** y = a ∘ b, repeating as in `add`. */
export const mul = (a: Operand, b: Operand): Tensor =>
  binary('mul', Binary.Mul, a, b, (operands, runs, dy, operand, out) =>
    combineGradient(Binary.Mul, operands, runs, dy, 1 - operand, out),
  );

/** y = a / b, repeating as in `add`. */
export const div = (a: Operand, b: Operand): Tensor =>
  binary('div', Binary.Div, a, b, (operands, runs, dy, operand, out) => {
    combineGradient(Binary.Div, operands, runs, dy, 1, out);
    if (operand === 1) {
      const { engine, size, ptr } = operands[2];
      engine.kernels.binary(Binary.Mul, 1, size, out, size, 1, ptr, size, 1, out);
      engine.kernels.scale(size, -1, out, out);
    }
  });

/** The second of two equal elements has no gradient, as in TensorFlow. */
function extreme(name: string, code: number, left: Operand, right: Operand): Tensor {
  return binary(name, code, left, right, ([a, b, { engine, size }], runs, dy, operand, out) => {
    const [first, second] = [
      [a.ptr, 0],
      [b.ptr, 1],
    ] as const;
    if (code === Binary.Max) combine(engine, Binary.Sub, runs, second, first, out);
    else combine(engine, Binary.Sub, runs, first, second, out);
    // relu's derivative at the difference is 1 where b has won.
    engine.kernels.unary_backward(size, Unary.Relu, out, out, dy, out, 0);
    if (operand === 0) engine.kernels.binary(Binary.Sub, 1, size, dy, 0, 1, out, 0, 1, out);
  });
}

/** y = max(a, b), repeating as in `add`; NaN where either is. Where they are equal, a has the gradient. */
export const maximum = (a: Operand, b: Operand): Tensor => extreme('maximum', Binary.Max, a, b);

/** y = min(a, b), repeating as in `add`; NaN where either is. Where they are equal, a has the gradient. */
export const minimum = (a: Operand, b: Operand): Tensor => extreme('minimum', Binary.Min, a, b);
