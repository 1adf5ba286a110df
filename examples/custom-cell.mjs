// A recurrent cell of one's own, composed from ops: the minimal gated unit (Zhou et al. 2016), trained to add two marked numbers
// of a sequence, its gradient checked against finite differences first.
//
//   f = σ(x·Wf + h·Uf + bf)    g = tanh(x·Wg + (f∘h)·Ug + bg)    h′ = h + f∘(g − h)
import { adam, engine, ops, Parameter, RandomStream, tensor, valueAndGrad } from 'tapeloop';

export const about = 'A recurrent cell of one’s own from ops, its gradient checked, trained by a hand-written loop.';

const { add, linear, mean, mul, sigmoid, square, sub, tanh } = ops;
const [units, time, batch] = [32, 12, 64];

export async function run({ seed, log, quick = false }) {
  const random = new RandomStream(seed);
  const weight = (name, shape, limit) => {
    const size = shape.reduce((a, b) => a * b);
    const values = Array.from({ length: size }, () => limit * (2 * random.nextUniform() - 1));
    return new Parameter(name, shape, values);
  };
  const p = {
    Wf: weight('Wf', [2, units], 0.5),
    Uf: weight('Uf', [units, units], 0.25),
    bf: weight('bf', [units], 0),
    Wg: weight('Wg', [2, units], 0.5),
    Ug: weight('Ug', [units, units], 0.25),
    bg: weight('bg', [units], 0),
    out: weight('out', [units, 1], 0.3),
  };
  const parameters = Object.values(p);

  const cell = (x, h) => {
    const f = sigmoid(add(linear(x, p.Wf, p.bf), linear(h, p.Uf)));
    const g = tanh(add(linear(x, p.Wg, p.bg), linear(mul(f, h), p.Ug)));
    return add(h, mul(f, sub(g, h)));
  };

  /** Sequences of (number, mark), time-major, and the sum of the two marked numbers. */
  function makeBatch() {
    const xs = Array.from({ length: time }, () => Array.from({ length: batch }, () => [random.nextUniform(), 0]));
    const sums = Array.from({ length: batch }, (_, b) => {
      const first = Math.floor((random.nextUniform() * time) / 2);
      const second = Math.floor(((1 + random.nextUniform()) * time) / 2);
      for (const t of [first, second]) xs[t][b][1] = 1;
      return [xs[first][b][0] + xs[second][b][0]];
    });
    return { xs, sums };
  }

  const loss = ({ xs, sums }) => {
    const start = tensor(new Float32Array(batch * units), { shape: [batch, units] });
    const last = xs.reduce((h, x) => cell(tensor(x), h), start);
    return mean(square(sub(linear(last, p.out), tensor(sums))));
  };

  const check = makeBatch();
  const { grads } = valueAndGrad(() => loss(check), [p.Ug]);
  const values = p.Ug.toArray();
  const at = (shift) => {
    p.Ug.assign(values.map((value, i) => (i === 5 ? value + shift : value)));
    return engine().step(() => loss(check).item());
  };
  const numeric = (at(0.01) - at(-0.01)) / 0.02;
  p.Ug.assign(values);
  const gradient = grads[0].toArray()[5];
  log(`gradient ${gradient.toExponential(3)}, by finite differences ${numeric.toExponential(3)}`);

  const optimizer = adam({ learningRate: 0.005, globalClipNorm: 1 });
  let last = 0;
  for (let step = 1; step <= (quick ? 10 : 1500); step++) {
    const data = makeBatch();
    last = engine().step(() => {
      const { value, grads } = valueAndGrad(() => loss(data), parameters);
      optimizer.apply(parameters, grads);
      return value;
    });
    if (step % 300 === 0) log(`step ${step}: mean squared error ${last.toFixed(4)} (guessing the mean: 0.1667)`);
  }
  return [
    { metric: 'gradient / finite difference', value: gradient / numeric, near: [1, 0.01] },
    { metric: 'mean squared error', value: last, atMost: 0.002 },
  ];
}
