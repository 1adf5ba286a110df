// The suite of every runtime, on the installed package: train, save, load, resume, stream. It uses nothing of a
// runtime.
import * as tapeloop from 'tapeloop';
import { conv2d, depthwiseConv2d, globalMaxPooling2d } from 'tapeloop/images';
import { crfDecode, crfLogLikelihood } from 'tapeloop/sequences';
import { kalmanLogLikelihood } from 'tapeloop/state-space';
import { loadStream } from 'tapeloop/stream';

const { adam, decodeModel, dense, embedding, encodeModel, gru, init, lstm, ndarray, sequential, setSeed } = tapeloop;
const [symbols, time, batch, steps] = [11, 12, 24, 50];

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

async function hashOf(arrays) {
  const total = arrays.reduce((size, array) => size + array.byteLength, 0);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  return hex(await crypto.subtle.digest('SHA-256', bytes));
}

const weightsOf = (model) => model.weights.map((weight) => weight.toArray());

/** Step `step` of a task: say again what stood two places before. */
function dataOf(step) {
  const x = Int32Array.from(
    { length: batch * time },
    (_, i) => (((step * batch * time + i) * 2654435761) >>> 11) % symbols,
  );
  const y = x.map((_, i) => (i % time < 2 ? 0 : x[i - 2]));
  return [ndarray(x, [batch, time]), ndarray(y, [batch, time])];
}

function makeModel(cell) {
  setSeed(5);
  const model = sequential([
    embedding({ inputDim: symbols, outputDim: 8 }),
    cell({ units: 20, returnSequences: true }),
    dense({ units: symbols }),
  ]);
  const loss = tapeloop.sparseCategoricalCrossentropy({ fromLogits: true });
  model.compile({ optimizer: adam({ learningRate: 0.01 }), loss });
  return model;
}

function train(model, from, to) {
  let last;
  for (let step = from; step < to; step++) last = model.trainOnBatch(...dataOf(step)).loss;
  return last;
}

/** Trains for one and a half seconds, in which the engine chooses its tile. The clock of some hosts stands still. */
function settle() {
  const model = makeModel(lstm);
  const start = performance.now();
  for (let step = 0; step < 3000 && performance.now() - start < 1500; step++) model.trainOnBatch(...dataOf(step));
}

async function trainBoth() {
  const models = [makeModel(lstm), makeModel(gru)];
  const losses = models.map((model) => [model.trainOnBatch(...dataOf(0)).loss, train(model, 1, steps)]);
  return { models, losses, hash: await hashOf(models.flatMap(weightsOf)) };
}

function resumes(model) {
  const { model: again } = decodeModel(encodeModel(model));
  train(model, steps, steps + 10);
  train(again, steps, steps + 10);
  return weightsOf(model).every((values, i) => weightsOf(again)[i].every((value, j) => Object.is(value, values[j])));
}

/** A thousand steps of the model, and of its file without the rest of the package: finite, and the same bits. */
async function streams(model) {
  const stream = model.stream();
  const ofFile = await loadStream(encodeModel(model), { mode: 'reproducible' });
  let same = true;
  for (let i = 0; i < 1000; i++) {
    const [y, z] = [stream, ofFile].map((each) => each.step([i % symbols]));
    same &&= y.every((value, j) => Number.isFinite(value) && Object.is(value, z[j]));
  }
  return same;
}

/** The same outputs whatever the batches are. */
function splits(model) {
  const [x] = dataOf(3);
  const [whole, ...parts] = [batch, 1, 7].map((batchSize) => model.predict(x, { batchSize }).data);
  return parts.every((part) => part.every((value, i) => Object.is(value, whole[i])));
}

/** `count` numbers in [−1, 1), by a rule of integers. */
const numbers = (count, seed) =>
  Float32Array.from({ length: count }, (_, i) => Math.imul(i + seed, 2654435761) / 2 ** 31);

/** The kernels of the second module: images by tiles and by channels, linear chains, the Kalman filter. */
async function hashOfOthers() {
  const { ops, tensor, valueAndGrad } = tapeloop;
  setSeed(6);
  const model = sequential([
    conv2d({ filters: 16, kernelSize: 3, padding: 'same', inputShape: [8, 8, 16] }),
    depthwiseConv2d({ kernelSize: 3, activation: 'tanh' }),
    globalMaxPooling2d(),
    dense({ units: 2 }),
  ]);
  model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'meanSquaredError' });
  const pictures = ndarray(numbers(3 * 8 * 8 * 16, 1), [3, 8, 8, 16]);
  for (let step = 0; step < 3; step++) model.trainOnBatch(pictures, ndarray(numbers(6, 2), [3, 2]));

  const of = (seed, ...shape) =>
    tensor(
      numbers(
        shape.reduce((size, n) => size * n, 1),
        seed,
      ),
      { shape },
    );
  const [emissions, transitions] = [of(3, 2, 7, 5), of(4, 5, 5)];
  const tags = tensor(
    Int32Array.from({ length: 14 }, (_, i) => (i * i) % 5),
    { shape: [2, 7] },
  );
  const best = crfDecode(emissions, { transitions });
  const chains = valueAndGrad(
    () => ops.sum(crfLogLikelihood(emissions, tags, { transitions })),
    [emissions, transitions],
  );
  const [transitionMatrix, observationMatrix, start] = [of(5, 2, 2), of(6, 1, 2), of(7, 2)];
  const [two, one] = [tensor([[1, 0], [0.5, 1]]), tensor([[1]])]; // biome-ignore format: two matrices
  const system = { transitionMatrix, observationMatrix, transitionFactor: two, observationFactor: one };
  const filter = valueAndGrad(
    () => ops.sum(kalmanLogLikelihood(of(8, 2, 9, 1), { ...system, initialMean: start, initialFactor: two })),
    [transitionMatrix, observationMatrix],
  );
  const tensors = [best.tags, best.scores, ...chains.grads, ...filter.grads].map((each) => each.toArray());
  return hashOf([...weightsOf(model), ...tensors, Float64Array.of(chains.value, filter.value)]);
}

/** `{ build, hash, hashOthers, trains, splits, resumes, streams, threads, hashThreads }`; what fails throws. */
export async function runSuite() {
  const fast = await init();
  settle();
  await init({ mode: 'reproducible' });
  settle();
  const { models, losses, hash } = await trainBoth();
  const result = {
    // The tile that the fast engine has chosen. The reproducible one gains less from wide vectors, so that a clock of
    // 0.1 ms does not always tell: its hash may be that of either tile.
    build: fast.build,
    hash,
    trains: losses.every(([first, last]) => last < first),
    splits: models.every(splits),
    resumes: models.every(resumes),
    streams: (await Promise.all(models.map(streams))).every(Boolean),
    hashOthers: await hashOfOthers(),
    threads: 1,
    hashThreads: hash,
  };
  const shared = await init({ mode: 'reproducible', threads: 2 });
  result.threads = shared.threads;
  if (shared.threads > 1) result.hashThreads = (await trainBoth()).hash;
  shared.stopThreads();
  return result;
}
