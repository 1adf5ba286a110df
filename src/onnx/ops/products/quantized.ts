// Quantized operators, with their exact meaning: integers are computed as integers.
import { empty } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';
import { sizeOf } from '../../../checks/shape.ts';
import * as ops from '../../../ops/index.ts';
import { type ElementType, hostArray, isFloat, roundToEven, toFloat16 } from '../../format/element-types.ts';
import type { Kernel, NodeView, Operator } from '../../graph/node.ts';
import { Value } from '../../graph/value.ts';
import { axisOf } from '../broadcast.ts';
import { castTo } from '../cast.ts';
import { combineHost } from '../elementwise/elementwise.ts';
import { picked } from '../mapped.ts';
import { windows } from '../windows.ts';
import { integerProduct } from './products.ts';

const limits: Readonly<Record<string, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint4: [0, 15],
  int4: [-8, 7],
};

/** The scale or the zero point that belongs to element `i` of `shape`: one for all, one a place of an axis, or one a block. */
function scalePlaces(shape: readonly number[], scale: Value, axis: number, block: number): (i: number) => number {
  if (scale.size === 1) return () => 0;
  const at = axisOf(axis, shape.length);
  const inner = sizeOf(shape.slice(at + 1));
  const length = shape[at]!;
  if (block === 0) return (i) => Math.floor(i / inner) % length;
  const blocks = scale.shape[at]!;
  return (i) => {
    const place = Math.floor(i / inner) % length;
    const outer = Math.floor(i / (inner * length));
    return (outer * blocks + Math.floor(place / block)) * inner + (i % inner);
  };
}

/** The zero point that belongs to place `j` of the scale. */
const zeroAt = (zero: Value | undefined, j: number): number => (zero ? zero.numbers[zero.size === 1 ? 0 : j]! : 0);

/** q = saturate(round(x/scale) + zero) */
export function quantize(
  x: Value,
  scale: Value,
  zero: Value | undefined,
  type: ElementType,
  axis = 1,
  block = 0,
): Value {
  const [low, high] = limits[type] ?? refuseType(type);
  const place = scalePlaces(x.shape, scale, axis, block);
  const data = hostArray(type, x.size);
  const [xs, scales] = [x.numbers, scale.numbers];
  for (let i = 0; i < data.length; i++) {
    const j = place(i);
    const q = roundToEven(Math.fround(xs[i]! / scales[j]!)) + zeroAt(zero, j);
    data[i] = Math.min(Math.max(q, low), high);
  }
  return Value.ofHost(type, x.shape, data);
}

/** x = (q − zero)·scale */
export function dequantize(q: Value, scale: Value, zero: Value | undefined, axis = 1, block = 0): Value {
  const place = scalePlaces(q.shape, scale, axis, block);
  if (scale.isTracked) {
    const steps = empty(q.shape, { name: 'steps' });
    steps.dataView().set(Float32Array.from(q.numbers, (n, i) => n - zeroAt(zero, place(i))));
    const places = Int32Array.from({ length: q.size }, (_, i) => place(i));
    return Value.ofTensor(ops.mul(steps, picked(scale.tensor, places, q.shape)), scale.type);
  }
  const data = new Float32Array(q.size);
  const [qs, scales] = [q.numbers, scale.numbers];
  for (let i = 0; i < data.length; i++) {
    const j = place(i);
    const x = (qs[i]! - zeroAt(zero, j)) * scales[j]!;
    data[i] = scale.type === 'float16' ? toFloat16(x) : x;
  }
  return Value.ofHost(isFloat(scale.type) ? scale.type : 'float32', q.shape, data);
}

function refuseType(type: string): never {
  throw new ArgumentError(`quantized values of type ${type} are not supported`);
}

const quantizeLinear: Operator = {
  gradientIsDue: true,
  make(node) {
    const [axis, block] = [node.int('axis', 1), node.int('block_size', 0)];
    node.int('saturate', 1);
    node.int('precision', 0);
    const given =
      node.has('output_dtype') && node.int('output_dtype', 0) !== 0 ? node.type('output_dtype', 2) : undefined;
    return ([x, scale, zero]) => quantize(x!, scale!, zero, zero?.type ?? given ?? 'uint8', axis, block);
  },
};

const dequantizeLinear: Operator = {
  make(node) {
    const [axis, block] = [node.int('axis', 1), node.int('block_size', 0)];
    node.int('output_dtype', 0);
    return ([q, scale, zero]) => dequantize(q!, scale!, zero, axis, block);
  },
};

/** Scale and zero point of a tensor, for uint8. */
function dynamicRange(x: Value): { scale: Value; zero: Value } {
  let [low, high] = [0, 0];
  for (const value of x.numbers) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const scale = Math.fround((high - low) / 255);
  const zero = scale === 0 ? 0 : Math.min(Math.max(roundToEven(Math.fround(-low / scale)), 0), 255);
  return {
    scale: Value.ofHost('float32', [], Float32Array.of(scale)),
    zero: Value.ofHost('uint8', [], Uint8Array.of(zero)),
  };
}

const dynamicQuantizeLinear: Operator = {
  gradientIsDue: true,
  make:
    () =>
    ([x]) => {
      const { scale, zero } = dynamicRange(x!);
      return [
        scale.item === 0
          ? Value.ofHost('uint8', x!.shape, new Uint8Array(x!.size))
          : quantize(x!, scale, zero, 'uint8'),
        scale,
        zero,
      ];
    },
};

/** Integers less their zero point; one a row of the left operand, or one a column of the right one. */
export function centred(x: Value, zero: Value | undefined, axis: number): Value {
  const data = hostArray('int32', x.size);
  const place = zero ? scalePlaces(x.shape, zero, axis, 0) : () => 0;
  for (let i = 0; i < data.length; i++) data[i] = x.numbers[i]! - (zero?.numbers[place(i)] ?? 0);
  return Value.ofHost('int32', x.shape, data);
}

const matMulInteger: Operator = {
  make:
    () =>
    ([a, b, zeroA, zeroB]) =>
      integerProduct(centred(a!, zeroA, -2), centred(b!, zeroB, -1), 'int32'),
};

const qLinearMatMul: Operator = {
  make:
    () =>
    ([a, scaleA, zeroA, b, scaleB, zeroB, scaleY, zeroY]) => {
      const sums = integerProduct(centred(a!, zeroA, -2), centred(b!, zeroB, -1), 'int32');
      return requantized(sums, [scaleA!, scaleB!], scaleY!, zeroY!, -1);
    },
};

/** Sums of products of two quantized tensors, quantized anew. */
export function requantized(
  sums: Value,
  [a, b]: readonly [Value, Value],
  scale: Value,
  zero: Value,
  axis: number,
): Value {
  const product = combine(a, b);
  const factor = Value.ofHost(
    'float32',
    product.shape,
    Float32Array.from(product.numbers, (x) => x / scale.item),
  );
  return quantize(
    dequantize(sums, factor, undefined, axis),
    Value.ofHost('float32', [], Float32Array.of(1)),
    zero,
    zero.type,
  );
}

/** The products of two scales, one of which may have several. */
export const combine = (a: Value, b: Value): Value => {
  const [more, one] = a.size > 1 ? [a, b] : [b, a];
  return Value.ofHost(
    'float32',
    more.shape,
    Float32Array.from(more.numbers, (x) => x * one.item),
  );
};

/** An integer convolution. Products of 8-bit numbers and their sums are exact in float32 up to 2²⁴. */
function integerConv(node: NodeView): (x: Value, w: Value) => Value {
  const kernel = windows.Conv!.make(node);
  return (x, w) => {
    const taps = sizeOf(w.shape.slice(1));
    if (taps * 255 * 255 > 2 ** 24)
      throw new ArgumentError(`windows of ${taps} numbers have sums that float32 cannot hold`);
    const y = (kernel as Kernel)([castTo(x, 'float32'), castTo(w, 'float32')], undefined as never) as Value;
    return Value.ofHost('int32', y.shape, Int32Array.from(y.numbers));
  };
}

const convInteger: Operator = {
  make(node) {
    const run = integerConv(node);
    return ([x, w, zeroX, zeroW]) => run(centred(x!, zeroX, 1), centred(w!, zeroW, 0));
  },
};

const qLinearConv: Operator = {
  make(node) {
    const run = integerConv(node);
    return ([x, scaleX, zeroX, w, scaleW, zeroW, scaleY, zeroY, bias]) => {
      const sums = run(centred(x!, zeroX, 1), centred(w!, zeroW, 0));
      const channels = bias?.reshaped([bias.size, ...Array(sums.shape.length - 2).fill(1)]);
      const whole = channels ? combineHost(sums, channels, (a, b) => a + b) : sums;
      return requantized(whole, [scaleX!, scaleW!], scaleY!, zeroY!, 1);
    };
  },
};

export const quantized: Readonly<Record<string, Operator>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  MatMulInteger: matMulInteger,
  QLinearMatMul: qLinearMatMul,
  ConvInteger: convInteger,
  QLinearConv: qLinearConv,
};
