// Operators that make values of shapes and numbers alone.
import { sizeOf } from '../../../checks/shape.ts';
import * as ops from '../../../ops/index.ts';
import { hostArray } from '../../format/element-types.ts';
import type { NodeView, Operator } from '../../graph/node.ts';
import { int64, Value } from '../../graph/value.ts';

/** The value of a `Constant`: one of its attributes. */
function constantOf(node: NodeView): Value {
  const value = node.tensor('value');
  if (value) return Value.ofHost(value.type, value.shape, value.data);
  if (node.has('value_float')) return Value.ofHost('float32', [], Float32Array.of(node.float('value_float', 0)));
  const floats = node.floats('value_floats');
  if (floats) return Value.ofHost('float32', [floats.length], Float32Array.from(floats));
  if (node.has('value_int')) return int64([node.int('value_int', 0)], []);
  const ints = node.ints('value_ints');
  if (ints) return int64(ints);
  if (node.has('value_string')) return Value.ofHost('string', [], [node.string('value_string', '')]);
  const strings = node.strings('value_strings');
  if (strings) return Value.ofHost('string', [strings.length], strings);
  return node.refuse('no value that is supported');
}

const shapeOf: Operator = {
  readsShape: true,
  make(node) {
    const [start, end] = [node.int('start', 0), node.has('end') ? node.int('end', 0) : undefined];
    return ([x]) => int64(x!.shape.slice(start, end));
  },
};

const constantOfShape: Operator = {
  shapeFrom: [0],
  make(node) {
    const { type, data } = node.tensor('value') ?? { type: 'float32' as const, data: [0] };
    return ([shape]) => {
      const lengths = [...shape!.numbers];
      const made = hostArray(type, sizeOf(lengths));
      made.fill(data[0] as number);
      return Value.ofHost(type, lengths, made);
    };
  },
};

const range: Operator = {
  shapeFrom: [0, 1, 2],
  make:
    () =>
    ([start, limit, delta]) => {
      const [from, to, by] = [start!.item, limit!.item, delta!.item];
      const count = Math.max(Math.ceil((to - from) / by), 0);
      const data = hostArray(start!.type, count);
      if ([start, delta].some((value) => value!.isTracked)) {
        const steps = Value.ofHost('float32', [count], data.map((_, i) => i) as Float32Array);
        return Value.ofTensor(ops.add(ops.mul(steps.tensor, delta!.tensor), start!.tensor), start!.type);
      }
      for (let i = 0; i < count; i++) data[i] = from + i * by;
      return Value.ofHost(start!.type, [count], data);
    },
};

export const constants: Readonly<Record<string, Operator>> = {
  Shape: shapeOf,
  Size: {
    readsShape: true,
    make:
      () =>
      ([x]) =>
        int64([x!.size], []),
  },
  Constant: {
    make(node) {
      const value = constantOf(node);
      return () => value;
    },
  },
  ConstantOfShape: constantOfShape,
  Range: range,
  EyeLike: {
    hasNoGradient: true,
    make(node) {
      const [k, type] = [node.int('k', 0), node.has('dtype') ? node.type('dtype', 1) : undefined];
      return ([x]) => {
        const [, columns] = x!.shape as [number, number];
        const data = hostArray(type ?? x!.type, x!.size);
        for (let i = 0; i < data.length; i++) data[i] = (i % columns) - Math.floor(i / columns) === k ? 1 : 0;
        return Value.ofHost(type ?? x!.type, x!.shape, data);
      };
    },
  },
};
