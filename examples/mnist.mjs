// Handwritten digits as sequences: first row by row, 28 steps of 28 pixels; then pixel by pixel, 784 steps of one
// pixel. There the network must remember for hundreds of steps. The last 5,000 training images validate. The test
// images are used once.
import {
  adam,
  dense,
  gru,
  lstm,
  ndarray,
  RandomStream,
  schedules,
  sequential,
  setSeed,
  sparseCategoricalCrossentropy,
} from 'tapeloop';
import { loadIdx } from 'tapeloop/data';

export const about = 'MNIST as a sequence: row by row, and pixel by pixel (784 steps).';
const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
export const files = Object.fromEntries(
  names.map((name) => [
    `mnist/${name}-ubyte.gz`,
    `https://storage.googleapis.com/cvdf-datasets/mnist/${name}-ubyte.gz`,
  ]),
);

/**
 * Sets biases with which the units of a GRU first keep their states for 1 to `time` steps (Tallec and Ollivier 2018).
 */
function rememberUpTo(time, layer, random) {
  const bias = layer.weights[2];
  const values = bias.toArray();
  for (let unit = 0; unit < layer.units; unit++) values[unit] = Math.log(1 + (time - 2) * random.nextUniform());
  bias.assign(values);
}

export async function run({ data, seed, log, quick = false }) {
  const [images, labels, testImages, testLabels] = await Promise.all(
    Object.keys(files).map((file) => loadIdx(`${data}/${file}`)),
  );
  /** Images cut into `time` steps, pixels from 0 to 1. */
  const sequences = ({ data, shape: [count] }, time) =>
    ndarray(
      Float32Array.from(data, (pixel) => pixel / 255),
      [count, time, 784 / time],
    );

  /** Accuracy on the test images. */
  async function learn(name, { layer, time, epochs, batchSize, learningRate, prepare }) {
    setSeed(seed);
    const model = sequential([layer, dense({ units: 10 })]);
    prepare?.();
    const decaySteps = epochs * Math.ceil(((11 / 12) * labels.shape[0]) / batchSize);
    const rate = schedules.cosineDecay({ initialLearningRate: learningRate, decaySteps });
    const loss = sparseCategoricalCrossentropy({ fromLogits: true });
    model.compile({ optimizer: adam({ learningRate: rate, globalClipNorm: 1 }), loss, metrics: ['accuracy'] });
    const start = performance.now();
    const onEpochEnd = (epoch, { loss, accuracy, val_accuracy: held }) => {
      const minutes = ((performance.now() - start) / 60_000).toFixed(1);
      const [seen, unseen] = [accuracy, held].map((share) => `${(100 * share).toFixed(2)}%`);
      log(`${name}, epoch ${epoch + 1} (${minutes} min): loss ${loss.toFixed(4)}, ${seen}, validation ${unseen}`);
    };
    await model.fit(sequences(images, time), labels, {
      ...{ epochs: quick ? 1 : epochs, batchSize, validationSplit: 1 / 12, callbacks: [{ onEpochEnd }] },
    });
    return model.evaluate(sequences(testImages, time), testLabels, { batchSize }).accuracy;
  }

  const byRow = lstm({ units: 128, inputShape: [28, 28] });
  const rows = await learn('rows', { layer: byRow, time: 28, epochs: 15, batchSize: 100, learningRate: 0.002 });
  const byPixel = gru({ units: 64, inputShape: [784, 1] });
  const prepare = () => rememberUpTo(784, byPixel, new RandomStream(seed));
  const training = { epochs: 10, batchSize: 64, learningRate: 0.008, prepare };
  const pixels = await learn('pixels', { layer: byPixel, time: 784, ...training });
  return [
    { metric: 'test accuracy by rows, LSTM 128', value: rows, atLeast: 0.987 },
    { metric: 'test accuracy by pixels, GRU 64', value: pixels, atLeast: 0.95 },
  ];
}
