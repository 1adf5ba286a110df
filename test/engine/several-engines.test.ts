import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { averagePooling1d } from '../../src/layers/pooling.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { model } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';
import { sgd } from '../../src/optimizers/sgd.ts';
import { values } from '../kernels/reference/values.ts';

const matrix = (): Tensor => tensor(values(9, 1), { shape: [3, 3] });

describe('tensors of two engines', () => {
  test.each<[string, (old: Tensor, now: Tensor) => unknown]>([
    ['add', (a, b) => ops.add(a, b)],
    ['linear', (a, b) => ops.linear(a, b)],
    ['concatenate', (a, b) => ops.concatenate([a, b])],
    ['where, its mask', (a, b) => ops.where(a, b, 0)],
    ['gather, its ids', (a, b) => ops.gather(a, tensor([1, 0], { dtype: 'i32', engine: b.engine }))],
    ['layerNorm', (a, b) => ops.layerNorm(a, tensor([1, 1, 1], { engine: b.engine }))],
    [
      'a layer',
      (a, b) => {
        const layer = dense({ units: 2 });
        layer(b);
        return layer(a);
      },
    ],
    ['valueAndGrad', (a, b) => valueAndGrad(() => ops.sum(a), [a, b])],
  ])('in %s, throw by name', async (_, use) => {
    await init({ mode: 'reproducible' });
    const a = matrix();
    await init({ mode: 'reproducible' });
    const b = matrix();
    expect(() => use(a, b)).toThrow(ArgumentError);
    expect(() => use(a, b)).toThrow(/^tensor '.*' expected the engine of '.*', got that of another init\(\)$/);
    expect(() => use(b, a)).toThrow(ArgumentError);
  });

  test('as a gradient and its parameter, throw, and the parameter stays', async () => {
    await init();
    const p = new Parameter('p', [3, 3], values(9, 2));
    await init();
    expect(() => sgd().apply([p], [matrix()])).toThrow("tensor 'tensor' expected the engine of 'p'");
    const q = new Parameter('q', [3, 3], values(9, 3));
    const ofQ = matrix();
    const ofP = tensor(values(9, 1), { shape: [3, 3], engine: p.tensor.engine });
    expect(() => sgd().apply([p, q], [ofP, ofQ])).toThrow("tensor 'q' expected the engine of 'p'");
    expect(Array.from(p.toArray())).toEqual(Array.from(values(9, 2)));
    expect(Array.from(q.toArray())).toEqual(Array.from(values(9, 3)));
  });
});

test('a model made before init, predicts, trains and answers new shapes as if there had been none', async () => {
  const run = async (again: boolean): Promise<unknown> => {
    await init({ mode: 'reproducible' });
    setSeed(3);
    const layers = {
      cells: rnn(gruCell({ units: 4, dropout: 0.5 }), { returnSequences: true }),
      pool: averagePooling1d({ poolSize: 2, padding: 'same' }),
      top: gru({ units: 3 }),
      out: dense({ units: 1 }),
    };
    const made = model({ layers }, (x: Tensor, { cells, pool, top, out }) =>
      ops.add(out(top(pool(cells(x)))), tensor([[1]])),
    );
    const x = ndarray(values(2 * 3 * 2, 1), [2, 3, 2]);
    const y = ndarray(values(2, 2), [2, 1]);
    made.compile({ optimizer: 'adam', loss: 'mse' });
    made.trainOnBatch(x, y);
    if (again) await init({ mode: 'reproducible' });
    const [, used] = [made.trainOnBatch(x, y), engine().heap.usedBytes];
    const longer = ndarray(values(2 * 5 * 2, 1), [2, 5, 2]);
    const result = [made.predict(longer).data, made.evaluate(longer, y), made.weights.map((w) => w.toArray())];
    if (again) expect(engine().heap.usedBytes).toBe(used);
    return result;
  };
  expect(await run(true)).toEqual(await run(false));
});
