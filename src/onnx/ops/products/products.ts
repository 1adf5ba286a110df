// Matrix products.

import type { Weight } from '../../../autograd/parameter.ts';
import type { Tensor } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';
import * as ops from '../../../ops/index.ts';
import { hostArray } from '../../format/element-types.ts';
import type { Operator } from '../../graph/node.ts';
import { sizeOf, spend } from '../../graph/room.ts';
import { Value } from '../../graph/value.ts';
import { broadcastShape } from '../broadcast.ts';

/** The operand of a product: a parameter, whose packed copy is kept, or a tensor. */
const weightOf = (x: Value): Weight => x.parameter ?? x.tensor;

/** a·b with the rules of numpy.matmul. */
export function product(a: Value, b: Value): Value {
  const type = a.type;
  const [left, right] = [a.shape.length, b.shape.length];
  if (right === 2 && left >= 2) {
    const [rows, inner] = [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1)!];
    expectInner(a, b, inner, b.shape[0]!);
    const flat = left === 2 ? a.tensor : ops.reshape(a.tensor, [rows, inner]);
    const y = ops.linear(flat, weightOf(b));
    return Value.ofTensor(left === 2 ? y : ops.reshape(y, [...a.shape.slice(0, -1), b.shape[1]!]), type);
  }
  const x = left === 1 ? ops.reshape(a.tensor, [1, a.size]) : a.tensor;
  const y = right === 1 ? ops.reshape(b.tensor, [b.size, 1]) : b.tensor;
  const leading = broadcastShape(x.shape.slice(0, -2), y.shape.slice(0, -2));
  const count = sizeOf(leading);
  const flat = (t: Tensor): Tensor =>
    ops.reshape(ops.broadcastTo(t, [...leading, ...t.shape.slice(-2)]), [count, ...t.shape.slice(-2)]);
  expectInner(a, b, x.shape.at(-1)!, y.shape.at(-2)!);
  const z = ops.batchMatmul(flat(x), flat(y));
  const shape = [...leading, ...(left === 1 ? [] : [x.shape.at(-2)!]), ...(right === 1 ? [] : [y.shape.at(-1)!])];
  return Value.ofTensor(ops.reshape(z, shape), type);
}

function expectInner(a: Value, b: Value, left: number, right: number): void {
  spend((a.size * b.size) / Math.max(left, 1) / 32);
  if (left !== right) throw new ArgumentError(`[${a.shape}] and [${b.shape}] do not fit in a product`);
}

/** a·b of integers, outside linear memory. */
export function integerProduct(a: Value, b: Value, type: Value['type'] = a.type): Value {
  const [left, right] = [
    a.shape.length === 1 ? [1, ...a.shape] : a.shape,
    b.shape.length === 1 ? [...b.shape, 1] : b.shape,
  ];
  const leading = broadcastShape(left.slice(0, -2), right.slice(0, -2));
  const [m, k, n] = [left.at(-2)!, left.at(-1)!, right.at(-1)!];
  expectInner(a, b, k, right.at(-2)!);
  const count = sizeOf(leading);
  const data = hostArray(type, sizeOf([count, m, n]));
  const [x, y] = [a.numbers, b.numbers];
  const [countA, countB] = [a.size / Math.max(m * k, 1), b.size / Math.max(k * n, 1)];
  for (let batch = 0; batch < count; batch++) {
    // Only equal leading axes, or none, are met in practice.
    const [fromA, fromB] = [(batch % Math.max(countA, 1)) * m * k, (batch % Math.max(countB, 1)) * k * n];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += x[fromA + i * k + p]! * y[fromB + p * n + j]!;
        data[(batch * m + i) * n + j] = sum;
      }
    }
  }
  const shape = [...leading, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  return Value.ofHost(type, shape, data);
}

export const gemm: Operator = {
  make(node) {
    const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
    const [transposeA, transposeB] = [node.flag('transA'), node.flag('transB')];
    node.int('broadcast', 1);
    return ([a, b, c]) => {
      if (!a!.isFloat) {
        const turned = (x: Value, isTurned: boolean): Value => (isTurned ? turnHost(x) : x);
        const y = integerProduct(turned(a!, transposeA), turned(b!, transposeB));
        if (!c || beta === 0) return y;
        throw new ArgumentError('a sum of integers is not supported');
      }
      const left = a!.tensor;
      spend((a!.size * b!.size) / Math.max(a!.shape[transposeA ? 0 : 1]!, 1) / 32);
      // A product with both transposed operands takes one transposition.
      const product =
        transposeA || transposeB
          ? ops.matmul(left, transposeB ? b!.tensor : weightOf(b!), { transposeA, transposeB })
          : ops.linear(left, weightOf(b!));
      const scaled = alpha === 1 ? product : ops.scale(product, alpha);
      if (!c || beta === 0) return Value.ofTensor(scaled, a!.type);
      return Value.ofTensor(ops.add(scaled, beta === 1 ? c.tensor : ops.scale(c.tensor, beta)), a!.type);
    };
  },
};

/** A matrix of integers, transposed. */
export function turnHost(x: Value): Value {
  const [rows, columns] = x.shape as [number, number];
  const data = hostArray(x.type, x.size);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[j * rows + i] = x.numbers[i * columns + j]!;
  return Value.ofHost(x.type, [columns, rows], data);
}

export const products: Readonly<Record<string, Operator>> = {
  MatMul: {
    make:
      () =>
      ([a, b]) =>
        a!.isFloat ? product(a!, b!) : integerProduct(a!, b!),
  },
  Gemm: gemm,
};
