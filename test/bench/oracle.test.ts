// What the workloads compute in mode `reproducible`, and so their hashes, against float64.
import { beforeAll, describe, expect, test } from 'vitest';
import { integers, uniform } from '../../src/bench/models/numbers.ts';
import { type Cell, GATES } from '../../src/bench/models/shapes.ts';
import { FAST_BOUND } from '../../src/bench/verify.ts';
import { workloads } from '../../src/bench/workloads/all.ts';
import { type Engine, init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { gru, lstm, simpleRnn, tensor } from '../../src/index.ts';
import { gruAfter, lstm as lstmReference, simpleRnn as rnnReference } from '../reference/cells.ts';
import { runSequence } from '../reference/sequence.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await init({ mode: 'reproducible' });
});

/** What a workload of size small computes at first. */
async function resultOf(name: string): Promise<ArrayLike<number>[]> {
  const workload = workloads.find((each) => each.name === name)!;
  setSeed(1);
  const prepared = await workload.prepare('small', engine);
  for (let i = 0; i < (workload.calls ?? 1); i++) await prepared.run();
  const result = prepared.result().map((view) => Array.from(view as unknown as ArrayLike<number>));
  prepared.dispose();
  return result;
}

/** Numbers are within a hundredth of what mode `fast` may differ by, as a part of the largest. */
function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, bound = FAST_BOUND / 100): void {
  expect(got.length).toBe(expected.length);
  let [largest, difference] = [0, 0];
  for (let i = 0; i < got.length; i++) {
    difference = Math.max(difference, Math.abs(got[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  expect(largest).toBeGreaterThan(0);
  expect(difference / largest).toBeLessThan(bound);
}

/** The n-th buffer of a workload. */
const buffer = (n: number, count: number): number[] => Array.from(uniform(n, count, 1));

describe('of size small, against float64', () => {
  const multiply = (m: number, n: number, k: number, layout: string): number[] => {
    const [a, b] = [buffer(0, m * k), buffer(1, k * n)];
    const atA = (i: number, p: number): number => a[layout[0] === 'n' ? i * k + p : p * m + i]!;
    const atB = (p: number, j: number): number => b[layout[1] === 'n' ? p * n + j : j * k + p]!;
    return Array.from({ length: m * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let p = 0; p < k; p++) sum += atA(i, p) * atB(p, j);
      return sum;
    });
  };
  test.each(['nn', 'nt', 'tn', 'tt'])('gemm-%s and gemm-recurrent-%s are A·B', async (layout) => {
    expectClose((await resultOf(`gemm-${layout}`))[0]!, multiply(64, 64, 64, layout));
    expectClose((await resultOf(`gemm-recurrent-${layout}`))[0]!, multiply(16, 256, 64, layout));
  });

  test('gemv is A·B; gemv-int8 differs by what 8 bits round', async () => {
    const exact = multiply(1, 256, 64, 'nn');
    expectClose((await resultOf('gemv'))[0]!, exact);
    expectClose((await resultOf('gemv-int8'))[0]!, exact, 0.02);
  });

  test('exp, tanh and sigmoid are these functions', async () => {
    const x = Array.from(uniform(0, 1024, 8));
    expectClose((await resultOf('exp'))[0]!, x.map(Math.exp));
    expectClose((await resultOf('tanh'))[0]!, x.map(Math.tanh));
    expectClose(
      (await resultOf('sigmoid'))[0]!,
      x.map((value) => 1 / (1 + Math.exp(-value))),
    );
  });

  test('softmax and column-sums go over rows', async () => {
    const [rows, cols] = [64, 65];
    const x = buffer(0, rows * cols);
    const row = (i: number): number[] => x.slice(i * cols, (i + 1) * cols);
    const softmax = Array.from({ length: rows }, (_, i) => {
      const e = row(i).map(Math.exp);
      const sum = e.reduce((total, value) => total + value, 0);
      return e.map((value) => value / sum);
    }).flat();
    expectClose((await resultOf('softmax'))[0]!, softmax);
    const sums = Array.from({ length: cols }, (_, j) =>
      x.reduce((s, value, at) => (at % cols === j ? s + value : s), 0),
    );
    expectClose((await resultOf('column-sums'))[0]!, sums);
  });

  test('gather takes rows of a table, scatter-add adds rows to it', async () => {
    const [count, width, limit] = [256, 32, 65];
    const ids = integers(1, count, limit);
    const [table, rows] = [buffer(1, limit * width), buffer(2, count * width)];
    const gathered = Array.from(ids, (id) => table.slice(id * width, (id + 1) * width)).flat();
    expect((await resultOf('gather'))[0]).toEqual(gathered);
    ids.forEach((id, i) => {
      for (let j = 0; j < width; j++) table[id * width + j]! += rows[i * width + j]!;
    });
    expectClose((await resultOf('scatter-add'))[0]!, table);
  });

  test('sgd-momentum and adam are their rules, three times', async () => {
    const [start, g] = [buffer(0, 4096), buffer(1, 4096)];
    const momentum = start.map((value, i) => {
      let [p, v] = [value, 0];
      for (let step = 0; step < 3; step++) p += v = 0.5 * v - 0.001 * g[i]!;
      return p;
    });
    expectClose((await resultOf('sgd-momentum'))[0]!, momentum);
    const adam = start.map((value, i) => {
      let [p, m, v] = [value, 0, 0];
      for (let step = 0; step < 3; step++) {
        m += (g[i]! - m) * (1 - 0.9);
        v += (g[i]! ** 2 - v) * (1 - 0.999);
        p -= (0.0001 * m) / (Math.sqrt(v) + 1e-7);
      }
      return p;
    });
    expectClose((await resultOf('adam'))[0]!, adam);
  });

  const layers = { lstm, gru, rnn: simpleRnn };
  const references = { lstm: lstmReference, gru: gruAfter, rnn: rnnReference('tanh') };
  const [batch, time, inputSize, units] = [4, 16, 16, 32];
  const swap = (values: ArrayLike<number>, width: number, outer: number, inner: number): Float64Array =>
    Float64Array.from({ length: outer * inner * width }, (_, at) => {
      const [i, rest] = [Math.floor(at / (outer * width)), at % (outer * width)];
      return values[(Math.floor(rest / width) * inner + i) * width + (rest % width)]!;
    });

  test.each([
    ['lstm', 'forward'],
    ['lstm', 'backward'],
    ['lstm', 'masked'],
    ['gru', 'forward'],
    ['gru', 'backward'],
    ['rnn', 'forward'],
    ['rnn', 'backward'],
  ] as [Cell, string][])('%s-%s is that of the float64 reference', async (cell, pass) => {
    const result = await resultOf(`${cell}-${pass}`);
    const values = uniform(1, batch * time * inputSize, 1);
    setSeed(1);
    const layer = layers[cell]({ units, returnSequences: true, kernelInitializer: 'glorotUniform' });
    const x = tensor(values, { shape: [batch, time, inputSize] });
    engine.step(() => layer(x));
    const [kernel, recurrentKernel, bias] = layer.weights.map((weight) => Float64Array.from(weight.toArray()));
    expect(kernel!.length).toBe(inputSize * GATES[cell] * units);
    const lengths = integers(2, batch, time).map((length) => length + 1);
    const mask = Float64Array.from({ length: time * batch }, (_, at) =>
      Math.floor(at / batch) < lengths[at % batch]! ? 1 : 0,
    );
    const run = runSequence(
      references[cell],
      { kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! },
      { x: swap(values, inputSize, batch, time), ...(pass === 'masked' && { mask }) },
      { time, batch, inputSize, units },
    );
    if (pass === 'forward') expectClose(result[0]!, swap(run.y, units, time, batch));
    else {
      const { dKernel, dRecurrentKernel, dBias } = run.backward(run.y.map((y) => 2 * y));
      [dKernel, dRecurrentKernel, dBias].forEach((expected, i) => expectClose(result[i]!, expected));
    }
  });
});
