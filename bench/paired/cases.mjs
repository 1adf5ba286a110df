// The cases for comparing two builds of the package. They use only public names.

const characters = ({ ndarray }, batch, time) => {
  const ids = (by) => Int32Array.from({ length: batch * time }, (_, i) => (i * by) % 65);
  return [ndarray(ids(7919), [batch, time]), ndarray(ids(104729), [batch, time])];
};

/** A training step of a language model: of characters, or of the words of a larger vocabulary. */
const train = (cell, batch, time, hidden, { layers = 1, words = 65 } = {}) => ({
  name: `train ${cell}${layers > 1 ? ` x${layers}` : ''} ${batch}x${time}x${hidden}${words > 65 ? ` of ${words} words` : ''}`,
  make(api) {
    const { adam, dense, embedding, sequential, sparseCategoricalCrossentropy } = api;
    const model = sequential([
      embedding({ inputDim: words, outputDim: hidden / 2 }),
      ...Array.from({ length: layers }, () => api[cell]({ units: hidden, returnSequences: true })),
      dense({ units: words }),
    ]);
    model.compile({
      optimizer: adam({ globalClipNorm: 5 }),
      loss: sparseCategoricalCrossentropy({ fromLogits: true }),
    });
    const [x, y] = characters(api, batch, time);
    return () => model.trainOnBatch(x, y).loss;
  },
});

/** A training step on padded sequences of features, masked and weighted. */
const masked = {
  name: 'train masked lstm 32x50x128',
  make({ dense, lstm, masking, ndarray, sequential }) {
    const model = sequential([
      masking({ inputShape: [50, 32] }),
      lstm({ units: 128, returnSequences: true }),
      dense({ units: 8 }),
    ]);
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const length = (row) => 25 + ((row * 7) % 26);
    const x = Float32Array.from({ length: 32 * 50 * 32 }, (_, i) => {
      const step = Math.floor(i / 32);
      return step % 50 < length(Math.floor(step / 50)) ? Math.sin(i) + 2 : 0;
    });
    const y = Float32Array.from({ length: 32 * 50 * 8 }, (_, i) => Math.cos(i));
    const [xs, ys] = [ndarray(x, [32, 50, 32]), ndarray(y, [32, 50, 8])];
    return () => model.trainOnBatch(xs, ys).loss;
  },
};

/** A review is good or bad: the last output of a layer over 500 words decides. */
const review = (cell) => ({
  name: `train ${cell} 128x500x32, reviews`,
  make(api) {
    const { dense, embedding, ndarray, sequential } = api;
    const model = sequential([
      embedding({ inputDim: 10_000, outputDim: 32 }),
      api[cell]({ units: 32 }),
      dense({ units: 1, activation: 'sigmoid' }),
    ]);
    model.compile({ optimizer: 'rmsprop', loss: 'binaryCrossentropy' });
    const x = ndarray(
      Int32Array.from({ length: 128 * 500 }, (_, i) => (i * 7919) % 10_000),
      [128, 500],
    );
    const y = ndarray(
      Float32Array.from({ length: 128 }, (_, i) => i % 2),
      [128, 1],
    );
    return () => model.trainOnBatch(x, y).loss;
  },
});

/** A first model for beginners. It is so small that JavaScript takes most of the time of a step. */
const small = {
  name: 'train lstm(50) 3x3x1',
  make({ dense, lstm, ndarray, sequential }) {
    const model = sequential([lstm({ units: 50, inputShape: [3, 1] }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const [x, y] = [
      ndarray(Float32Array.of(1, 2, 3, 2, 3, 4, 3, 4, 5), [3, 3, 1]),
      ndarray(Float32Array.of(4, 5, 6), [3, 1]),
    ];
    return () => model.trainOnBatch(x, y).loss;
  },
};

/** A forward pass over a sequence that returns every output. */
const predict = (cell, batch, time, inputs, hidden) => ({
  name: `predict ${cell} ${batch}x${time}x${inputs}x${hidden}`,
  make(api) {
    const model = api.sequential([api[cell]({ units: hidden, returnSequences: true, inputShape: [time, inputs] })]);
    const x = Float32Array.from({ length: batch * time * inputs }, (_, i) => Math.sin(i));
    const xs = api.ndarray(x, [batch, time, inputs]);
    return () => model.predict(xs, { batchSize: batch }).data.at(-1);
  },
});

/** One time step with batch size 1. */
const step = (inputs, hidden, weights = 'float32') => ({
  name: `step lstm ${inputs}x${hidden}${weights === 'int8' ? ' int8' : ''}`,
  make({ lstm, sequential }) {
    const stream = sequential([lstm({ units: hidden, inputShape: [null, inputs] })]).stream({ weights });
    const x = new Float32Array(inputs).fill(0.5);
    return () => stream.step(x)[0];
  },
});

/** Only the updates of an optimizer, for about a million numbers. */
const update = (optimizer) => ({
  name: `update ${optimizer}`,
  make({ dense, sequential, ndarray }) {
    const model = sequential([dense({ units: 1000, inputShape: [1000] })]);
    model.compile({ optimizer, loss: 'mse' });
    const x = ndarray(
      Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i)),
      [1, 1000],
    );
    return () => model.trainOnBatch(x, x).loss;
  },
});

export const cases = [
  train('lstm', 32, 50, 128),
  train('lstm', 32, 100, 256),
  train('lstm', 64, 100, 512),
  train('lstm', 32, 100, 256, { layers: 2 }),
  train('lstm', 32, 20, 1024),
  train('lstm', 20, 35, 256, { words: 10_000 }),
  review('simpleRnn'),
  review('lstm'),
  train('gru', 32, 50, 128),
  train('simpleRnn', 32, 50, 128),
  masked,
  small,
  predict('lstm', 1, 100, 64, 128),
  predict('gru', 1, 100, 64, 128),
  predict('lstm', 32, 50, 64, 128),
  predict('gru', 32, 50, 64, 128),
  step(64, 128),
  step(128, 256),
  step(64, 128, 'int8'),
  ...['sgd', 'adam', 'rmsprop', 'adagrad', 'adadelta', 'lion'].map(update),
];
