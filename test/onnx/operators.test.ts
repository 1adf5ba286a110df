// Operators beside ONNX Runtime's numbers.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { graphCases } from './cases.ts';
import { moreCases } from './more-cases.ts';
import type { GraphCase } from './one-node.ts';

type Golden = Record<string, Record<string, { dims: number[]; data: number[] }>>;
const golden = JSON.parse(readFileSync(new URL('../golden/onnx.json', import.meta.url), 'utf8')) as Golden;

const feedsOf = ({ feeds }: GraphCase) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, dims }]) => [name, { data: data as Float32Array, shape: dims }]),
  );

describe('outputs of ONNX Runtime', () => {
  test.each([...graphCases, ...moreCases])('$name', (given) => {
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
