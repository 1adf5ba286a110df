// Handwritten digits as sequences: first row by row, 28 steps of 28 pixels, then pixel by pixel, 784 steps of one, where the network has
// to remember what it saw hundreds of steps ago. The last 5,000 training images validate; the test images are looked at once.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  adam,
  dense,
  gru,
  lstm,
  ndarray,
  RandomStream,
  sequential,
  setSeed,
  sparseCategoricalCrossentropy,
} from 'tapeloop';

export const about = 'MNIST as a sequence: row by row, and pixel by pixel (784 steps).';
const source = 'https://storage.googleapis.com/cvdf-datasets/mnist';
export const files = Object.fromEntries(
  ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'].map((name) => [
    `mnist/${name}-ubyte.gz`,
    `${source}/${name}-ubyte.gz`,
  ]),
);

/**
 * Starts a GRU's update gates between "keep for one step" and "keep for `time` steps", so that some units remember from the beginning
 * (Tallec and Ollivier 2018, "Can recurrent neural networks warp time?").
 */
function rememberUpTo(time, layer, random) {
  const bias = layer.weights[2];
  const values = bias.toArray();
  for (let unit = 0; unit < layer.units; unit++) values[unit] = Math.log(1 + (time - 2) * random.nextUniform());
  bias.assign(values);
}

export async function run({ data, seed, log, quick = false }) {
  // An idx file: four bytes, the last of them the number of axes; four bytes an axis; the values.
  const idx = (name) => {
    const bytes = gunzipSync(readFileSync(`${data}/mnist/${name}-ubyte.gz`));
    return bytes.subarray(4 + 4 * bytes[3]);
  };
  const images = (name, time) => {
    const pixels = Float32Array.from(idx(name), (pixel) => pixel / 255);
    return ndarray(pixels, [pixels.length / 784, time, 784 / time]);
  };
  const labels = (name) => {
    const digits = Int32Array.from(idx(name));
    return ndarray(digits, [digits.length]);
  };

  /** Accuracy on the test images. */
  async function learn(name, time, layer, { epochs, learningRate, prepare }) {
    setSeed(seed);
    const model = sequential([layer, dense({ units: 10 })]);
    prepare?.(layer);
    const optimizer = adam({ learningRate, globalClipNorm: 1 });
    const loss = sparseCategoricalCrossentropy({ fromLogits: true });
    model.compile({ optimizer, loss, metrics: ['accuracy'] });
    const start = performance.now();
    const onEpochBegin = (epoch) => {
      optimizer.learningRate = learningRate * (0.5 + 0.5 * Math.cos((Math.PI * epoch) / epochs));
    };
    const onEpochEnd = (epoch, { loss, accuracy, val_accuracy: held }) => {
      const minutes = ((performance.now() - start) / 60_000).toFixed(1);
      log(
        `${name}, epoch ${epoch + 1} (${minutes} min): loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}, validation ${held.toFixed(4)}`,
      );
    };
    await model.fit(images('train-images-idx3', time), labels('train-labels-idx1'), {
      ...{
        epochs: quick ? 1 : epochs,
        batchSize: 100,
        validationSplit: 1 / 12,
        callbacks: [{ onEpochBegin, onEpochEnd }],
      },
    });
    const test = [images('t10k-images-idx3', time), labels('t10k-labels-idx1')];
    return model.evaluate(...test, { batchSize: 100 }).accuracy;
  }

  const byRow = lstm({ units: 128, inputShape: [28, 28] });
  const byPixel = gru({ units: 96, inputShape: [784, 1] });
  const prepare = (layer) => rememberUpTo(784, layer, new RandomStream(seed));
  return [
    {
      metric: 'test accuracy by row, LSTM 128',
      value: await learn('rows', 28, byRow, { epochs: 15, learningRate: 0.002 }),
      atLeast: 0.987,
    },
    {
      metric: 'test accuracy by pixel, GRU 96',
      value: await learn('pixels', 784, byPixel, { epochs: 8, learningRate: 0.002, prepare }),
      atLeast: 0.95,
    },
  ];
}
