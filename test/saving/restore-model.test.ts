import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { setSeed } from '../../src/engine/random.ts';
import { ModelFileError } from '../../src/io/safetensors.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type CompileOptions, model } from '../../src/models/model.ts';
import { mean, square, sub } from '../../src/ops/index.ts';
import { adam, sgd } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel, restoreModel } from '../../src/saving/saved-model.ts';
import { twoByTwo } from '../models/custom-model-cases.ts';
import { firstDifference } from '../train/first-difference.ts';

describe('restoreModel', () => {
  const own = (yTrue: Tensor, yPred: Tensor): Tensor => mean(square(sub(yTrue, yPred)));
  const plain: CompileOptions = {
    optimizer: adam({ learningRate: 0.02 }),
    loss: { a: sparseCategoricalCrossentropy({ fromLogits: true }), b: 'meanSquaredError' },
  };
  const make = ({ isCompiled = true } = {}) => {
    setSeed(4);
    const made = model(
      {
        layers: {
          embed: embedding({ inputDim: 5, outputDim: 3 }),
          drop: dropout({ rate: 0.3 }),
          recurrent: gru({ units: 4, stateful: true }) as Layer,
          a: dense({ units: 2 }),
          b: dense({ units: 1 }),
        },
        inputs: { dtype: 'i32', limit: 5, shape: [4] },
      },
      (ids, { embed, drop, recurrent, a, b }) => {
        const h = recurrent(drop(embed(ids)));
        return { a: a(h), b: b(h) };
      },
    );
    if (isCompiled) {
      made.compile({
        ...plain,
        optimizer: adam({ learningRate: 0.02 }),
        lossWeights: { b: 3 },
        metrics: { a: ['accuracy'] },
        weightedMetrics: { b: ['mae'] },
      });
    }
    return made;
  };
  const x = Array.from({ length: 8 }, (_, i) => [i % 5, (2 * i) % 5, (3 * i) % 5, (i * i) % 5]);
  const y = { a: x.map(([i]) => i! % 2), b: x.map(([, i]) => [i! / 5]) };
  const trainOn = (made: ReturnType<typeof make>) => made.fit(x, y, { epochs: 2, batchSize: 4 });

  test('on a model made again, goes on bit for bit', async () => {
    const made = make();
    await trainOn(made);
    const bytes = encodeModel(made, { extra: { note: 1 } });
    const again = make();
    expect(restoreModel(again, bytes)).toEqual({ vocabulary: undefined, extra: { note: 1 } });
    expect(firstDifference(encodeModel(again, { extra: { note: 1 } }), bytes)).toBe(-1);
    const [a, b] = [await trainOn(made), await trainOn(again)];
    expect(b.history).toEqual(a.history);
    expect(firstDifference(encodeModel(again), encodeModel(made))).toBe(-1);
  });

  test.each<[string, (made: ReturnType<typeof make>) => void]>([
    ['not compiled', () => {}],
    [
      'compiled with a loss that no file can name',
      (made) => made.compile({ optimizer: adam(), loss: { a: own, b: own } }),
    ],
    ['compiled with a metric that no file can name', (made) => made.compile({ ...plain, metrics: { a: [own] } })],
    ['compiled with another optimizer', (made) => made.compile({ ...plain, optimizer: sgd() })],
  ])('on a model %s, is what the file says', async (_, prepare) => {
    const made = make();
    await trainOn(made);
    const bytes = encodeModel(made);
    const again = make({ isCompiled: false });
    prepare(again);
    restoreModel(again, bytes);
    expect(firstDifference(encodeModel(again), bytes)).toBe(-1);
    await Promise.all([trainOn(made), trainOn(again)]);
    expect(firstDifference(encodeModel(again), encodeModel(made))).toBe(-1);
  });

  test('on a model that is exchanged with its averages, is what the file says', () => {
    const averaging = () => {
      const made = make({ isCompiled: false });
      made.compile({ ...plain, optimizer: adam({ useEma: true }) });
      made.trainOnBatch(x, y);
      return made;
    };
    const made = averaging();
    const again = averaging();
    again.optimizer.swapEma(again.weights);
    restoreModel(again, encodeModel(made));
    expect(again.trainOnBatch(x, y)).toEqual(made.trainOnBatch(x, y));
    expect(firstDifference(encodeModel(again), encodeModel(made))).toBe(-1);
  });

  test('in a file, is told how to be loaded', () => {
    expect(() => decodeModel(encodeModel(make()))).toThrow(
      /it names model 'model'.*customObjects.*restoreModel\(model, bytes\)/,
    );
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['cut short', (bytes) => bytes.slice(0, -4)],
    ['of nothing', () => new Uint8Array(0)],
    ['with a weight that is NaN', (bytes) => patched(bytes, (floats) => (floats[7] = Number.NaN))],
    ['with other names', (bytes) => replaced(bytes, 'recurrent/kernel', 'recurrent/colonel'.slice(0, 16))],
    ['with an unknown optimizer', (bytes) => replaced(bytes, '\\"adam\\"', '\\"adem\\"')],
    ['with an unknown loss', (bytes) => replaced(bytes, 'meanSquaredError', 'meanSquaredErrar')],
    ['with another format', (bytes) => replaced(bytes, 'tapeloop', 'tapeloup')],
    ['of another model', () => encodeModel(twoByTwo())],
  ])('from a file %s, throws and leaves the model as it was', async (_, spoil) => {
    const made = make();
    await trainOn(made);
    const bytes = spoil(encodeModel(made));
    const again = make();
    await again.fit(x, y, { epochs: 1, batchSize: 4 });
    const before = encodeModel(again);
    expect(() => restoreModel(again, bytes)).toThrow(ModelFileError);
    expect(firstDifference(encodeModel(again), before)).toBe(-1);
  });

  test('of a model that is not built, is refused', () => {
    const made = model({ layers: [dense({ units: 1 })] }, (x, [layer]) => layer!(x));
    expect(() => restoreModel(made, encodeModel(twoByTwo()))).toThrow(
      new ArgumentError('model: expected a built model to restore; it has not seen an input yet'),
    );
  });
});

/** A copy with the floats behind the header changed. */
function patched(bytes: Uint8Array, change: (floats: Float32Array) => void): Uint8Array {
  const copy = bytes.slice();
  const header = 8 + Number(new DataView(copy.buffer).getBigUint64(0, true));
  change(new Float32Array(copy.buffer, header));
  return copy;
}

/** A copy with some text of its header, as long, in the place of another. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(from);
  expect(at).toBeGreaterThan(0);
  expect(to.length).toBe(from.length);
  copy.write(to, at);
  return new Uint8Array(copy);
}
