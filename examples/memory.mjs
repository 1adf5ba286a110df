// How far back can a network remember? Two tasks need only memory (Hochreiter and Schmidhuber 1997): add the two marked
// numbers of a long sequence, and repeat symbols that came long before. The example also shows why plain recurrence
// fails: it measures how much of the gradient reaches the first step.
import {
  adam,
  dense,
  embedding,
  gradientFlow,
  gru,
  lstm,
  ndarray,
  RandomStream,
  schedules,
  sequential,
  setSeed,
  simpleRnn,
  sparseCategoricalCrossentropy,
} from 'tapeloop';

export const about = 'The adding problem over 600 steps, copy memory, and how gradients fade on the way back.';

/** Sequences `[count, time, 2]` of a number and a mark, and the sum of the two marked numbers, one in each half. */
function adding(random, count, time) {
  const x = new Float32Array(count * time * 2);
  const y = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    for (let t = 0; t < time; t++) x[2 * (n * time + t)] = random.nextUniform();
    for (const half of [0, 1]) {
      const at = 2 * (n * time + Math.floor(((half + random.nextUniform()) * time) / 2));
      x[at + 1] = 1;
      y[n] += x[at];
    }
  }
  return [ndarray(x, [count, time, 2]), ndarray(y, [count, 1])];
}

/** Five of eight symbols, `delay` blanks, a signal. The target is the five symbols again. */
function copying(random, count, delay) {
  const time = delay + 11;
  const x = new Int32Array(count * time);
  const y = new Int32Array(count * time);
  for (let n = 0; n < count; n++) {
    x[n * time + delay + 5] = 9;
    for (let i = 0; i < 5; i++) x[n * time + i] = y[n * time + delay + 6 + i] = 1 + (random.nextUint32() % 8);
  }
  return [x, y].map((ids) => ndarray(ids, [count, time]));
}

/**
 * Sets biases with which the units of a GRU first keep their states for 1 to `time` steps (Tallec and Ollivier 2018).
 */
function rememberUpTo(time, layer, random) {
  const bias = layer.weights[2];
  const values = bias.toArray();
  for (let unit = 0; unit < layer.units; unit++) values[unit] = Math.log(1 + (time - 2) * random.nextUniform());
  bias.assign(values);
}

export async function run({ seed, log, quick = false }) {
  const random = new RandomStream(seed);
  const batchSize = quick ? 2 : 64;

  log('Norm of the gradient at the state of step t of 200, as a part of that at the last, before any training:');
  for (const [name, cell] of Object.entries({ simpleRnn, lstm, gru })) {
    setSeed(seed);
    const model = sequential([cell({ units: 64, inputShape: [null, 2] }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const [{ norms }] = gradientFlow(model, ...adding(random, batchSize, 200));
    const parts = [1, 50, 100, 150, 180, 190, 200].map((t) => `t=${t} ${(norms[t - 1] / norms[199]).toExponential(0)}`);
    log(`${name.padEnd(10)} ${parts.join('  ')}`);
  }

  /** Returns a model that was trained on new batches. It sees no sequence twice. */
  function learn(name, { before = [], recurrent, outputs, time, loss, make, steps, learningRate }) {
    setSeed(seed);
    const model = sequential([...before, recurrent, dense({ units: outputs })]);
    rememberUpTo(time, recurrent, random);
    const rate = schedules.cosineDecay({ initialLearningRate: learningRate, decaySteps: steps });
    model.compile({ optimizer: adam({ learningRate: rate, globalClipNorm: 1 }), loss });
    for (let step = 1; step <= (quick ? 1 : steps); step++) {
      const { loss } = model.trainOnBatch(...make(batchSize));
      if (step % 250 === 0) log(`${name}, step ${step}: loss ${loss.toExponential(2)}`);
    }
    return model;
  }

  function addingError(time, steps) {
    const make = (count) => adding(random, count, time);
    const recurrent = gru({ units: 64, inputShape: [null, 2] });
    const training = { time, steps, make, learningRate: 0.004, loss: 'meanSquaredError' };
    const model = learn(`adding over ${time}`, { recurrent, outputs: 1, ...training });
    return model.evaluate(...make(8 * batchSize), { batchSize }).loss;
  }

  function recall(delay, steps) {
    const make = (count) => copying(random, count, delay);
    const before = [embedding({ inputDim: 10, outputDim: 10, embeddingsInitializer: 'orthogonal' })];
    const recurrent = gru({ units: 128, returnSequences: true });
    const loss = sparseCategoricalCrossentropy({ fromLogits: true });
    const training = { time: delay, steps, make, learningRate: 0.004, loss };
    const model = learn(`copying after ${delay}`, { before, recurrent, outputs: 9, ...training });
    const [x, y] = make(8 * batchSize);
    const { data } = model.predict(x);
    const asked = [...y.data].flatMap((symbol, i) => (symbol > 0 ? [i] : []));
    const right = asked.filter((i) => {
      const logits = data.subarray(9 * i, 9 * i + 9);
      return logits.indexOf(Math.max(...logits)) === y.data[i];
    });
    return right.length / asked.length;
  }

  return [
    { metric: 'adding over 200, GRU, mean squared error', value: addingError(200, 1500), atMost: 0.001 },
    { metric: 'adding over 600, GRU, mean squared error', value: addingError(600, 2000), atMost: 0.001 },
    { metric: 'copying after 50, GRU, symbols recalled (chance: 0.125)', value: recall(50, 2000) },
  ];
}
