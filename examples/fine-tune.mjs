// A classifier from elsewhere learns new classes. A GRU reads handwritten digits row by row and has learned 0 to 4 from
// many images. It leaves as an ONNX file and comes back as one would that somebody else had trained: all that is known
// of it is in the file. Then it learns 5 to 9 from 20 images each, with a new head: first the head alone, with the body
// frozen, then all of it with small steps. Beside it the same network learns from the same 100 images from scratch.
//
// Settings were chosen on training images 50,000 to 59,999. The test images are read once, at the end.
import { adam, dense, gru, progressText, sequential, setSeed } from 'tapeloop';
import { loadIdx } from 'tapeloop/data';
import { exportOnnx, importOnnx } from 'tapeloop/onnx';

export const about = 'A digit reader comes back as an ONNX file and learns five new classes from 20 images each.';
const source = 'https://storage.googleapis.com/cvdf-datasets/mnist';
const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
export const files = Object.fromEntries(names.map((name) => [`mnist/${name}-ubyte.gz`, `${source}/${name}-ubyte.gz`]));

const classes = 5;

/** Images of digits `low` to `low + 4` as rows [28][28] of 0 to 1, with labels 0 to 4. */
function digits({ images, labels }, low, { from = 0, to = labels.data.length, each = Number.POSITIVE_INFINITY } = {}) {
  const counts = Array(classes).fill(0);
  const [x, y] = [[], []];
  for (let n = from; n < to; n++) {
    const label = labels.data[n] - low;
    if (!(label >= 0 && label < classes) || counts[label]++ >= each) continue;
    const row = (_, t) => Array.from(images.data.subarray((n * 28 + t) * 28, (n * 28 + t + 1) * 28), (v) => v / 255);
    x.push(Array.from({ length: 28 }, row));
    y.push(label);
  }
  return { x, y };
}

const network = (units) =>
  sequential([
    gru({ units, inputShape: [28, 28], name: 'body' }),
    dense({ units: classes, activation: 'softmax', name: 'head' }),
  ]);

async function learn(model, { x, y }, { learningRate, epochs, batchSize, ...options }) {
  const loss = 'sparseCategoricalCrossentropy';
  model.compile({ optimizer: adam({ learningRate, globalClipNorm: 1 }), loss, metrics: ['accuracy'] });
  await model.fit(x, y, { epochs, batchSize, verbose: 0, ...options });
}

/** The share of right answers. */
function accuracy(model, { x, y }) {
  const chances = model.predict(x, { batchSize: 256 }).toNested();
  return chances.filter((each, n) => each.indexOf(Math.max(...each)) === y[n]).length / y.length;
}

/** What somebody else did: a file that tells digits 0 to 4 apart. */
async function elsewhere({ train, quick, log }) {
  const model = network(quick ? 8 : 64);
  const callbacks = [progressText((line, isLast) => isLast && log(`elsewhere: ${line}`))];
  const to = quick ? 100 : 20_000;
  await learn(model, digits(train, 0, { to }), {
    learningRate: 0.003,
    epochs: quick ? 1 : 3,
    batchSize: 64,
    callbacks,
  });
  return exportOnnx(model);
}

export async function run({ data, seed, log, quick = false }) {
  setSeed(seed);
  const [images, labels, testImages, testLabels] = await Promise.all(
    Object.keys(files).map((file) => loadIdx(`${data}/${file}`)),
  );
  const train = { images, labels };
  const bytes = await elsewhere({ train, quick, log });

  const few = digits(train, 5, quick ? { each: 4 } : { from: 20_000, to: 50_000, each: 20 });
  const validation = digits(train, 5, { from: quick ? 100 : 50_000 });
  const [old, test] = [0, 5].map((low) => digits({ images: testImages, labels: testLabels }, low));
  const scores = {};
  const judge = (name, model) => {
    scores[name] = accuracy(model, test);
    log(`5 to 9, ${name}: ${accuracy(model, validation).toFixed(4)} on validation`);
  };
  const settings = { batchSize: 20, learningRate: 0.01 };
  const epochs = quick ? 1 : 60;

  // `trainable` names what may change. The new head starts at 0; the body keeps what it knows.
  const model = importOnnx(bytes, { trainable: /^head/ });
  const known = accuracy(model, old);
  judge('as it came', model);
  const head = model.weights.filter(({ name }) => name.includes('/head/'));
  for (const weight of head) weight.assign(new Float32Array(weight.size));
  await learn(model, few, { ...settings, epochs });
  judge('head alone', model);

  // With the head in place, all of it may change.
  const whole = importOnnx(exportOnnx(model));
  await learn(whole, few, { ...settings, epochs: Math.ceil(epochs / 2), learningRate: 0.001 });
  judge('head, then all', whole);

  const scratch = network(quick ? 8 : 64);
  await learn(scratch, few, { ...settings, epochs: Math.ceil(1.5 * epochs), learningRate: 0.003 });
  judge('from scratch', scratch);

  const [ours, theirs] = [whole, importOnnx(exportOnnx(whole))].map((each) => each.predict(test.x).data);
  const apart = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
  return [
    { metric: 'test accuracy, 0 to 4, as it came', value: known, atLeast: 0.97 },
    { metric: 'test accuracy, 5 to 9, as it came (chance: 0.2)', value: scores['as it came'] },
    { metric: 'test accuracy, 5 to 9, from scratch', value: scores['from scratch'] },
    { metric: 'test accuracy, 5 to 9, head alone', value: scores['head alone'] },
    { metric: 'test accuracy, 5 to 9, head, then all', value: scores['head, then all'], atLeast: 0.8 },
    { metric: 'sent out and taken in again, largest difference', value: apart, atMost: 1e-6 },
  ];
}
