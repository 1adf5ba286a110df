import { tensorOf, type Weight } from '../autograd/parameter.ts';
import { record } from '../autograd/tape.ts';
import { ArgumentError, empty, expectF32, formatShape, sameShape, sizeOf, type Tensor } from '../autograd/tensor.ts';
import { Binary, type Ptr, Unary } from '../engine/abi.ts';
import { expectType } from '../engine/argument-error.ts';
import { inOrder } from './layout.ts';

/** y = f(x) for f one of `Unary`. @internal */
export function unary(name: string, code: number, x: Tensor): Tensor {
  expectF32(`${name}: x`, x);
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
export const neg = (x: Tensor): Tensor => unary('neg', Unary.Neg, x);
/** y = |x|, with derivative 0 at 0 */
export const abs = (x: Tensor): Tensor => unary('abs', Unary.Abs, x);
/** y = x² */
export const square = (x: Tensor): Tensor => unary('square', Unary.Square, x);
/** y = √x */
export const sqrt = (x: Tensor): Tensor => unary('sqrt', Unary.Sqrt, x);
/** y = 1/x */
export const reciprocal = (x: Tensor): Tensor => unary('reciprocal', Unary.Reciprocal, x);
/** y = eˣ, within 4 ulp */
export const exp = (x: Tensor): Tensor => unary('exp', Unary.Exp, x);
/** y = ln x, within 4 ulp */
export const log = (x: Tensor): Tensor => unary('log', Unary.Log, x);
/** y = 1/(1 + e⁻ˣ), within 4 ulp */
export const sigmoid = (x: Tensor): Tensor => unary('sigmoid', Unary.Sigmoid, x);
/** y = tanh x, within 4 ulp */
export const tanh = (x: Tensor): Tensor => unary('tanh', Unary.Tanh, x);
/** y = max(x, 0), with derivative 0 at 0 */
export const relu = (x: Tensor): Tensor => unary('relu', Unary.Relu, x);

/** y = alpha·x */
export function scale(x: Tensor, alpha: number): Tensor {
  expectF32('scale: x', x);
  expectType('an operand', alpha, 'a number');
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
  expectType('an operand', value, 'a number');
  const { engine } = x;
  engine.scratch(() => {
    const at = engine.allocateScratch(1);
    engine.f32(at, 1)[0] = value;
    body(at);
  });
}

/** y = x + alpha */
export function addScalar(x: Tensor, alpha: number): Tensor {
  expectF32('addScalar: x', x);
  const { engine, size } = x;
  const y = empty(x.shape, { name: 'addScalar', timeMajor: x.timeMajor, engine });
  withConstant(x, alpha, (at) => engine.kernels.binary(Binary.Add, 1, size, x.ptr, size, 1, at, 0, 0, y.ptr));
  record([x], [y], (tape) => tape.give(x, tape.gradientOf(y)));
  return y;
}

/** y = min(max(x, low), high), with derivative 1 strictly inside and 0 elsewhere */
export function clip(x: Tensor, low: number, high: number): Tensor {
  expectF32('clip: x', x);
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

// How the two operands of a binary op line up: the result has the shape of the larger, the smaller repeats over leading axes.
interface Broadcast {
  a: Tensor;
  b: Tensor;
  shape: readonly number[];
  timeMajor: boolean;
  outer: number;
  inner: number;
}

function broadcast(name: string, a: Tensor, b: Tensor): Broadcast {
  expectF32(`${name}: a`, a);
  expectF32(`${name}: b`, b);
  // What has no elements has more than one that repeats.
  const extent = ({ size }: Tensor): number => size || Number.POSITIVE_INFINITY;
  const isLonger = extent(a) === extent(b) ? a.shape.length >= b.shape.length : extent(a) > extent(b);
  const larger = isLonger ? a : b;
  const smaller = larger === a ? b : a;
  const repeated = smaller.shape.slice(smaller.shape.findIndex((n) => n !== 1));
  const suffix = smaller.size === 1 ? [] : repeated;
  if (!sameShape(suffix, larger.shape.slice(larger.shape.length - suffix.length))) {
    throw new ArgumentError(
      `${name}: shapes expected to be equal, or one to be the trailing axes of the other, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  // A suffix that takes in one of the two leading axes must have them in the same memory order.
  const overlaps = suffix.length > larger.shape.length - 2;
  const timeMajor = overlaps && suffix.length < larger.shape.length ? false : larger.timeMajor;
  const big = inOrder(larger, timeMajor);
  const small =
    overlaps && suffix.length === larger.shape.length ? inOrder(smaller, timeMajor) : inOrder(smaller, false);
  const inner = Math.max(sizeOf(suffix), 1);
  return {
    a: larger === a ? big : small,
    b: larger === a ? small : big,
    shape: larger.shape,
    timeMajor,
    outer: larger.size / inner,
    inner,
  };
}

/** Strides with which an operand repeats: whole, row by row, or one value throughout. */
function strides(x: Tensor, { outer, inner }: Broadcast): [number, number] {
  if (x.size === outer * inner) return [inner, 1];
  return [0, x.size === 1 ? 0 : 1];
}

function binary(
  name: string,
  code: number,
  left: Weight,
  right: Weight,
  // ∂L/∂operand at full size into `out`, from ∂L/∂y.
  gradients: (shape: Broadcast, y: Tensor, dy: Ptr, operand: 'a' | 'b', out: Ptr) => void,
): Tensor {
  const shape = broadcast(name, tensorOf(left), tensorOf(right));
  const { a, b, outer, inner } = shape;
  const { engine } = a;
  const y = empty(shape.shape, { name, timeMajor: shape.timeMajor, engine });
  const [outerA, innerA] = strides(a, shape);
  const [outerB, innerB] = strides(b, shape);
  engine.kernels.binary(code, outer, inner, a.ptr, outerA, innerA, b.ptr, outerB, innerB, y.ptr);
  record([a, b], [y], (tape) => {
    const dy = tape.gradientOf(y);
    for (const operand of ['a', 'b'] as const) {
      const x = shape[operand];
      if (!tape.tracks(x)) continue;
      if (x.size === y.size) {
        const full = engine.allocateScratch(y.size);
        gradients(shape, y, dy, operand, full);
        tape.give(x, full);
      } else {
        const { ptr, accumulate } = tape.into(x)!;
        engine.scratch(() => {
          const full = engine.allocateScratch(y.size);
          gradients(shape, y, dy, operand, full);
          if (x.size === 1) engine.kernels.row_sum(1, y.size, full, y.size, ptr, accumulate);
          else engine.kernels.col_sum(outer, inner, full, inner, ptr, accumulate);
        });
      }
    }
  });
  return y;
}

/** out = dy ∘ x, where x repeats as it did forward. */
function times(code: number, shape: Broadcast, dy: Ptr, x: Tensor, out: Ptr): void {
  const [outer, inner] = strides(x, shape);
  x.engine.kernels.binary(code, shape.outer, shape.inner, dy, shape.inner, 1, x.ptr, outer, inner, out);
}

/** y = a + b; where one has fewer leading axes it repeats over them. */
export const add = (a: Weight, b: Weight): Tensor =>
  binary('add', Binary.Add, a, b, (_, y, dy, __, out) => y.engine.kernels.scale(y.size, 1, dy, out));

/** y = a − b, repeating as in `add`. */
export const sub = (a: Weight, b: Weight): Tensor =>
  binary('sub', Binary.Sub, a, b, (_, y, dy, operand, out) =>
    y.engine.kernels.scale(y.size, operand === 'a' ? 1 : -1, dy, out),
  );

/** y = a ∘ b, repeating as in `add`. */
export const mul = (a: Weight, b: Weight): Tensor =>
  binary('mul', Binary.Mul, a, b, (shape, _, dy, operand, out) =>
    times(Binary.Mul, shape, dy, operand === 'a' ? shape.b : shape.a, out),
  );

/** y = a / b, repeating as in `add`. */
export const div = (a: Weight, b: Weight): Tensor =>
  binary('div', Binary.Div, a, b, (shape, y, dy, operand, out) => {
    times(Binary.Div, shape, dy, shape.b, out);
    if (operand === 'b') {
      const { kernels } = y.engine;
      kernels.binary(Binary.Mul, 1, y.size, out, y.size, 1, y.ptr, y.size, 1, out);
      kernels.scale(y.size, -1, out, out);
    }
  });

/** out = dy where `winner` is greater than `loser`, else 0. */
function whereGreater(shape: Broadcast, winner: Tensor, loser: Tensor, dy: Ptr, out: Ptr): void {
  const { kernels } = winner.engine;
  const count = shape.outer * shape.inner;
  kernels.binary(
    ...([Binary.Sub, shape.outer, shape.inner] as const),
    ...([winner.ptr, ...strides(winner, shape), loser.ptr, ...strides(loser, shape), out] as const),
  );
  // relu's derivative at the difference is the mask.
  kernels.unary_backward(count, Unary.Relu, out, out, dy, out, 0);
}

/** The second of two equal elements has no gradient, as in TensorFlow. */
function extreme(name: string, code: number, a: Weight, b: Weight): Tensor {
  return binary(name, code, a, b, (shape, y, dy, operand, out) => {
    if (code === Binary.Max) whereGreater(shape, shape.b, shape.a, dy, out);
    else whereGreater(shape, shape.a, shape.b, dy, out);
    if (operand === 'a') y.engine.kernels.binary(Binary.Sub, 1, y.size, dy, 0, 1, out, 0, 1, out);
  });
}

/** y = max(a, b), repeating as in `add`; NaN where either is. Where they are equal, a has the gradient. */
export const maximum = (a: Weight, b: Weight): Tensor => extreme('maximum', Binary.Max, a, b);

/** y = min(a, b), repeating as in `add`; NaN where either is. Where they are equal, a has the gradient. */
export const minimum = (a: Weight, b: Weight): Tensor => extreme('minimum', Binary.Min, a, b);
