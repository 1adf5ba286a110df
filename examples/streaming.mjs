// A model runs on live input. It is trained on whole sequences to predict the next value of a signal, and then gets one
// value at a time.
import { adam, dense, gru, ndarray, sequential, setSeed } from 'tapeloop';

export const about = 'Trained on sequences, then run on live input, one value at a time, without allocating.';

// Two tones.
const signal = (t) => 0.6 * Math.sin(0.31 * t) + 0.3 * Math.sin(0.73 * t);

export async function run({ seed, log, quick = false }) {
  setSeed(seed);
  const [samples, time] = [quick ? 8 : 256, 40];
  // Each sequence starts at another place of the signal.
  const values = (shift) =>
    Float32Array.from({ length: samples * time }, (_, i) => signal((i % time) + shift + 7.3 * Math.floor(i / time)));
  const [x, y] = [values(0), values(1)].map((data) => ndarray(data, [samples, time, 1]));

  const model = sequential([gru({ units: 24, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
  model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'meanSquaredError' });
  const { history } = await model.fit(x, y, { epochs: quick ? 1 : 60, batchSize: 32 });
  log(`mean squared error after training: ${history.loss.at(-1).toExponential(2)}`);

  const stream = model.stream();
  const steps = quick ? 100 : 20_000;
  let worst = 0;
  const start = performance.now();
  for (let t = 0; t < steps; t++) {
    const [next] = stream.step([signal(t)]);
    if (t > time) worst = Math.max(worst, Math.abs(next - signal(t + 1)));
  }
  const micros = (1000 * (performance.now() - start)) / steps;
  return [
    { metric: 'worst error of 20,000 steps', value: worst, atMost: 0.1 },
    { metric: 'microseconds a step', value: micros },
  ];
}
