// A recurrent cell of one's own, composed from ops: the minimal gated unit (Zhou et al. 2016), trained to add two marked numbers
// of a sequence.
//
//   f = σ(x·Wf + h·Uf + bf)    g = tanh(x·Wg + (f∘h)·Ug + bg)    h′ = h + f∘(g − h)
import { adam, dense, ops, rnn, sequential, setSeed } from 'tapeloop';

const { add, linear, mul, sigmoid, sub, tanh } = ops;
const [time, samples] = [12, 3000];
setSeed(1);

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

// Small pseudo-random numbers from a counter, so that every run is the same.
let counter = 0;
const random = () => {
  counter = (counter + 0x9e3779b9) | 0;
  const mixed = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
};

/** A sequence of (number, mark) with one mark in each half. */
const sequence = () => {
  const marked = [0, 1].map((half) => Math.floor(((half + random()) * time) / 2));
  return Array.from({ length: time }, (_, t) => [random(), Number(marked.includes(t))]);
};
const x = Array.from({ length: samples }, sequence);
const y = x.map((steps) => [steps.reduce((sum, [number, mark]) => sum + number * mark, 0)]);

const model = sequential([rnn(minimalGatedUnit(32), { inputShape: [null, 2] }), dense({ units: 1 })]);
model.compile({ optimizer: adam({ learningRate: 0.005, globalClipNorm: 1 }), loss: 'meanSquaredError' });
console.log(model.summary());

const onEpochEnd = (epoch, { loss, val_loss }) => {
  if (epoch % 5 === 4) {
    console.log(
      `epoch ${epoch + 1}: mean squared error ${loss.toFixed(4)}, unseen ${val_loss.toFixed(4)} (guessing the mean: 0.1667)`,
    );
  }
};
await model.fit(x, y, { epochs: 20, batchSize: 64, validationSplit: 0.1, callbacks: [{ onEpochEnd }] });
