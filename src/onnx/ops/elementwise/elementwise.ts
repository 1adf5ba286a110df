// Operators that work element by element.
import type { Tensor } from '../../../autograd/tensor.ts';
import { sizeOf } from '../../../checks/shape.ts';
import { exp2 } from '../../../engine/float64.ts';
import * as ops from '../../../ops/index.ts';
import { anyArray, type ElementType, type HostData, hostArray, roundToEven } from '../../format/element-types.ts';
import type { NodeView, Operator } from '../../graph/node.ts';
import { Value } from '../../graph/value.ts';
import { broadcastShape, eachPlace } from '../broadcast.ts';
import { mapped } from '../mapped.ts';
import {
  celu,
  type Elementwise,
  elu,
  erf,
  gelu,
  hardSigmoid,
  leakyRelu,
  selu,
  shrink,
  sigmoidOf,
  softplusOf,
  swish,
  thresholdedRelu,
  type Unary,
} from './activations.ts';
import * as real from './real-functions.ts';

type Binary = (a: number, b: number) => number;

/** y = f(x) on an array. */
export function mapHost(x: Value, f: Unary, type: ElementType = x.type): Value {
  const data = hostArray(type, x.size);
  const { numbers } = x;
  for (let i = 0; i < data.length; i++) data[i] = f(numbers[i]!);
  return Value.ofHost(type, x.shape, data);
}

/** y = f(a, b) on arrays. */
export function combineHost(a: Value, b: Value, f: Binary, type: ElementType = a.type): Value {
  const shape = broadcastShape(a.shape, b.shape);
  const data = hostArray(type, sizeOf(shape));
  const [left, right] = [a.numbers, b.numbers];
  eachPlace(shape, [a.shape, b.shape], (at, places) => {
    data[at] = f(left[places[0]!]!, right[places[1]!]!);
  });
  return Value.ofHost(type, shape, data);
}

/** Keeps the order of the elements in memory, with the channels last or not. */
function onTensor(x: Value, f: (x: Tensor) => Tensor, type = x.type): Value {
  return x.isChannelsLast ? Value.ofChannelsLast(f(x.channelsLast)) : Value.ofTensor(f(x.tensor), type);
}

/** An operator of one operand, and of attributes that `read` reads. */
const withOptions = (read: (node: NodeView) => Elementwise): Operator => ({
  make(node) {
    const [f, kernel] = read(node);
    return ([x]) => (x!.isHost ? mapHost(x!, f) : onTensor(x!, kernel));
  },
});

/** An operator of one operand. */
const unary = (...both: Elementwise): Operator => withOptions(() => both);

/** An operator of one operand without a kernel of its own. */
const plain = (f: Unary, derivative: (x: number, y: number) => number): Operator =>
  unary(f, (x) => mapped(x, f, derivative));

/** Old operators broadcast only if `broadcast` is set, with the second operand from an axis on. */
function operandsOf(node: NodeView): (a: Value, b: Value) => readonly [Value, Value] {
  const [axis, isOld] = [node.int('axis', -1), node.version < 7];
  node.int('broadcast', 0);
  node.ints('consumed_inputs');
  return (a, b) => {
    if (!isOld || axis < 0) return [a, b];
    const trailing = a.shape.length - axis - b.shape.length;
    return [a, b.reshaped([...b.shape, ...Array(trailing).fill(1)])];
  };
}

/** An operator of two operands. */
const binary = (f: Binary, kernel: (a: Tensor, b: Tensor) => Tensor, ofIntegers: Binary = f): Operator => ({
  make(node) {
    const align = operandsOf(node);
    return ([left, right]) => {
      const [a, b] = align(left!, right!);
      if (a.isHost && b.isHost) return combineHost(a, b, a.isFloat ? f : ofIntegers);
      const together = channelsLastOf(a, b);
      if (together) return Value.ofChannelsLast(kernel(...together));
      return Value.ofTensor(kernel(a.tensor, b.tensor), a.type);
    };
  },
});

/** Both operands with the channels last, if one of them is stored so and the other fits it cheaply. */
function channelsLastOf(a: Value, b: Value): [Tensor, Tensor] | undefined {
  if (!a.isChannelsLast && !b.isChannelsLast) return undefined;
  const turned = (x: Value, like: Value): Tensor | undefined => {
    if (x.isChannelsLast) return x.channelsLast;
    if (x.size === 1) return ops.reshape(x.tensor, [1]);
    const { length } = like.shape;
    const whole = [...Array(Math.max(length - x.shape.length, 0)).fill(1), ...x.shape] as number[];
    // One number a channel.
    if (whole.length === length && x.size === whole[1]) return ops.reshape(x.tensor, [x.size]);
    return undefined;
  };
  const pair = [turned(a, b), turned(b, a)];
  return pair[0] && pair[1] ? (pair as [Tensor, Tensor]) : undefined;
}

const compare = (f: Binary, kernel: (a: Tensor, b: Tensor) => Tensor): Operator => ({
  make(node) {
    const align = operandsOf(node);
    return ([left, right]) => {
      const [a, b] = align(left!, right!);
      if (a.type === 'string') return combineHost(...strings(a, b), f, 'bool');
      if ((a.isHost && b.isHost) || !a.isFloat) return combineHost(a, b, f, 'bool');
      return Value.ofTensor(kernel(a.tensor, b.tensor), 'bool');
    };
  },
});

/** Strings as numbers of which equal strings have equal ones. */
function strings(a: Value, b: Value): [Value, Value] {
  const ids = new Map<string, number>();
  const idOf = (text: string): number => {
    if (!ids.has(text)) ids.set(text, ids.size);
    return ids.get(text)!;
  };
  const [left, right] = [a, b].map((x) =>
    Value.ofHost('int64', x.shape, Float64Array.from((x.host as string[]).map(idOf))),
  );
  return [left!, right!];
}

const logical = (f: Binary): Operator => ({
  make(node) {
    const align = operandsOf(node);
    return ([left, right]) => combineHost(...align(left!, right!), f, 'bool');
  },
});

/** An operator of any number of operands. */
const variadic = (f: Binary, kernel: (a: Tensor, b: Tensor) => Tensor, isMean = false): Operator => ({
  make(node) {
    node.ints('consumed_inputs');
    return (inputs) => {
      const values = inputs as Value[];
      if (values.every(({ isHost }) => isHost)) {
        const whole = values.reduce((a, b) => combineHost(a, b, f));
        return isMean ? mapHost(whole, (x) => x / values.length) : whole;
      }
      const total = values.map(({ tensor }) => tensor).reduce(kernel);
      return Value.ofTensor(isMean ? ops.scale(total, 1 / values.length) : total, values[0]!.type);
    };
  },
});

/** Integers of 32 bits and fewer wrap around in their array; a product of such needs more than a double's 53 bits. */
const multiplyIntegers: Binary = (a, b) =>
  Math.abs(a * b) < 2 ** 53 ? a * b : Number(BigInt.asIntN(64, BigInt(a) * BigInt(b)));

/** Integer division cuts off towards 0. */
const divideIntegers: Binary = (a, b) => Math.trunc(a / b);

const { sqrt, abs, sign, PI } = Math;

const clipOperator: Operator = {
  make(node) {
    const [low, high] = [node.float('min', Number.NEGATIVE_INFINITY), node.float('max', Number.POSITIVE_INFINITY)];
    node.ints('consumed_inputs');
    return ([x, least, most]) => {
      if (least?.isTracked || most?.isTracked) {
        const t = least ? ops.maximum(x!.tensor, least.tensor) : x!.tensor;
        return Value.ofTensor(most ? ops.minimum(t, most.tensor) : t, x!.type);
      }
      const [from, to] = [least?.item ?? low, most?.item ?? high];
      if (x!.isHost) return mapHost(x!, (value) => Math.min(Math.max(value, from), to));
      if (from > to) return onTensor(x!, (t) => ops.addScalar(ops.scale(t, 0), to));
      return onTensor(x!, (t) => ops.clip(t, from, to));
    };
  },
};

const pRelu: Operator = {
  make(node) {
    node.ints('consumed_inputs');
    return ([x, slope]) => {
      if (x!.isHost && slope!.isHost) return combineHost(x!, slope!, (value, s) => (value < 0 ? value * s : value));
      // Before version 7 the slope had one number a channel, and its shape is often still so.
      const { shape } = slope!;
      const perChannel =
        shape.length === 1 && shape[0] === x!.shape[1] && x!.shape.length > 2 && shape[0] !== x!.shape.at(-1);
      const s = perChannel
        ? ops.reshape(slope!.tensor, [shape[0]!, ...Array(x!.shape.length - 2).fill(1)])
        : slope!.tensor;
      const t = x!.tensor;
      return Value.ofTensor(ops.add(ops.relu(t), ops.mul(s, ops.minimum(t, 0))), x!.type);
    };
  },
};

const where: Operator = {
  make:
    () =>
    ([condition, a, b]) => {
      const shape = broadcastShape(condition!.shape, a!.shape, b!.shape);
      if (a!.isFloat && !(condition!.isHost && a!.isHost && b!.isHost)) {
        return Value.ofTensor(ops.where(condition!.tensor, a!.tensor, b!.tensor), a!.type);
      }
      const data = anyArray(a!.type, sizeOf(shape));
      const [mask, left, right] = [condition!.numbers, a!.host, b!.host];
      eachPlace(shape, [condition!.shape, a!.shape, b!.shape], (at, [c, i, j]) => {
        data[at] = mask[c!] ? left[i!]! : right[j!]!;
      });
      return Value.ofHost(a!.type, shape, data as HostData);
    },
};

const mod: Operator = {
  make(node) {
    const isFmod = node.flag('fmod');
    return ([a, b]) => {
      const f: Binary = isFmod ? (x, y) => x % y : (x, y) => x - Math.floor(x / y) * y;
      if ((a!.isHost && b!.isHost) || !a!.isFloat) return combineHost(a!, b!, f);
      const [x, y] = [a!.tensor, b!.tensor];
      // x mod y = x − q·y with q a constant.
      const q = mapped(ops.div(x, y), isFmod ? Math.trunc : Math.floor);
      return Value.ofTensor(ops.sub(x, ops.mul(q, y)), a!.type);
    };
  },
};

const power: Operator = {
  make(node) {
    const align = operandsOf(node);
    return ([left, right]) => {
      const [a, b] = align(left!, right!);
      if (a.isHost && b.isHost) return combineHost(a, b, real.pow);
      if (b.isHost && b.size === 1) {
        const exponent = b.item;
        if (exponent === 2) return onTensor(a, ops.square);
        if (exponent === 1) return a;
        if (exponent === 0.5) return onTensor(a, ops.sqrt);
        if (exponent === -1) return onTensor(a, ops.reciprocal);
      }
      return Value.ofTensor(ops.pow(a.tensor, b.tensor), a.type);
    };
  },
};

const shift: Operator = {
  make(node) {
    const isLeft = node.choice('direction', ['LEFT', 'RIGHT'], 'LEFT') === 'LEFT';
    return ([a, b]) => combineHost(a!, b!, (x, n) => (isLeft ? x * exp2(n) : Math.floor(x / exp2(n))));
  },
};

const bitwise = (f: (a: bigint, b: bigint) => bigint): Operator => ({
  make:
    () =>
    ([a, b]) =>
      combineHost(a!, b!, (x, y) => {
        const bits = f(BigInt(x), BigInt(y));
        return Number(a!.type.startsWith('u') ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits));
      }),
});

export const elementwise: Readonly<Record<string, Operator>> = {
  Add: binary((a, b) => a + b, ops.add),
  Sub: binary((a, b) => a - b, ops.sub),
  Mul: binary((a, b) => a * b, ops.mul, multiplyIntegers),
  Div: binary((a, b) => a / b, ops.div, divideIntegers),
  Pow: power,
  Mod: mod,
  BitShift: shift,
  BitwiseAnd: bitwise((a, b) => a & b),
  BitwiseOr: bitwise((a, b) => a | b),
  BitwiseXor: bitwise((a, b) => a ^ b),
  BitwiseNot: {
    make:
      () =>
      ([x]) =>
        mapHost(x!, (value) => (x!.type.startsWith('u') ? ~value : -value - 1)),
  },
  Max: variadic(Math.max, ops.maximum),
  Min: variadic(Math.min, ops.minimum),
  Sum: variadic((a, b) => a + b, ops.add),
  Mean: variadic((a, b) => a + b, ops.add, true),
  Equal: compare((a, b) => +(a === b), ops.equal),
  Greater: compare((a, b) => +(a > b), ops.greater),
  GreaterOrEqual: compare((a, b) => +(a >= b), ops.greaterEqual),
  Less: compare((a, b) => +(a < b), ops.less),
  LessOrEqual: compare((a, b) => +(a <= b), ops.lessEqual),
  And: logical((a, b) => a & b),
  Or: logical((a, b) => a | b),
  Xor: logical((a, b) => a ^ b),
  Not: {
    make:
      () =>
      ([x]) =>
        mapHost(x!, (value) => +!value),
  },
  Where: where,
  Clip: clipOperator,
  PRelu: pRelu,
  Neg: unary((x) => -x, ops.neg),
  Abs: unary(abs, ops.abs),
  Sqrt: unary(sqrt, ops.sqrt),
  Exp: unary(real.exp, ops.exp),
  Log: unary(real.log, ops.log),
  Reciprocal: unary((x) => 1 / x, ops.reciprocal),
  Sigmoid: unary(sigmoidOf, ops.sigmoid),
  Tanh: unary(real.tanh, ops.tanh),
  Relu: unary((x) => Math.max(x, 0), ops.relu),
  Softplus: unary(softplusOf, ops.softplus),
  Softsign: unary((x) => x / (1 + abs(x)), ops.softsign),
  Mish: unary((x) => x * real.tanh(softplusOf(x)), ops.mish),
  HardSwish: unary((x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1), ops.hardSilu),
  Sin: unary(real.sin, ops.sin),
  Cos: unary(real.cos, ops.cos),
  Erf: plain(erf, (x) => (2 / sqrt(PI)) * real.exp(-x * x)),
  Tan: plain(real.tan, (_, y) => 1 + y * y),
  Asin: plain(real.asin, (x) => 1 / sqrt(1 - x * x)),
  Acos: plain(real.acos, (x) => -1 / sqrt(1 - x * x)),
  Atan: plain(real.atan, (x) => 1 / (1 + x * x)),
  Sinh: plain(real.sinh, (x) => real.cosh(x)),
  Cosh: plain(real.cosh, (x) => real.sinh(x)),
  Asinh: plain(real.asinh, (x) => 1 / sqrt(x * x + 1)),
  Acosh: plain(real.acosh, (x) => 1 / sqrt(x * x - 1)),
  Atanh: plain(real.atanh, (x) => 1 / (1 - x * x)),
  Floor: plain(Math.floor, () => 0),
  Ceil: plain(Math.ceil, () => 0),
  Round: plain(roundToEven, () => 0),
  Sign: plain(sign, () => 0),
  IsNaN: {
    make:
      () =>
      ([x]) =>
        mapHost(x!, (value) => +Number.isNaN(value), 'bool'),
  },
  IsInf: {
    make(node) {
      const [low, high] = [node.flag('detect_negative', true), node.flag('detect_positive', true)];
      const isFound = (x: number): boolean =>
        (high && x === Number.POSITIVE_INFINITY) || (low && x === Number.NEGATIVE_INFINITY);
      return ([x]) => mapHost(x!, (value) => +isFound(value), 'bool');
    },
  },
  LeakyRelu: withOptions((node) => leakyRelu(node.float('alpha', 0.01))),
  ThresholdedRelu: withOptions((node) => thresholdedRelu(node.float('alpha', 1))),
  Elu: withOptions((node) => elu(node.float('alpha', 1))),
  Celu: withOptions((node) => celu(node.float('alpha', 1))),
  Selu: withOptions((node) => selu(node.float('alpha', 1.6732631921768188), node.float('gamma', 1.0507010221481323))),
  HardSigmoid: withOptions((node) => hardSigmoid(node.float('alpha', 0.2), node.float('beta', 0.5))),
  Shrink: withOptions((node) => shrink(node.float('lambd', 0.5), node.float('bias', 0))),
  Gelu: withOptions((node) => gelu(node.choice('approximate', ['none', 'tanh'], 'none') === 'tanh')),
  Swish: withOptions((node) => swish(node.float('alpha', 1))),
};
