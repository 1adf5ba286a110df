import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { expectType } from '../../checks/argument-error.ts';
import { Binary, type Ptr, Unary } from '../../engine/abi.ts';
import { combine, type Run } from '../shapes/runs.ts';
import { type Aligned, binaryOp, type Operand } from './binary.ts';

/** y = f(x), where f is one of `Unary`. @internal */
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

/**
 * Negation: y = −x
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.negative
 */
export const neg = (x: Weight): Tensor => unary('neg', Unary.Neg, x);
/**
 * Absolute value: y = |x|, with derivative 0 at 0
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.abs
 */
export const abs = (x: Weight): Tensor => unary('abs', Unary.Abs, x);
/**
 * Square: y = x²
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.square
 */
export const square = (x: Weight): Tensor => unary('square', Unary.Square, x);
/**
 * Square root: y = √x, NaN for x < 0
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.sqrt
 */
export const sqrt = (x: Weight): Tensor => unary('sqrt', Unary.Sqrt, x);
/**
 * Reciprocal: y = 1/x
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.reciprocal
 */
export const reciprocal = (x: Weight): Tensor => unary('reciprocal', Unary.Reciprocal, x);
/**
 * Exponential function: y = eˣ, within 4 ulp
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.exp
 */
export const exp = (x: Weight): Tensor => unary('exp', Unary.Exp, x);
/**
 * Natural logarithm: y = ln x, within 4 ulp; NaN for x < 0
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.log
 */
export const log = (x: Weight): Tensor => unary('log', Unary.Log, x);
/**
 * Logistic function: y = 1/(1 + e⁻ˣ), within 4 ulp
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see keras.ops.sigmoid
 */
export const sigmoid = (x: Weight): Tensor => unary('sigmoid', Unary.Sigmoid, x);
/**
 * Hyperbolic tangent: y = tanh x, within 4 ulp
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see numpy.tanh
 */
export const tanh = (x: Weight): Tensor => unary('tanh', Unary.Tanh, x);
/**
 * Rectified linear unit: y = max(x, 0), with derivative 0 at 0
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see keras.ops.relu
 */
export const relu = (x: Weight): Tensor => unary('relu', Unary.Relu, x);

/**
 * Multiplication by a number: y = alpha·x
 *
 * @param x `[…]` f32, any shape.
 * @param alpha the factor.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `alpha` is not a number.
 */
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

/** Calls `body` with the address of a constant, for a kernel to read. */
function withConstant(x: Tensor, value: number, body: (at: Ptr) => void): void {
  const { engine } = x;
  engine.scratch(() => {
    const at = engine.allocateScratch(1);
    engine.f32(at, 1)[0] = value;
    body(at);
  });
}

/**
 * Addition of a number: y = x + alpha
 *
 * @param x `[…]` f32, any shape.
 * @param alpha the summand.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `alpha` is not a number.
 */
export function addScalar(x: Weight, alpha: number): Tensor {
  x = floatsOf(x, 'addScalar: x');
  expectType('addScalar: alpha', alpha, 'a number');
  const { engine, size } = x;
  const y = empty(x.shape, { name: 'addScalar', timeMajor: x.timeMajor, engine });
  withConstant(x, alpha, (at) => engine.kernels.binary(Binary.Add, 1, size, x.ptr, size, 1, at, 0, 0, y.ptr));
  record([x], [y], (tape) => tape.give(x, tape.gradientOf(y)));
  return y;
}

/**
 * Limits to a range: y = min(max(x, low), high), with derivative 1 strictly inside and 0 elsewhere
 *
 * @param x `[…]` f32, any shape.
 * @param low the least value of y.
 * @param high the greatest value of y.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or a limit is not a number.
 * @see numpy.clip
 */
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
      // The derivative of relu at x − low and at high − x is the mask.
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

/** y = f(a, b), where f is one of `Binary`. `backward` is that of `binaryOp`. */
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

/** out = f(dy, x). x repeats along the same runs as in the forward pass. */
const combineGradient = (
  code: number,
  operands: Aligned,
  runs: readonly Run[],
  dy: Ptr,
  operand: number,
  out: Ptr,
): void => combine(operands[2].engine, code, runs, [dy, 2], [operands[operand]!.ptr, operand], out);

/**
 * Sum: y = a + b
 *
 * Shapes are aligned at their last axes. An axis of length 1, or a missing axis, repeats along that of the other
 * operand, as in NumPy.
 *
 * @param a `[…]` f32 or a number.
 * @param b `[…]` f32 or a number.
 * @returns a tensor of the common shape, in the memory order of the larger operand.
 * @throws ArgumentError if both are numbers, a tensor is not f32, a number is beyond float32, or two lengths of one
 *   axis differ and neither is 1.
 * @see https://numpy.org/doc/stable/user/basics.broadcasting.html
 *
 * @example
 * ops.add(ops.ones([2, 3]), tensor([10, 20, 30])).toArray(); // 11 21 31 11 21 31
 */
export const add = (a: Operand, b: Operand): Tensor =>
  binary('add', Binary.Add, a, b, ([, , y], _, dy, __, out) => y.engine.kernels.scale(y.size, 1, dy, out));

/**
 * Difference: y = a − b
 *
 * Shapes are broadcast as in `add`.
 *
 * @param a `[…]` f32 or a number.
 * @param b `[…]` f32 or a number.
 * @returns a tensor of the common shape, in the memory order of the larger operand.
 * @throws ArgumentError if both are numbers, a tensor is not f32, a number is beyond float32, or two lengths of one
 *   axis differ and neither is 1.
 * @see numpy.subtract
 */
export const sub = (a: Operand, b: Operand): Tensor =>
  binary('sub', Binary.Sub, a, b, ([, , y], _, dy, operand, out) =>
    y.engine.kernels.scale(y.size, operand === 0 ? 1 : -1, dy, out),
  );

/**
 * Product of elements: y = a ∘ b
 *
 * Shapes are broadcast as in `add`.
 *
 * @param a `[…]` f32 or a number.
 * @param b `[…]` f32 or a number.
 * @returns a tensor of the common shape, in the memory order of the larger operand.
 * @throws ArgumentError if both are numbers, a tensor is not f32, a number is beyond float32, or two lengths of one
 *   axis differ and neither is 1.
 * @see numpy.multiply
 */
export const mul = (a: Operand, b: Operand): Tensor =>
  binary('mul', Binary.Mul, a, b, (operands, runs, dy, operand, out) =>
    combineGradient(Binary.Mul, operands, runs, dy, 1 - operand, out),
  );

/**
 * Quotient: y = a / b
 *
 * Shapes are broadcast as in `add`.
 *
 * @param a `[…]` f32 or a number.
 * @param b `[…]` f32 or a number.
 * @returns a tensor of the common shape, in the memory order of the larger operand.
 * @throws ArgumentError if both are numbers, a tensor is not f32, a number is beyond float32, or two lengths of one
 *   axis differ and neither is 1.
 * @see numpy.divide
 */
export const div = (a: Operand, b: Operand): Tensor =>
  binary('div', Binary.Div, a, b, (operands, runs, dy, operand, out) => {
    combineGradient(Binary.Div, operands, runs, dy, 1, out);
    if (operand === 1) {
      const { engine, size, ptr } = operands[2];
      engine.kernels.binary(Binary.Mul, 1, size, out, size, 1, ptr, size, 1, out);
      engine.kernels.scale(size, -1, out, out);
    }
  });

/** The greater or the lesser of two operands. If they are equal, b gets no gradient, as in TensorFlow. */
function extreme(name: string, code: number, left: Operand, right: Operand): Tensor {
  return binary(name, code, left, right, ([a, b, { engine, size }], runs, dy, operand, out) => {
    const [first, second] = [
      [a.ptr, 0],
      [b.ptr, 1],
    ] as const;
    if (code === Binary.Max) combine(engine, Binary.Sub, runs, second, first, out);
    else combine(engine, Binary.Sub, runs, first, second, out);
    // The derivative of relu at the difference is 1 where y is b.
    engine.kernels.unary_backward(size, Unary.Relu, out, out, dy, out, 0);
    if (operand === 0) engine.kernels.binary(Binary.Sub, 1, size, dy, 0, 1, out, 0, 1, out);
  });
}

/**
 * Greater of two: y = max(a, b), NaN where either is NaN. Where they are equal, a gets the gradient.
 *
 * Shapes are broadcast as in `add`.
 *
 * @param a `[…]` f32 or a number.
 * @param b `[…]` f32 or a number.
 * @returns a tensor of the common shape, in the memory order of the larger operand.
 * @throws ArgumentError if both are numbers, a tensor is not f32, a number is beyond float32, or two lengths of one
 *   axis differ and neither is 1.
 * @see numpy.maximum
 */
export const maximum = (a: Operand, b: Operand): Tensor => extreme('maximum', Binary.Max, a, b);

/**
 * Lesser of two: y = min(a, b), NaN where either is NaN. Where they are equal, a gets the gradient.
 *
 * Shapes are broadcast as in `add`.
 *
 * @param a `[…]` f32 or a number.
 * @param b `[…]` f32 or a number.
 * @returns a tensor of the common shape, in the memory order of the larger operand.
 * @throws ArgumentError if both are numbers, a tensor is not f32, a number is beyond float32, or two lengths of one
 *   axis differ and neither is 1.
 * @see numpy.minimum
 */
export const minimum = (a: Operand, b: Operand): Tensor => extreme('minimum', Binary.Min, a, b);
