// Ops against NumPy's numbers, including NaN, infinities and −0. numpy_ops.py makes the numbers.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { addArrayMethods } from '../../src/data/array-methods.ts';
import { init } from '../../src/engine/engine.ts';
import { quantileLoss } from '../../src/losses/index.ts';
import * as ops from '../../src/ops/index.ts';
import { modes } from '../engine/modes.ts';
import { expectOutput } from './expect-close.ts';

interface Stored {
  shape: number[];
  values: number[];
}

interface Golden {
  special: number[];
  pairs: Record<string, number[]>;
  angles: number[];
  waves: { sin: number[]; cos: number[] };
  broadcasts: { a: Stored; b: Stored; y: Stored }[];
  x: Stored;
  holes: Stored;
  along: { axis: number; cumsum: Stored; argmax: Stored }[];
  matmul: { a: Stored; b: Stored; y: Stored };
  pad: Stored;
  pinball: { y: Stored; predicted: Stored; one: number; several: number };
}

addArrayMethods();

const words = ['NaN', 'Infinity', '-Infinity'];
const golden = JSON.parse(readFileSync(new URL('numpy-ops.json', import.meta.url), 'utf8'), (_, value) =>
  words.includes(value) ? Number(value) : value,
) as Golden;
const of = ({ values, shape }: Stored): Tensor => tensor(Float32Array.from(values), { shape });

const { greater, greaterEqual, less, lessEqual, equal, notEqual, maximum, minimum, pow } = ops;
const pairs = { greater, greaterEqual, less, lessEqual, equal, notEqual, maximum, minimum, pow };

describe.each(modes)('in %s mode, as NumPy', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(Object.entries(pairs))('%s of every two special numbers', (name, op) => {
    const { special } = golden;
    const y = op(tensor(special, { shape: [special.length, 1] }), tensor(special));
    const expected = golden.pairs[name]!.map(Math.fround);
    const got = Array.from(y.toArray());
    const differing = got.flatMap((value, i) => {
      const wanted = expected[i]!;
      const isNear = Math.abs(value - wanted) <= 2e-7 * Math.abs(wanted);
      if (isNear || Object.is(value, wanted) || value === wanted) return [];
      return [`${special[Math.floor(i / special.length)]}, ${special[i % special.length]}: ${value}, not ${wanted}`];
    });
    expect(differing).toEqual([]);
  });

  test.each(['sin', 'cos'] as const)('%s, also of great, tiny and infinite angles', (name) => {
    const { [name]: op } = { sin: ops.sin, cos: ops.cos };
    const got = op(tensor(golden.angles)).toArray();
    golden.waves[name].forEach((expected, i) => {
      if (Number.isNaN(expected)) expect(got[i]).toBeNaN();
      else expect(Math.abs(got[i]! - expected), `${golden.angles[i]}`).toBeLessThanOrEqual(1e-7 * Math.abs(expected));
    });
  });

  test.each(golden.broadcasts)('mul of $a.shape and $b.shape', ({ a, b, y }) => {
    const product = ops.mul(of(a), of(b));
    expect(product.shape).toEqual(y.shape);
    expectOutput('product', product.toArray(), y);
  });

  test.each(golden.along)('cumsum, and argmax with NaN, along axis $axis', ({ axis, cumsum, argmax }) => {
    expectOutput('cumsum', ops.cumsum(of(golden.x), axis).toArray(), cumsum);
    const { shape, values } = golden.holes;
    const places = ops.argmax(of(golden.holes), axis);
    expect(places.shape).toEqual(argmax.shape);
    expect(Array.from(places.toArray())).toEqual(argmax.values);
    const outside = ndarray(values, shape).argMax(axis);
    expect(outside.shape).toEqual(argmax.shape);
    expect(Array.from(outside.data)).toEqual(argmax.values);
  });

  test('matmul of batches that repeat, and pad', () => {
    const { a, b, y } = golden.matmul;
    const product = ops.matmul(of(a), of(b), { transposeB: true });
    expect(product.shape).toEqual(y.shape);
    expectOutput('product', product.toArray(), y);
    const widths: [number, number][] = [
      [1, 0],
      [0, 2],
      [1, 1],
    ];
    expectOutput('pad', ops.pad(of(golden.x), widths, 7).toArray(), golden.pad);
  });

  test('the quantile loss is scikit-learn’s mean_pinball_loss', () => {
    const { y, predicted, one, several } = golden.pinball;
    expect(quantileLoss({ quantile: 0.7 }).compute(of(y), of(predicted)).item()).toBeCloseTo(one, 6);
    const each = quantileLoss({ quantiles: [0.1, 0.5, 0.9] });
    const first = ops.slice(of(y), { axis: 1, to: 1 });
    expect(each.compute(first, of(predicted)).item()).toBeCloseTo(several, 6);
  });
});

test('ids compare with ids and numbers, exactly', async () => {
  await init();
  const ids = tensor([16777217, 3, -1], { dtype: 'i32' });
  expect(Array.from(ops.equal(ids, 16777217).toArray())).toEqual([1, 0, 0]);
  expect(Array.from(ops.less(2.5, ids).toArray())).toEqual([1, 1, 0]);
  expect(Array.from(ops.notEqual(ids, tensor([16777216, 3, 0], { dtype: 'i32' })).toArray())).toEqual([1, 0, 1]);
});
