import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { DeadTensorError } from '../../src/checks/dead-tensor-error.ts';
import { ndarray } from '../../src/data/array.ts';
import type { Nested } from '../../src/data/nested.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type AnyModel, sequential } from '../../src/models/model.ts';
import { add, linear, mean, reshape, softmaxCrossEntropy, square, tanh } from '../../src/ops/index.ts';
import { Objective } from '../../src/train/objective.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { integers, values } from '../kernels/reference/values.ts';

const VOCABULARY = 65;

describe('memory of a training step', () => {
  test.each([
    { layers: 1, batch: 32, time: 50, hidden: 128 },
    { layers: 1, batch: 32, time: 100, hidden: 256 },
    { layers: 2, batch: 32, time: 100, hidden: 256 },
    { layers: 1, batch: 64, time: 100, hidden: 512 },
  ])('of $layers LSTM, ($batch, $time, $hidden), is less than 1.2 times what it must keep', async (c) => {
    const { layers, batch, time, hidden } = c;
    const { heap } = await init();
    const model: AnyModel = sequential([
      embedding({ inputDim: VOCABULARY, outputDim: hidden / 2 }),
      ...Array.from({ length: layers }, () =>
        lstm({ units: hidden, returnSequences: true, recurrentInitializer: 'glorotUniform' }),
      ),
      dense({ units: VOCABULARY }),
    ]);
    model.compile({ optimizer: 'adam', loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
    const ids = ndarray(integers(batch * time, VOCABULARY, 1), [batch, time]);
    model.trainOnBatch(ids, ids);
    // Of a row: the embedded vector, of each layer four gates, c and h, and the probabilities. Adam keeps two numbers a
    // parameter.
    const row = hidden / 2 + layers * 6 * hidden + VOCABULARY;
    expect(heap.usedBytes / (4 * (batch * time * row + 3 * model.countParams()))).toBeLessThan(1.2);
    model.dispose();
  });
});

describe('logits that their loss reads last', () => {
  let x: Tensor;
  let head: Tensor;
  let labels: Tensor;
  beforeAll(async () => {
    await init();
    x = tensor(values(24, 1), { shape: [4, 6] });
    head = tensor(values(30, 2), { shape: [6, 5] });
    labels = tensor([0, 4, 2, 2], { dtype: 'i32' });
  });

  const loss = sparseCategoricalCrossentropy({ fromLogits: true });
  const unweighed = { sampleWeight: undefined, classWeight: undefined };
  const single = new Objective({ loss });

  /** The gradient of the head, with what the logits are worth to a reader after the backward pass. */
  function run(
    logitsOf: () => Tensor,
    lossOf: (logits: Tensor) => Tensor = (logits) => single.compute(labels, logits, unweighed).total,
  ): { gradient: ArrayLike<number>; read: () => ArrayLike<number> } {
    let kept: Tensor | undefined;
    const { grads } = valueAndGrad(() => {
      kept = logitsOf();
      return lossOf(kept);
    }, [head]);
    return { gradient: grads[0]!.toArray(), read: () => kept!.toArray() };
  }

  test('give their memory to their gradient, which has the same bits, and cannot be read any more', () => {
    engine().step(() => {
      const { gradient, read } = run(() => linear(x, head));
      expect(read).toThrow(DeadTensorError);
      expect(read).toThrow("tensor 'linear' [4, 5] has been overwritten by its loss");
      const plain = run(
        () => linear(x, head),
        (logits) => softmaxCrossEntropy(logits, labels),
      );
      expectSameBits(gradient, plain.gradient, 'gradient');
      expectSameBits(plain.read(), linear(x, head).toArray(), 'logits');
    });
  });

  test('are seen by metrics as they were', () => {
    const objective = new Objective({ loss, metrics: ['accuracy'] });
    const watch = objective.metricTracker();
    engine().step(() => {
      run(
        () => linear(x, head),
        (logits) => objective.compute(labels, logits, unweighed, watch).total,
      );
      const logits = linear(x, head).toArray();
      const right = [...labels.toArray()].filter((label, row) => {
        const scores = [...logits.slice(5 * row, 5 * row + 5)];
        return scores.indexOf(Math.max(...scores)) === label;
      });
      expect(watch.logs().accuracy).toBe(right.length / 4);
    });
  });

  const twoHeads = new Objective({ loss: { a: loss, b: loss } });
  test.each<[string, () => Tensor, ((logits: Tensor) => Tensor)?]>([
    ['that an activation has made, whose backward reads them', () => tanh(linear(x, head))],
    ['that are a view', () => reshape(linear(x, head), [4, 5])],
    ['that a sum has made', () => add(linear(x, head), linear(x, head))],
    [
      'that another op has read',
      () => linear(x, head),
      (logits) => {
        const penalty = mean(square(logits));
        return add(penalty, single.compute(labels, logits, unweighed).total);
      },
    ],
    [
      'that are two outputs',
      () => linear(x, head),
      (a) => twoHeads.compute({ a: labels, b: labels } as Nested<Tensor>, { a, b: a }, unweighed).total,
    ],
  ])('%s, stay as they were', (_, logitsOf, lossOf) => {
    engine().step(() => {
      const { read } = run(logitsOf, lossOf);
      expectSameBits(read(), logitsOf().toArray(), 'logits');
    });
  });

  test('that are a leaf, stay as they were', () => {
    const leaf = tensor(values(20, 3), { shape: [4, 5] });
    const before = leaf.toArray();
    valueAndGrad(() => single.compute(labels, leaf, unweighed).total, [leaf]);
    expectSameBits(leaf.toArray(), before, 'leaf');
  });
});
