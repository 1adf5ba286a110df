// Operators beside ONNX Runtime's numbers.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { graphCases } from './cases.ts';
import { moreCases } from './more-cases.ts';
import { type Given, type GraphCase, oneNode } from './one-node.ts';
import { opsetCases } from './opset-cases.ts';

type Golden = Record<string, Record<string, { dims: number[]; data: number[] }>>;
const golden = JSON.parse(readFileSync(new URL('../golden/onnx.json', import.meta.url), 'utf8')) as Golden;

const feedsOf = ({ feeds }: GraphCase) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, dims }]) => [name, { data: data as Float32Array, shape: dims }]),
  );

describe('outputs of ONNX Runtime', () => {
  test.each([...graphCases, ...moreCases, ...opsetCases])('$name', (given) => {
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

// ONNX Runtime starts at operator set 7.
describe('operator set 6 has the numbers of a later one', () => {
  const channels = [[2, 3, 4], [3]];
  const perChannel = [[3], [3], [3], [3]];
  const pairs: [op: string, old: Given, later: Given][] = [
    ...['Add', 'Sub', 'Mul', 'Div'].map((op): [string, Given, Given] => [
      op,
      { inputs: channels, shift: 2, attributes: { broadcast: 1, axis: 1 } },
      {
        inputs: [
          [2, 3, 4],
          [3, 1],
        ],
        shift: 2,
      },
    ]),
    ['Pow', { inputs: [[2, 4], [4]], shift: 2, attributes: { broadcast: 1 } }, { inputs: [[2, 4], [4]], shift: 2 }],
    ['PRelu', { inputs: [[2, 3, 4]], weights: [[3]] }, { inputs: [[2, 3, 4]], weights: [[3, 1]] }],
    [
      'Gemm',
      { inputs: [[3, 4]], weights: [[4, 5], [5]], attributes: { broadcast: 1 } },
      { inputs: [[3, 4]], weights: [[4, 5], [5]] },
    ],
    ['Dropout', { attributes: { ratio: 0.25, is_test: 1 } }, {}],
    [
      'BatchNormalization',
      { weights: perChannel, shift: 1.5, attributes: { is_test: 1, spatial: 1 } },
      { weights: perChannel, shift: 1.5 },
    ],
  ];
  test.each(pairs)('%s', (op, old, later) => {
    const [a, b] = [oneNode(1, op, '', { ...old, opset: 6 }), oneNode(1, op, '', { ...later, opset: 13 })].map((each) =>
      onnxSession(importOnnx(each.bytes, { states: {} })).run(feedsOf(each)),
    );
    expect(a!.y0).toEqual(b!.y0);
  });
});
