// Every op and every loss beside what it means in float64: row-major arrays in the order of the shapes, plain loops, no kernels.
import { type Shape, sizeOf, type Tensor, tensor } from '../../src/autograd/tensor.ts';
import type { Cell } from '../../src/cells/cell.ts';
import { gruAfterCell, gruBeforeCell } from '../../src/cells/gru.ts';
import { lstmCell } from '../../src/cells/lstm.ts';
import { rnnCells } from '../../src/cells/rnn.ts';
import * as ops from '../../src/ops/index.ts';
import * as losses from '../../src/train/losses.ts';
import { integers, values } from '../kernels/reference/values.ts';
import { type CellName, referenceCells } from '../reference/cells.ts';
import { runSequence } from '../reference/sequence.ts';

/** One differentiable argument: uniform in [low, high), by default [−1, 1). */
export interface Argument {
  shape: Shape;
  low?: number;
  high?: number;
}

export interface GradientCase {
  /** The export that is tested. */
  of: string;
  /** What sets this case apart from the others of the same export. */
  variant: string;
  arguments: Argument[];
  run(...inputs: Tensor[]): Tensor;
  /** The same in float64. */
  reference(...inputs: Float64Array[]): Float64Array;
}

const SEQUENCE: Shape = [3, 2, 5];
const map = (x: Float64Array, f: (value: number, i: number) => number): Float64Array => x.map(f);
const ids = (shape: Shape, limit: number): { tensor: () => Tensor; at: Int32Array } => {
  const at = integers(sizeOf(shape), limit, 31);
  return { at, tensor: () => tensor(at, { shape, dtype: 'i32', name: 'ids' }) };
};

function unaryCase(
  name: string,
  run: (x: Tensor) => Tensor,
  f: (x: number) => number,
  range: { low?: number; high?: number } = {},
): GradientCase[] {
  return [SEQUENCE, [7], [], [2, 3]].map((shape) => ({
    of: name,
    variant: `[${shape}]`,
    arguments: [{ shape, ...range }],
    run,
    reference: (x) => map(x, f),
  }));
}

// How a repeating operand lines up with the whole one: its shape, and the whole's.
const REPEATS: [smaller: Shape, larger: Shape][] = [
  [
    [3, 2, 5],
    [3, 2, 5],
  ],
  [[], [3, 2, 5]],
  [[1], [3, 2, 5]],
  [[5], [3, 2, 5]],
  [
    [2, 5],
    [3, 2, 5],
  ],
  [
    [1, 2, 5],
    [3, 2, 5],
  ],
  [
    [1, 1, 5],
    [3, 2, 5],
  ],
  [
    [2, 5],
    [1, 2, 5],
  ],
  [[3], [4, 3]],
  [
    [4, 3],
    [4, 3],
  ],
  [[], [4, 3]],
  [[3], [3]],
  [[], []],
  [[], [1]],
  [
    [2, 5],
    [3, 2, 2, 5],
  ],
  [
    [2, 2, 5],
    [3, 2, 2, 5],
  ],
];

function binaryCases(
  name: string,
  run: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
): GradientCase[] {
  // Divisors keep away from 0.
  const range = name === 'div' ? { low: 0.5, high: 2 } : {};
  return REPEATS.flatMap(([smaller, larger]) =>
    (String(smaller) === String(larger) ? [false] : [false, true]).map((swapped) => {
      const [left, right] = swapped ? [larger, smaller] : [smaller, larger];
      return {
        of: name,
        variant: `[${left}] and [${right}]`,
        arguments: [left, right].map((shape) => ({ shape, ...range })),
        run,
        reference: (a: Float64Array, b: Float64Array) =>
          Float64Array.from({ length: Math.max(a.length, b.length) }, (_, i) => f(a[i % a.length]!, b[i % b.length]!)),
      };
    }),
  );
}

/** x [rows, n] · w [n, units] + b */
function affine(x: Float64Array, w: Float64Array, b: Float64Array | undefined, units: number): Float64Array {
  const inputs = w.length / units;
  return Float64Array.from({ length: (x.length / inputs) * units }, (_, at) => {
    const [row, column] = [Math.floor(at / units), at % units];
    let sum = b?.[column] ?? 0;
    for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * w[i * units + column]!;
    return sum;
  });
}

/** Row by row over the last axis. */
function byRow(x: Float64Array, columns: number, f: (row: Float64Array, index: number) => ArrayLike<number>) {
  const rows = Array.from({ length: x.length / columns }, (_, i) => x.subarray(i * columns, (i + 1) * columns));
  return Float64Array.from(rows.flatMap((row, i) => Array.from(f(row, i))));
}

const logSoftmax = (row: Float64Array): Float64Array => {
  const logSum = Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0));
  return row.map((v) => v - logSum);
};
const total = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0);

function layoutCases(): GradientCase[] {
  const widths = [2, 1, 4];
  const parts = widths.map((width): Argument => ({ shape: [3, 2, width] }));
  return [
    {
      of: 'concatenate',
      variant: 'three parts',
      arguments: parts,
      run: (...inputs) => ops.concatenate(inputs),
      reference: (...inputs) =>
        Float64Array.from(
          Array.from({ length: 6 }, (_, row) =>
            inputs.flatMap((x, i) => Array.from(x.subarray(row * widths[i]!, (row + 1) * widths[i]!))),
          ).flat(),
        ),
    },
    {
      of: 'concatenate',
      variant: 'a tensor with itself',
      arguments: [{ shape: [4, 3] }],
      run: (x) => ops.concatenate([x, x]),
      reference: (x) => byRow(x, 3, (row) => [...row, ...row]),
    },
    ...([[3, 4, 2] as const, [3, 1, 2] as const, [1, 4, 2] as const] satisfies Shape[]).map(
      ([batch, time, width]): GradientCase => ({
        of: 'lastStep',
        variant: `[${[batch, time, width]}]`,
        arguments: [{ shape: [batch, time, width] }],
        run: ops.lastStep,
        reference: (x) => byRow(x, time * width, (row) => row.subarray((time - 1) * width)),
      }),
    ),
    {
      of: 'reshape',
      variant: 'with −1',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.reshape(x, [5, -1]),
      reference: (x) => x,
    },
    {
      of: 'reshape',
      variant: 'to and from, exchanged between',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.reshape(ops.swapTimeBatch(ops.reshape(x, [6, 5])), [30]),
      reference: (x) => Float64Array.from({ length: 30 }, (_, at) => x[(at % 6) * 5 + Math.floor(at / 6)]!),
    },
    {
      of: 'swapTimeBatch',
      variant: 'three axes',
      arguments: [{ shape: SEQUENCE }],
      run: ops.swapTimeBatch,
      reference: (x) =>
        Float64Array.from({ length: 30 }, (_, at) => {
          const [t, b, i] = [Math.floor(at / 15), Math.floor(at / 5) % 3, at % 5];
          return x[(b * 2 + t) * 5 + i]!;
        }),
    },
    {
      of: 'swapTimeBatch',
      variant: 'twice',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.swapTimeBatch(ops.swapTimeBatch(x)),
      reference: (x) => x,
    },
  ];
}

function productCases(): GradientCase[] {
  return [
    ...[SEQUENCE, [4, 5], [5]].map(
      (shape): GradientCase => ({
        of: 'linear',
        variant: `x [${shape}] with bias`,
        arguments: [{ shape }, { shape: [5, 3] }, { shape: [3] }],
        run: (x, w, b) => ops.linear(x, w, b),
        reference: (x, w, b) => affine(x, w, b, 3),
      }),
    ),
    {
      of: 'linear',
      variant: 'without bias',
      arguments: [{ shape: SEQUENCE }, { shape: [5, 9] }],
      run: (x, w) => ops.linear(x, w),
      reference: (x, w) => affine(x, w, undefined, 9),
    },
    {
      of: 'matmul',
      variant: '[4, 3]·[3, 6]',
      arguments: [{ shape: [4, 3] }, { shape: [3, 6] }],
      run: ops.matmul,
      reference: (a, b) => affine(a, b, undefined, 6),
    },
    {
      of: 'matmul',
      variant: 'a matrix with itself',
      arguments: [{ shape: [3, 3] }],
      run: (a) => ops.matmul(a, a),
      reference: (a) => affine(a, a, undefined, 3),
    },
  ];
}

function embeddingCases(): GradientCase[] {
  // More rows than the table has, so that ids repeat.
  const { tensor: make, at } = ids([3, 4], 5);
  return [false, true].map((timeMajor) => ({
    of: 'embed',
    variant: timeMajor ? 'time-major ids' : 'ids that repeat',
    arguments: [{ shape: [5, 3] }],
    run: (table) =>
      timeMajor ? ops.swapTimeBatch(ops.embed(ops.swapTimeBatch(make()), table)) : ops.embed(make(), table),
    reference: (table) =>
      Float64Array.from(Array.from(at).flatMap((id) => Array.from(table.slice(id * 3, id * 3 + 3)))),
  }));
}

function dropoutCases(): GradientCase[] {
  const key = { low: 12345, high: 678 };
  // The mask is the kernel's own; that it has the right statistics is the kernel's test.
  const mask = (x: Tensor): Float32Array | Int32Array => {
    const ones = tensor(new Float32Array(x.size).fill(1), { shape: [x.size] });
    return ops.dropout(ones, 0.4, key).toArray();
  };
  return [
    {
      of: 'dropout',
      variant: 'rate 0.4',
      arguments: [{ shape: [30] }],
      run: (x) => ops.dropout(x, 0.4, key),
      reference: (x) => map(x, (v, i) => v * mask(tensor(new Float32Array(x.length)))[i]!),
    },
    {
      of: 'dropout',
      variant: 'rate 0',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.dropout(x, 0, key),
      reference: (x) => x,
    },
  ];
}

function softmaxCases(): GradientCase[] {
  const { tensor: targets, at } = ids([3, 2], 5);
  const shapes = [SEQUENCE, [4, 5], [5]] as const;
  return [
    ...shapes.map(
      (shape): GradientCase => ({
        of: 'softmax',
        variant: `[${shape}]`,
        arguments: [{ shape, low: -3, high: 3 }],
        run: ops.softmax,
        reference: (x) => byRow(x, 5, (row) => logSoftmax(row).map(Math.exp)),
      }),
    ),
    ...shapes.map(
      (shape): GradientCase => ({
        of: 'logSoftmax',
        variant: `[${shape}]`,
        arguments: [{ shape, low: -3, high: 3 }],
        run: ops.logSoftmax,
        reference: (x) => byRow(x, 5, logSoftmax),
      }),
    ),
    ...[false, true].map(
      (timeMajor): GradientCase => ({
        of: 'softmaxCrossEntropy',
        variant: timeMajor ? 'time-major targets' : 'row-major targets',
        arguments: [{ shape: SEQUENCE, low: -3, high: 3 }],
        run: (x) => ops.softmaxCrossEntropy(x, timeMajor ? exchanged(targets()) : targets()),
        reference: (x) => Float64Array.of(total(byRow(x, 5, (row, i) => [-logSoftmax(row)[at[i]!]!])) / 6),
      }),
    ),
  ];
}

/** The same tensor with its first two axes exchanged in memory only. */
export function exchanged(x: Tensor): Tensor {
  const [a, b, ...rest] = x.shape as [number, number, ...number[]];
  const inner = sizeOf(rest);
  const from = x.toArray();
  const moved = from.map((_, at) => {
    const [row, column, i] = [Math.floor(at / inner / a), Math.floor(at / inner) % a, at % inner];
    return from[(column * b + row) * inner + i]!;
  });
  return ops.swapTimeBatch(tensor(moved, { shape: [b, a, ...rest], dtype: x.dtype, name: x.name }));
}

const scanned: Record<CellName, Cell> = {
  lstm: lstmCell,
  gruAfter: gruAfterCell,
  gruBefore: gruBeforeCell,
  rnnTanh: rnnCells.tanh,
  rnnRelu: rnnCells.relu,
  rnnLinear: rnnCells.linear,
};

function recurrenceCases(): GradientCase[] {
  const [time, batch, inputs, units] = [3, 2, 4, 3];
  return Object.entries(scanned).map(([name, cell]) => {
    const width = cell.gates * units;
    const biasShape = cell.biases === 2 ? [2, width] : [width];
    return {
      of: 'recurrence',
      variant: name,
      arguments: [[time, batch, inputs], [inputs, width], [units, width], biasShape].map((shape) => ({ shape })),
      run: (x, kernel, recurrentKernel, bias) => ops.recurrence(cell, x, { kernel, recurrentKernel, bias }).outputs!,
      reference: (x, kernel, recurrentKernel, bias) =>
        runSequence(
          referenceCells[name as CellName],
          { kernel, recurrentKernel, bias },
          { x },
          { time, batch, inputSize: inputs, units },
        ).y,
    };
  });
}

export const opCases: GradientCase[] = [
  ...unaryCase('abs', ops.abs, Math.abs),
  ...unaryCase('exp', ops.exp, Math.exp),
  ...unaryCase('log', ops.log, Math.log, { low: 0.2, high: 3 }),
  ...unaryCase('neg', ops.neg, (x) => -x),
  ...unaryCase('reciprocal', ops.reciprocal, (x) => 1 / x, { low: 0.5, high: 2 }),
  ...unaryCase('relu', ops.relu, (x) => Math.max(x, 0)),
  ...unaryCase('sigmoid', ops.sigmoid, (x) => 1 / (1 + Math.exp(-x)), { low: -4, high: 4 }),
  ...unaryCase('sqrt', ops.sqrt, Math.sqrt, { low: 0.2, high: 3 }),
  ...unaryCase('square', ops.square, (x) => x * x),
  ...unaryCase('tanh', ops.tanh, Math.tanh, { low: -2, high: 2 }),
  ...binaryCases('add', ops.add, (a, b) => a + b),
  ...binaryCases('sub', ops.sub, (a, b) => a - b),
  ...binaryCases('mul', ops.mul, (a, b) => a * b),
  ...binaryCases('div', ops.div, (a, b) => a / b),
  {
    of: 'addScalar',
    variant: '0.75',
    arguments: [{ shape: SEQUENCE }],
    run: (x) => ops.addScalar(x, 0.75),
    reference: (x) => map(x, (v) => v + 0.75),
  },
  {
    of: 'scale',
    variant: '−1.5',
    arguments: [{ shape: SEQUENCE }],
    run: (x) => ops.scale(x, -1.5),
    reference: (x) => map(x, (v) => -1.5 * v),
  },
  {
    of: 'clip',
    variant: 'both sides',
    arguments: [{ shape: SEQUENCE }],
    run: (x) => ops.clip(x, -0.5, 0.25),
    reference: (x) => map(x, (v) => Math.min(Math.max(v, -0.5), 0.25)),
  },
  {
    of: 'sum',
    variant: 'three axes',
    arguments: [{ shape: SEQUENCE }],
    run: ops.sum,
    reference: (x) => Float64Array.of(total(x)),
  },
  {
    of: 'mean',
    variant: 'three axes',
    arguments: [{ shape: SEQUENCE }],
    run: ops.mean,
    reference: (x) => Float64Array.of(total(x) / x.length),
  },
  ...layoutCases(),
  ...productCases(),
  ...embeddingCases(),
  ...dropoutCases(),
  ...softmaxCases(),
  ...recurrenceCases(),
];

const { lossOf: _, ...makers } = losses;

/** A loss case whose predictions are uniform in a range and whose targets are constants. */
function lossCase(
  of: keyof typeof makers,
  fromLogits: boolean,
  targets: { values: ArrayLike<number>; shape: Shape; dtype?: 'i32' },
  reference: (prediction: Float64Array, y: ArrayLike<number>) => number,
): GradientCase {
  return {
    of,
    variant: fromLogits ? 'from logits' : 'from predictions',
    // Predictions stay clear of both ends, where they are clipped.
    arguments: [{ shape: SEQUENCE, ...(fromLogits ? { low: -3, high: 3 } : { low: 0.05, high: 0.95 }) }],
    run: (prediction) => {
      const { values: data, ...options } = targets;
      return makers[of]({ fromLogits }).compute(tensor(data, options), prediction);
    },
    reference: (prediction) => Float64Array.of(reference(prediction, targets.values)),
  };
}

const regressionTargets = { values: values(30, 41, 2), shape: SEQUENCE };
const binaryTargets = { values: integers(30, 2, 42), shape: SEQUENCE };
const classTargets = { values: integers(6, 5, 43), shape: [3, 2], dtype: 'i32' as const };
const oneHotTargets = {
  values: Array.from(classTargets.values).flatMap((id) => [0, 1, 2, 3, 4].map((v) => (v === id ? 1 : 0))),
  shape: SEQUENCE,
};
const meanOver = (x: Float64Array, f: (v: number, i: number) => number): number => total(map(x, f)) / x.length;

export const lossCases: GradientCase[] = [
  lossCase('meanSquaredError', false, regressionTargets, (p, y) => meanOver(p, (v, i) => (v - y[i]!) ** 2)),
  lossCase('meanAbsoluteError', false, regressionTargets, (p, y) => meanOver(p, (v, i) => Math.abs(v - y[i]!))),
  lossCase('binaryCrossentropy', false, binaryTargets, (p, y) =>
    meanOver(p, (v, i) => -(y[i]! * Math.log(v) + (1 - y[i]!) * Math.log(1 - v))),
  ),
  lossCase('binaryCrossentropy', true, binaryTargets, (x, y) =>
    meanOver(x, (v, i) => Math.log(1 + Math.exp(v)) - v * y[i]!),
  ),
  lossCase(
    'categoricalCrossentropy',
    false,
    oneHotTargets,
    (p, y) => -total(map(p, (v, i) => y[i]! * Math.log(v))) / 6,
  ),
  lossCase(
    'categoricalCrossentropy',
    true,
    oneHotTargets,
    (x, y) => -total(map(byRow(x, 5, logSoftmax), (v, i) => y[i]! * v)) / 6,
  ),
  ...[false, true].map((fromLogits) =>
    lossCase('sparseCategoricalCrossentropy', fromLogits, classTargets, (x, y) => {
      const logs = fromLogits ? byRow(x, 5, logSoftmax) : map(x, Math.log);
      return -total(Float64Array.from(y, (id, row) => logs[row * 5 + id]!)) / 6;
    }),
  ),
];
