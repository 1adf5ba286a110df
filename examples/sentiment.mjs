// Is a film review positive or negative? IMDB reviews are ids of words, the most frequent word first, cut or padded at
// the start to 500 words. First a simple RNN, which overfits soon. Then an LSTM and a bidirectional LSTM, which skip
// the padding (a mask) and keep the strongest output of each unit in a review. A fifth of the training reviews
// validates and chooses the epoch.
import {
  bidirectional,
  dense,
  dropout,
  earlyStopping,
  embedding,
  globalMaxPooling1d,
  lstm,
  progressText,
  sequential,
  setSeed,
  simpleRnn,
} from 'tapeloop';
import { loadIds, padSequences, shuffle } from 'tapeloop/data';

export const about = 'IMDB reviews, kind or unkind: simple RNN, LSTM and bidirectional LSTM.';
const source =
  'the reviews of https://ai.stanford.edu/~amaas/data/sentiment as word ids (u16), offsets (u32), labels (u8)';
const kinds = ['ids.u16.gz', 'offsets.u32', 'labels.u8'];
export const files = Object.fromEntries(
  ['train', 'test'].flatMap((part) => kinds.map((kind) => [`imdb/${part}.${kind}`, source])),
);

const words = 10_000;
const output = () => dense({ units: 1, activation: 'sigmoid' });
const simple = (layers) => [
  embedding({ inputDim: words, outputDim: 32 }),
  ...Array.from({ length: layers }, (_, i) => simpleRnn({ units: 32, returnSequences: i + 1 < layers })),
  output(),
];
const strongest = (recurrent) => [
  embedding({ inputDim: words, outputDim: 32, maskZero: true }),
  ...[dropout({ rate: 0.5 }), recurrent, globalMaxPooling1d(), dropout({ rate: 0.5 }), output()],
];
const memory = () => lstm({ units: 32, returnSequences: true });

export async function run({ data, seed, log, quick = false }) {
  async function load(part) {
    const [ids, offsets, labels] = kinds.map((kind) => `${data}/imdb/${part}.${kind}`);
    const reviews = await loadIds({ ids, offsets, labels }, { numWords: words });
    return [padSequences(reviews.sequences, { maxLength: quick ? 20 : 500 }), reviews.labels];
  }
  // The files are sorted by label, and the last fifth validates.
  const [x, y] = shuffle(await load('train'), { seed });
  const test = await load('test');

  async function learn(name, layers, { optimizer, epochs }) {
    setSeed(seed);
    const model = sequential(layers);
    model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
    const best = earlyStopping({ patience: 3, restoreBestWeights: true });
    await model.fit(x, y, {
      ...{ epochs: quick ? 1 : epochs, batchSize: 128, validationSplit: 0.2, callbacks: [best, progress] },
    });
    return model.evaluate(...test, { batchSize: 128 }).accuracy;
  }

  const size = (model) => model.weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  const [one, four] = [1, 4].map((layers) => size(sequential(simple(layers))));
  const rnn = await learn('simple RNN', simple(1), { optimizer: 'rmsprop', epochs: 10 });
  const long = await learn('LSTM', strongest(memory()), { optimizer: 'adam', epochs: 3 });
  const both = await learn('bidirectional', strongest(bidirectional(memory())), { optimizer: 'adam', epochs: 3 });
  return [
    { metric: 'parameters, simple RNN', value: one, near: [322_113, 0] },
    { metric: 'parameters, stack of four', value: four, near: [328_353, 0] },
    { metric: 'test accuracy, simple RNN 32', value: rnn, atLeast: 0.82 },
    { metric: 'test accuracy, LSTM 32', value: long },
    { metric: 'test accuracy, bidirectional LSTM 32', value: both, atLeast: 0.87 },
  ];
}
