// Random programs: layers, options, shapes, data, and calls in any order; each is saved, loaded and trained further,
// with the same bits as a run without a break.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { init } from '../../src/engine/engine.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout, spatialDropout1d } from '../../src/layers/dropout.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { masking } from '../../src/layers/masking.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import type { OptimizerName } from '../../src/optimizers/by-name.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { firstDifference } from '../train/first-difference.ts';

beforeAll(() => init({ mode: 'reproducible' }));

const makers: Record<string, (units: number, stateful: boolean) => Layer> = {
  lstm: (units, stateful) => lstm({ units, stateful, returnSequences: true, dropout: 0.2 }),
  gru: (units, stateful) => gru({ units, stateful, returnSequences: true, recurrentDropout: 0.3 }),
  simpleRnn: (units) => simpleRnn({ units, returnSequences: true, goBackwards: true }),
  rnn: (units) => rnn(gruCell({ units }), { returnSequences: true }),
  bidirectional: (units) => bidirectional(gru({ units, returnSequences: true })),
  conv1d: (units) => conv1d({ filters: units, kernelSize: 2, padding: 'causal' }),
  dense: (units) => dense({ units, activation: 'tanh', kernelRegularizer: 'l2' }),
  dropout: () => dropout({ rate: 0.5 }),
  spatialDropout1d: () => spatialDropout1d({ rate: 0.3 }),
  masking: () => masking(),
  layerNormalization: () => layerNormalization(),
  timeDistributed: (units) => timeDistributed(dense({ units })),
  frozen: (units) => dense({ units, trainable: false }),
};

const layer = fc.record({ kind: fc.constantFrom(...Object.keys(makers)), units: fc.integer({ min: 1, max: 4 }), stateful: fc.boolean() }); // biome-ignore format: one line
const program = fc.record({
  seed: fc.nat(1e6),
  stack: fc.array(fc.oneof(layer, fc.array(layer, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 4 }),
  declares: fc.boolean(),
  optimizer: fc.constantFrom<OptimizerName>('sgd', 'adam', 'rmsprop', 'nadam'),
  features: fc.integer({ min: 1, max: 3 }),
  calls: fc.array(fc.constantFrom('train', 'predict', 'evaluate', 'reset', 'summary', 'save', 'freeze'), {
    maxLength: 5,
  }),
});
type Program = typeof program extends fc.Arbitrary<infer P> ? P : never;
type Made = { kind: string; units: number; stateful: boolean };

const BATCH = 2;

function modelOf({ stack, declares, features, optimizer }: Program): Model {
  const made = ({ kind, units, stateful }: Made) => makers[kind]!(units, stateful);
  const layers: (Layer | Model)[] = stack.map((each) =>
    Array.isArray(each) ? sequential(each.map(made)) : made(each),
  );
  const first = dense({ units: 2, ...(declares && { inputShape: [null, features] }) });
  const model = sequential([first, ...layers, dense({ units: 1 })]);
  model.compile({ optimizer, loss: 'mse', metrics: ['mae'] });
  return model;
}

/** Some calls on data that depend on `seed` alone. */
function run(model: Model, calls: readonly string[], { seed, features }: Program): unknown[] {
  const random = new RandomStream(seed);
  const values = (...shape: number[]) =>
    ndarray(
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.nextNormal()),
      shape,
    );
  return calls.map((call) => {
    const time = 1 + (random.nextUint32() % 4);
    const [x, y] = [values(BATCH, time, features), values(BATCH, time, 1)];
    if (call === 'train') return model.trainOnBatch(x, y);
    if (call === 'predict') return model.predict(x);
    if (call === 'evaluate') return model.evaluate(x, y);
    if (call === 'reset') return model.resetStates();
    if (call === 'summary') return model.summary();
    if (call === 'save') return encodeModel(model).length;
    model.layers[0]!.trainable = false;
    return undefined;
  });
}

test('a program that is saved and loaded anywhere, goes on with the bits of the one that was not', () => {
  fc.assert(
    fc.property(program, (p) => {
      setSeed(p.seed);
      const live = modelOf(p);
      run(live, ['predict', ...p.calls], p);
      const bytes = encodeModel(live);
      const { model: loaded } = decodeModel(bytes);
      expect(firstDifference(encodeModel(loaded), bytes)).toBe(-1);
      const then = ['train', 'evaluate', 'train', 'predict'];
      expect(run(loaded, then, p)).toEqual(run(live, then, p));
      expect(firstDifference(encodeModel(loaded), encodeModel(live))).toBe(-1);
    }),
    { seed: 11, numRuns: Number(process.env.SAVED_PROGRAMS ?? 60) },
  );
});
