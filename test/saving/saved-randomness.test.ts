import { beforeAll, expect, test } from 'vitest';
import { init } from '../../src/engine/engine.ts';
import { nextStream, setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { type Model, model, sequential } from '../../src/models/model.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { firstDifference } from '../train/first-difference.ts';

beforeAll(() => init({ mode: 'reproducible' }));

const x = [[[1], [2]], [[3], [1]]]; // biome-ignore format: two sequences

function make(): Model {
  setSeed(3);
  const made = sequential([
    bidirectional(lstm({ units: 2, returnSequences: true }), { inputShape: [null, 1] }),
    dropout({ rate: 0.5 }),
    timeDistributed(dense({ units: 2 })),
    gru({ units: 2 }),
  ]);
  made.compile({ optimizer: 'sgd', loss: 'mse' });
  return made;
}

/** What the next user of randomness gets. */
const next = (): number => nextStream().state.seed;

test.each<[string, (made: Model) => unknown]>([
  ['encodeModel', encodeModel],
  ['decodeModel', (made) => decodeModel(encodeModel(made))],
  ['summary', (made) => made.summary()],
  ['predict', (made) => made.predict(x)],
  ['evaluate', (made) => made.evaluate(x, [[1, 1], [0, 0]])], // biome-ignore format: two targets
  ['countParams and getLayer', (made) => [made.countParams(), made.getLayer('gru')]],
  ['outputShape', (made) => made.network.outputShape([null, 3, 1])],
])('%s draws nothing that the next model would have drawn', (_, look) => {
  make();
  const expected = next();
  look(make());
  expect(next()).toBe(expected);
});

test('summary of a model that drops while it predicts, leaves its random numbers as they are', () => {
  const [looked, left] = [0, 1].map(() => {
    setSeed(4);
    return model({ layers: { drop: dropout({ rate: 0.5 }), d: dense({ units: 2 }) }, inputs: { shape: [null, 3] } }, (input, { drop, d }) => drop(d(input), { training: true })); // biome-ignore format: one line
  });
  const [a, b] = [looked!, left!];
  a.weights.forEach((weight, i) => weight.assign(b.weights[i]!.toArray()));
  a.summary();
  a.network.outputShape([null, 9, 3]);
  const input = [[[1, 2, 3], [4, 5, 6]]]; // biome-ignore format: one sequence
  a.network.setScope();
  expect(a.network.tree().map((layer) => layer.randomState?.calls)).toEqual(b.network.tree().map((layer) => layer.randomState?.calls)); // biome-ignore format: one line
  expect(a.predict(input).shape).toEqual(b.predict(input).shape);
});

test('a model that was saved before it has trained, trains as the one that goes on, whichever trains first', () => {
  for (const order of [0, 1]) {
    const live = make();
    const bytes = encodeModel(live);
    const both = [live, decodeModel(bytes).model];
    if (order === 1) both.reverse();
    const losses = both.map((each) => [0, 1, 2].map(() => each.trainOnBatch(x, [[1, 1], [0, 0]]).loss)); // biome-ignore format: one line
    expect(losses[1]).toEqual(losses[0]);
    expect(firstDifference(encodeModel(both[0]!), encodeModel(both[1]!))).toBe(-1);
  }
});
