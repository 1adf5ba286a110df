// Which ops make a view and which a copy, and the memory order of results. So a sequence is not copied without need.
import { beforeAll, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { engine, init } from '../../src/engine/engine.ts';
import * as ops from '../../src/ops/index.ts';
import { values } from '../kernels/reference/values.ts';
import { exchanged } from './cases/case.ts';

const SHAPE = [3, 4, 2];
const rowMajor = (): Tensor => tensor(values(24, 1), { shape: SHAPE });
const timeMajor = (): Tensor => exchanged(rowMajor());
const sharesMemory = (y: Tensor, x: Tensor): boolean => y.ptr >= x.ptr && y.ptr < x.ptr + 4 * x.size;

beforeAll(async () => {
  await init();
});

const inStep = (body: () => void): void => engine().step(body);

test('a step of a sequence is a view where it is stored time-major, else a copy', () =>
  inStep(() => {
    const [a, b] = [rowMajor(), timeMajor()];
    for (const step of [ops.lastStep, (x: Tensor) => ops.timeStep(x, 1)]) {
      expect(sharesMemory(step(b), b)).toBe(true);
      expect(sharesMemory(step(a), a)).toBe(false);
      expect(step(a).toArray()).toEqual(step(b).toArray());
    }
  }));

test('a slice or a part is a view where it stands together, and keeps the order of its source', () =>
  inStep(() => {
    const [a, b] = [rowMajor(), timeMajor()];
    for (const [x, axis, view] of [
      [a, 0, true],
      [a, 1, false],
      [b, 0, false],
      [b, 1, true],
      [a, 2, false],
    ] as const) {
      const y = ops.slice(x, { axis, to: 1 });
      const [part] = ops.split(x, [1, x.shape[axis]! - 1], axis);
      expect([y, part!].map((each) => sharesMemory(each, x))).toEqual([view, view]);
      expect([y.timeMajor, part!.timeMajor]).toEqual([x.timeMajor, x.timeMajor]);
    }
  }));

test('steps stacked along time, and repeated features, are stored time-major', () =>
  inStep(() => {
    const step = tensor(values(6, 1), { shape: [3, 2] });
    expect(ops.stack([step, step, step, step], 1).timeMajor).toBe(true);
    expect(ops.repeat(step, 4).timeMajor).toBe(true);
    expect(ops.stack([step, step], 0).timeMajor).toBe(false);
  }));

test('ops over features keep the order of a sequence that is stored time-major', () =>
  inStep(() => {
    const x = timeMajor();
    const kernel = tensor(values(30, 2), { shape: [3, 2, 5] });
    const results = {
      layerNorm: ops.layerNorm(x),
      conv1d: ops.conv1d(x, kernel, undefined, { padding: 'causal' }),
      concatenate: ops.concatenate([x, rowMajor()]),
      reverse: ops.reverse(x),
      sum: ops.sum(x, { axis: 2 }),
      max: ops.max(x, { axis: 2 }),
      where: ops.where(x, x, 0),
      mulByStep: ops.mul(ops.expandDims(ops.timeStep(x, 0), 1), x),
      addOfSteps: ops.add(tensor(values(8, 3), { shape: [4, 2] }), x),
      subOfNumber: ops.sub(1, x),
      attention: ops.attention(x, x, x).outputs,
      broadcastTo: ops.broadcastTo(ops.expandDims(x, -1), [...SHAPE, 3]),
      dropout: ops.dropout(x, 0.5, { low: 1, high: 2 }, { noiseShape: [null, 1, null] }),
    };
    expect(Object.entries(results).filter(([, y]) => !y.timeMajor)).toEqual([]);
  }));

test('the first two axes are exchanged without a copy', () =>
  inStep(() => {
    const x = rowMajor();
    const y = ops.transpose(x, [1, 0, 2]);
    expect(y.ptr).toBe(x.ptr);
    expect(y.toArray()).toEqual(ops.swapTimeBatch(x).toArray());
  }));
