// A model that runs on live input: trained on whole sequences to predict a signal's next value, then fed one value at a time.
import { adam, dense, gru, ndarray, sequential, setSeed } from 'tapeloop';

setSeed(1);
const [samples, time] = [256, 40];
// Two tones, each sequence from another place in them.
const signal = (t) => 0.6 * Math.sin(0.31 * t) + 0.3 * Math.sin(0.73 * t);
const x = Float32Array.from({ length: samples * time }, (_, i) => signal((i % time) + 7.3 * Math.floor(i / time)));
const y = Float32Array.from({ length: samples * time }, (_, i) => signal((i % time) + 1 + 7.3 * Math.floor(i / time)));

const model = sequential([gru({ units: 24, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'meanSquaredError' });
const data = [ndarray(x, [samples, time, 1]), ndarray(y, [samples, time, 1])];
const { history } = await model.fit(...data, { epochs: 60, batchSize: 32 });
console.log(`mean squared error after training: ${history.loss.at(-1).toExponential(2)}`);

const stream = model.stream();
const steps = 20_000;
let worst = 0;
const start = performance.now();
for (let t = 0; t < steps; t++) {
  const [next] = stream.step([signal(t)]);
  if (t > time) worst = Math.max(worst, Math.abs(next - signal(t + 1)));
}
const micros = (1000 * (performance.now() - start)) / steps;
console.log(`streamed ${steps} steps, ${micros.toFixed(1)} µs each, worst error ${worst.toFixed(3)}`);
