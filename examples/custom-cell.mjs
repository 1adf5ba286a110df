// A custom recurrent cell, composed of ops: the minimal gated unit (Zhou et al. 2016). It learns to add two marked
// numbers of a sequence.
//
//   f = σ(x·Wf + h·Uf + bf)    g = tanh(x·Wg + (f∘h)·Ug + bg)    h′ = h + f∘(g − h)
import { adam, dense, ndarray, ops, progressText, RandomStream, rnn, sequential, setSeed } from 'tapeloop';

export const about = 'A recurrent cell of one’s own from ops (minimal gated unit), as a layer.';

const { add, linear, mul, sigmoid, sub, tanh } = ops;

const minimalGatedUnit = (units) => ({
  name: 'minimal_gated_unit',
  units,
  weights: (inputs) => ({
    Wf: [inputs, units],
    Uf: { shape: [units, units], initializer: 'orthogonal' },
    bf: [units],
    Wg: [inputs, units],
    Ug: { shape: [units, units], initializer: 'orthogonal' },
    bg: [units],
  }),
  call(x, [h], { Wf, Uf, bf, Wg, Ug, bg }) {
    const f = sigmoid(add(linear(x, Wf, bf), linear(h, Uf)));
    const g = tanh(add(linear(x, Wg, bg), linear(mul(f, h), Ug)));
    return add(h, mul(f, sub(g, h)));
  },
});

/**
 * Sequences `[count, time, 2]` of a number and a mark, one mark in each half, and the sum of the two marked numbers.
 */
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

export async function run({ seed, log, quick = false }) {
  setSeed(seed);
  const random = new RandomStream(seed);
  const model = sequential([rnn(minimalGatedUnit(32), { inputShape: [null, 2] }), dense({ units: 1 })]);
  model.compile({ optimizer: adam({ learningRate: 0.005, globalClipNorm: 1 }), loss: 'meanSquaredError' });
  log(model.summary());
  const progress = progressText((line, isLast) => isLast && log(line));
  await model.fit(...adding(random, quick ? 64 : 2700, 12), {
    ...{ epochs: quick ? 1 : 20, batchSize: 64, callbacks: [progress] },
  });
  const { loss } = model.evaluate(...adding(random, 300, 12));
  return [{ metric: 'mean squared error, unseen (guessing the mean: 0.1667)', value: loss, atMost: 0.002 }];
}
