import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { AnyLayer, Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { loadModel } from '../../src/node.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { decodeStream } from '../../src/streaming/load.ts';
import type { CaseInput } from '../layers/cases/case.ts';
import { recurrentCases } from '../layers/cases/recurrent.ts';
import { simpleCases } from '../layers/cases/simple.ts';
import { firstDifference } from '../train/first-difference.ts';

const OLD = new URL('files/first-layer-without-shape-0.1.0.safetensors', import.meta.url).pathname;

/** One case of each class and shape that may stand first in a sequential model. */
const firsts = [...simpleCases, ...recurrentCases].filter(({ inputs, make, call }) => {
  if (Array.isArray(inputs) || call) return false;
  const layer = make();
  // Cells of the caller's own are loaded otherwise.
  return !('begin' in layer) && !/"returnState":true|"Cell"/.test(JSON.stringify(layer.config()));
});

const builds: Record<string, (model: Model, x: ReturnType<typeof ndarray>) => unknown> = {
  build: ({ network }, x) => network.build([null, ...x.shape.slice(1)]),
  'a call': (model, x) => {
    engine().step(() => model.call(tensor(x.data, { shape: x.shape, dtype: model.network.inputDtype })));
  },
  predict: (model, x) => {
    model.predict(x);
  },
  fit: (model, x) => {
    const y = model.network.outputShape(x.shape) as number[];
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    return model.fit(x, ndarray(new Float32Array(y.reduce((a, b) => a * b)), y), { epochs: 1 });
  },
};

describe.each(Object.keys(builds))('a model that was built by %s', (how) => {
  test.each(firsts.map((c) => [`${c.of}, ${c.variant}`, c] as const))(
    'with %s first, is loaded as it was',
    async (_, c) => {
      setSeed(4);
      const first = c.make() as Layer;
      const output: unknown = (first as AnyLayer).outputShapes((c.inputs as CaseInput).shape);
      // Several outputs stand last in no sequential model.
      if (Array.isArray((output as unknown[])[0])) return;
      const model = sequential([first]);
      const { shape, idsBelow } = c.inputs as CaseInput;
      const size = shape.reduce((a, b) => a * b);
      const values = Array.from({ length: size }, (_, i) => (idsBelow ? i % idsBelow : Math.sin(i + 1)));
      const x = ndarray(idsBelow ? Int32Array.from(values) : Float32Array.from(values), [...shape]);
      await builds[how]!(model, x);
      const bytes = encodeModel(model);
      const { model: loaded } = decodeModel(bytes);
      expect(firstDifference(encodeModel(loaded), bytes)).toBe(-1);
      expect(loaded.predict(x).data).toEqual(model.predict(x).data);
      expect(loaded.summary()).toBe(model.summary());
      let live: ReturnType<Model['stream']> | undefined;
      try {
        live = model.stream();
      } catch {}
      if (live) expect(decodeStream(bytes).inputWidth).toBe(live.inputWidth);
    },
  );
});

describe('a loaded model', () => {
  test('that was built for sequences of one length, takes any as the live one does', () => {
    const model = sequential([gru({ units: 2 }), dense({ units: 1 })]);
    model.predict([[[1], [2], [3]]]);
    const { model: loaded } = decodeModel(encodeModel(model));
    const x = [[[1], [2], [3], [4], [5]]];
    expect(loaded.predict(x).data).toEqual(model.predict(x).data);
  });

  test('that was built for vectors, takes sequences as the live one does', () => {
    const model = sequential([dense({ units: 1 })]);
    model.predict([[1, 2]]);
    const { model: loaded } = decodeModel(encodeModel(model));
    const x = [[[1, 2], [3, 4]]]; // biome-ignore format: one sequence
    expect(loaded.predict(x).data).toEqual(model.predict(x).data);
  });

  test('streams, and so does its file, though no layer declares its input', () => {
    const model = sequential([lstm({ units: 3 }), dense({ units: 2 })]);
    model.predict([[[1, 2]]]);
    const step = Array.from(model.stream().step([1, 2]));
    const bytes = encodeModel(model);
    expect(Array.from(decodeModel(bytes).model.stream().step([1, 2]))).toEqual(step);
    expect(Array.from(decodeStream(bytes).step([1, 2]))).toEqual(step);
  });
});

test('a shape that is not that of the file is refused', () => {
  const model = sequential([lstm({ units: 3, inputShape: [null, 2] })]);
  const bytes = encodeModel(model);
  expect(() => decodeModel(bytes, { inputShape: [null, 3] })).toThrow('inputShape expected [?, ?, 2], got [?, ?, 3]');
  expect(() => decodeStream(bytes, { inputShape: [null, 3] })).toThrow('inputShape expected 2 features, got 3');
  expect(decodeModel(bytes, { inputShape: [5, 2] }).model.network.builtShape).toEqual([null, null, 2]);
  expect(decodeStream(bytes, { inputShape: [5, 2] }).step([1, 2])).toHaveLength(3);
});

describe('a file of version 0.1.0 whose first layer says no shape', () => {
  test('is refused with what to do about it', () => {
    for (const read of [() => loadModel(OLD), () => decodeStream(readFileSync(OLD))]) {
      expect(read).toThrow('its first layer does not say what input it takes: give inputShape');
    }
  });

  test('loads with the shape that the caller gives', async () => {
    await init({ mode: 'reproducible' });
    const { model } = loadModel(OLD, { inputShape: [null, 1] });
    expect(model.predict([[[1], [2], [3]]]).data[0]).toBe(Math.fround(0.07956037670373917));
    const stream = decodeStream(readFileSync(OLD), { inputShape: [null, 1], mode: 'reproducible' });
    expect(Array.from([1, 2, 3], (x) => stream.step([x])[0]).at(-1)).toBe(Math.fround(0.07956037670373917));
  });
});
