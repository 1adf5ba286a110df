// Operators beside ONNX Runtime's numbers, and their gradients beside finite differences of their own outputs.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { ops, valueAndGrad } from '../../src/index.ts';
import { readModelProto } from '../../src/onnx/format/messages.ts';
import { Value } from '../../src/onnx/graph/value.ts';
import { OnnxGraph } from '../../src/onnx/onnx-graph.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { graphCases } from './all-cases.ts';
import type { GraphCase } from './cases.ts';

type Golden = Record<string, Record<string, { dims: number[]; data: number[] }>>;
const golden = JSON.parse(readFileSync(new URL('../golden/onnx.json', import.meta.url), 'utf8')) as Golden;

const feedsOf = ({ feeds }: GraphCase) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, dims }]) => [name, { data: data as Float32Array, shape: dims }]),
  );

describe('outputs of ONNX Runtime', () => {
  test.each(graphCases)('$name', (given) => {
    const { name, bytes, outputs } = given;
    const session = onnxSession(importOnnx(bytes, { states: {} }));
    // The second run takes the plan that the first has made.
    for (const results of [session.run(feedsOf(given)), session.run(feedsOf(given))]) {
      for (const output of outputs) {
        const { dims, data } = golden[name]![output]!;
        expect(results[output]!.shape).toEqual(dims);
        data.forEach((expected, i) => {
          expect(Math.abs(results[output]!.data[i]! - expected)).toBeLessThanOrEqual(
            1e-5 * Math.max(1, Math.abs(expected)),
          );
        });
      }
    }
  });
});

describe('gradients of finite differences', () => {
  test.each(graphCases.filter(({ isSmooth }) => isSmooth))('$name', ({ bytes, feeds, outputs }) => {
    const graph = new OnnxGraph(readModelProto(bytes), { states: {} });
    graph.build({});
    const [input, { data, dims }] = Object.entries(feeds)[0]!;
    const others = Object.entries(feeds).slice(1);
    /** A weighted sum of the first output. */
    const weight = (i: number): number => Math.sin(i + 1);
    const run = (first: Value): Value => {
      const values = new Map(
        others.map(
          ([key, each]) => [key, Value.ofTensor(tensor(each.data as Float32Array, { shape: each.dims }))] as const,
        ),
      );
      return graph.run(new Map([...values, [input, first]])).get(outputs[0]!)!;
    };
    const start = tensor(data as Float32Array, { shape: dims });
    const { grads } = valueAndGrad(() => {
      const { tensor: y } = run(Value.ofTensor(start));
      const factors = tensor(
        Float32Array.from({ length: y.size }, (_, i) => weight(i)),
        { shape: y.shape },
      );
      return ops.sum(ops.mul(y, factors));
    }, [start]);
    const got = grads[0]!.toArray();
    const lossAt = (values: Float32Array): number =>
      start.engine.step(() => {
        const { host } = run(Value.ofTensor(tensor(values, { shape: dims })));
        return Array.from(host as Float32Array).reduce((sum, y, i) => sum + y * weight(i), 0);
      });
    const h = 2 ** -9;
    for (let i = 0; i < got.length; i++) {
      const at = (step: number): number =>
        lossAt(Float32Array.from(data as Float32Array, (x, j) => (i === j ? x + step : x)));
      // Richardson: the error is of the order h⁴, and that of float32 is divided by h.
      const expected = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      expect(Math.abs(got[i]! - expected)).toBeLessThanOrEqual(4e-3 * Math.max(1, Math.abs(expected)));
    }
  });
});
