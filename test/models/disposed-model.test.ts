import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { DeadTensorError } from '../../src/checks/dead-tensor-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { generate } from '../../src/models/generate.ts';
import { sequential } from '../../src/models/model.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';
import { decodeStream } from '../../src/streaming/load.ts';
import { values } from '../kernels/reference/values.ts';

const x = ndarray(values(4 * 3 * 2, 1), [4, 3, 2]);
const y = ndarray(values(4, 2), [4, 1]);

const make = () => {
  setSeed(1);
  const made = sequential([lstm({ units: 5, inputShape: [null, 2], stateful: true }), dense({ units: 1 })]);
  made.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  return made;
};

describe('a model that was disposed of', () => {
  test('throws DeadTensorError from whatever would read its weights', async () => {
    const model = make();
    await model.fit(x, y, { batchSize: 4 });
    model.predict(x);
    model.predict(x, { weights: 'int8' });
    model.dispose();
    const uses: [string, () => unknown][] = [
      ['predict', () => model.predict(x)],
      ['predict int8', () => model.predict(x, { weights: 'int8' })],
      ['evaluate', () => model.evaluate(x, y)],
      ['trainOnBatch', () => model.trainOnBatch(x, y)],
      ['stream', () => model.stream()],
      ['encodeModel', () => encodeModel(model)],
      ['assign', () => model.weights[0]!.assign(new Float32Array(model.weights[0]!.size))],
      ['a layer', () => model.layers[1]!(tensor([[1, 2, 3, 4, 5]]))],
    ];
    for (const [name, use] of uses) expect(use, name).toThrow(DeadTensorError);
    await expect(model.fit(x, y, { batchSize: 4 })).rejects.toThrow(DeadTensorError);
    expect(() => model.dispose()).not.toThrow();
  });

  test('while ids are generated from it, ends them with DeadTensorError', async () => {
    setSeed(1);
    const model = sequential([
      embedding({ inputDim: 5, outputDim: 3 }),
      gru({ units: 4, returnSequences: true }),
      dense({ units: 5 }),
    ] as Layer[]);
    const ids = generate(model, [1, 2], { maxLength: 10 });
    await ids.next();
    model.dispose();
    await expect(ids.next()).rejects.toThrow(DeadTensorError);
  });

  test('leaves a stream of its file as it was', () => {
    const model = make();
    const stream = decodeStream(encodeModel(model));
    const [expected] = [decodeStream(encodeModel(model)).step([1, 2]).slice()];
    model.dispose();
    expect(stream.step([1, 2])).toEqual(expected);
  });

  test('of which threads were stopped, streams on before it', async () => {
    const engine = await init({ threads: 2, mode: 'reproducible' });
    const model = make();
    const stream = model.stream();
    const expected = stream.step([1, 2]).slice();
    engine.stopThreads();
    stream.reset();
    expect(stream.step([1, 2])).toEqual(expected);
    model.dispose();
    expect(() => stream.step([1, 2])).toThrow(DeadTensorError);
  });
});

describe.each<[string, () => Layer]>([
  ['dense', () => dense({ units: 3 })],
  ['lstm', () => lstm({ units: 3 })],
  ['gru', () => gru({ units: 3 })],
  ['simpleRnn', () => simpleRnn({ units: 3 })],
  ['rnn', () => rnn(gruCell({ units: 3 })) as Layer],
  ['bidirectional', () => bidirectional(gru({ units: 3 })) as Layer],
])('a %s layer', (_, makeLayer) => {
  test('called after dispose, by one row or many, throws DeadTensorError', () => {
    for (const batch of [1, 3]) {
      const layer = makeLayer();
      const input = tensor(values(batch * 8, 1), { shape: [batch, 2, 4] });
      layer(input);
      layer(input);
      layer.dispose();
      expect(() => layer(input)).toThrow(DeadTensorError);
    }
  });
});
