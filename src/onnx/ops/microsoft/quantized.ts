// Quantized operators of ONNX Runtime: integers are computed as integers.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
import { empty } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';
import { sizeOf } from '../../../checks/shape.ts';
import { roundToEven } from '../../format/element-types.ts';
import type { Kernel, NodeView, Operator, Step } from '../../graph/node.ts';
import { Value } from '../../graph/value.ts';
import { axisOf } from '../broadcast.ts';
import { sigmoidOf } from '../elementwise/activations.ts';
import { combineHost, mapHost } from '../elementwise/elementwise.ts';
import { integerProduct, turnHost } from '../products/products.ts';
import { centred, combine, dequantize, quantize, quantized, requantized } from '../products/quantized.ts';
import { joinHost } from '../shapes/places.ts';
import { windows } from '../windows.ts';

const { fround } = Math;

/** Floats in linear memory. */
export function floats(shape: readonly number[], at: (i: number) => number): Value {
  const tensor = empty(shape, { name: 'dequantized' });
  const data = tensor.dataView();
  for (let i = 0; i < data.length; i++) data[i] = at(i);
  return Value.ofTensor(tensor);
}

/** Scale and zero point of floats for uint8. All zeros have the scale 1. */
export function rangeOf(x: ArrayLike<number>, from = 0, to = x.length): { scale: number; zero: number } {
  let [low, high] = [0, 0];
  for (let i = from; i < to; i++) {
    const value = x[i]!;
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  const scale = high === low ? 1 : fround(fround(high - low) / 255);
  return { scale, zero: Math.min(Math.max(roundToEven(fround(-low / scale)), 0), 255) };
}

/** sums·scale + bias, with one scale for all or one a column. */
function scaled(sums: Value, scale: Value, bias: Value | undefined): Value {
  const [numbers, scales, biases] = [sums.numbers, scale.numbers, bias?.numbers];
  const columns = sums.shape.at(-1) ?? 1;
  return floats(sums.shape, (i) => {
    const y = fround(numbers[i]! * scales[scales.length === 1 ? 0 : i % columns]!);
    return biases ? y + biases[i % columns]! : y;
  });
}

const matMulIntegerToFloat: Operator = {
  make:
    () =>
    ([a, b, scaleA, scaleB, zeroA, zeroB, bias]) => {
      if (scaleA!.size !== 1) throw new ArgumentError('a_scale with more than one number is not supported');
      return scaled(
        integerProduct(centred(a!, zeroA, -2), centred(b!, zeroB, -1), 'int32'),
        combine(scaleA!, scaleB!),
        bias,
      );
    },
};

const dynamicQuantizeMatMul: Operator = {
  make:
    () =>
    ([a, b, scaleB, zeroB, bias]) => {
      const { scale, zero } = rangeOf(a!.numbers);
      const scaleA = Value.ofHost('float32', [], Float32Array.of(scale));
      const zeroA = Value.ofHost('uint8', [], Uint8Array.of(zero));
      const q = quantize(a!, scaleA, zeroA, 'uint8');
      return scaled(
        integerProduct(centred(q, zeroA, -2), centred(b!, zeroB, -1), 'int32'),
        combine(scaleB!, scaleA),
        bias,
      );
    },
};

const turned = (x: Value, isTurned: boolean): Value => (isTurned ? turnHost(x) : x);

const qGemm: Operator = {
  make(node) {
    const [alpha, isTurnedA, isTurnedB] = [node.float('alpha', 1), node.flag('transA'), node.flag('transB')];
    return ([a, scaleA, zeroA, b, scaleB, zeroB, c, scaleY, zeroY]) => {
      // A zero point a column belongs to the columns of the turned B.
      const left = turned(centred(a!, zeroA, 0), isTurnedA);
      const right = centred(turned(b!, isTurnedB), zeroB, -1);
      const product = integerProduct(left, right, 'int32');
      const sums = c ? combineHost(product, c, (x, y) => x + y) : product;
      const scale = mapHost(combine(scaleB!, scaleA!), (each) => fround(alpha * each));
      return scaleY ? requantized(sums, [scale, one], scaleY, zeroY!, -1) : scaled(sums, scale, undefined);
    };
  },
};

const one = Value.ofHost('float32', [], Float32Array.of(1));

/** c = quantized(f(a, b)) */
const binary = (f: (a: number, b: number) => number): Operator => ({
  make:
    () =>
    ([a, scaleA, zeroA, b, scaleB, zeroB, scale, zero]) => {
      const sums = combineHost(dequantize(a!, scaleA!, zeroA), dequantize(b!, scaleB!, zeroB), f);
      return quantize(sums, scale!, zero, a!.type);
    },
});

/** An operator of one operand, which it computes as float32. */
const through = (read: (node: NodeView) => (x: Value, step: Step) => Value): Operator => ({
  make(node) {
    const f = read(node);
    return ([x, scaleX, zeroX, scaleY, zeroY], step) =>
      quantize(f(dequantize(x!, scaleX!, zeroX), step), scaleY!, zeroY, x!.type);
  },
});

/** The same with `channels_last`. */
const channelsOf = (read: (node: NodeView) => Kernel): Operator =>
  through((node) => {
    if (node.flag('channels_last')) node.refuse('channels_last=1');
    const run = read(node);
    return (x, step) => run([x], step) as Value;
  });

const globalAveragePool: Operator = {
  make(node) {
    if (node.flag('channels_last')) node.refuse('channels_last=1');
    return ([x, scaleX, zeroX, scaleY, zeroY]) => {
      const [batch, channels, ...lengths] = x!.shape as [number, number, ...number[]];
      const area = sizeOf(lengths);
      const { numbers } = centred(x!, zeroX, 1);
      const sums = new Int32Array(batch * channels);
      for (let i = 0; i < numbers.length; i++) sums[Math.floor(i / area)]! += numbers[i]!;
      const shape = [batch, channels, ...lengths.map(() => 1)];
      const scale = Value.ofHost('float32', [], Float32Array.of(scaleX!.item / area));
      return requantized(Value.ofHost('int32', shape, sums), [scale, one], scaleY!, zeroY!, 1);
    };
  },
};

const concat: Operator = {
  make(node) {
    const axis = node.int('axis', 0);
    return ([scaleY, zeroY, ...parts]) => {
      const values: Value[] = [];
      for (let i = 0; i < parts.length; i += 3) values.push(dequantize(parts[i]!, parts[i + 1]!, parts[i + 2]));
      return quantize(joinHost(values, axisOf(axis, values[0]!.shape.length)), scaleY!, zeroY, parts[0]!.type);
    };
  },
};

const qLinearConv: Operator = {
  make(node) {
    if (node.flag('channels_last')) node.refuse('channels_last=1');
    return quantized.QLinearConv!.make(node);
  },
};

export const quantizedFused: Readonly<Record<string, Operator>> = {
  MatMulIntegerToFloat: matMulIntegerToFloat,
  DynamicQuantizeMatMul: dynamicQuantizeMatMul,
  QGemm: qGemm,
  QLinearAdd: binary((a, b) => a + b),
  QLinearMul: binary((a, b) => a * b),
  QLinearSigmoid: through(() => (x) => mapHost(x, sigmoidOf)),
  QLinearLeakyRelu: through((node) => {
    const alpha = node.float('alpha', 0.01);
    return (x) => mapHost(x, (value) => (value < 0 ? alpha * value : value));
  }),
  QLinearConcat: concat,
  QLinearAveragePool: channelsOf((node) => windows.AveragePool!.make(node)),
  QLinearGlobalAveragePool: globalAveragePool,
  QLinearConv: qLinearConv,
  QuantizeLinear: quantized.QuantizeLinear!,
  DequantizeLinear: quantized.DequantizeLinear!,
};
