// node --import tsx acceptance/tfjs/metrics.ts
// Every metric of tapeloop with losses that fit it: exportTfjs writes a file that TF.js loads, with the metrics that it
// has, and their values over one batch are the same to 1e-6. First: npm ci --prefix acceptance/tfjs
import * as tf from '@tensorflow/tfjs';
import * as lib from '../../src/index.ts';
import { metrics, shortMetricNames } from '../../src/metrics/all.ts';
import { exportTfjs, importTfjs } from '../../src/tfjs.ts';
import { loadedByTfjs, savedByTfjs } from './files.ts';

await lib.init();
await tf.setBackend('cpu');

const names = [...Object.keys(metrics), ...Object.keys(shortMetricNames)] as lib.MetricName[];
const batch = 12;
const random = new lib.RandomStream(4);
const numbers = (size: number): Float32Array => Float32Array.from({ length: size }, () => 2 * random.nextUniform() - 1);
const oneHot = (width: number): number[][] =>
  Array.from({ length: batch }, (_, i) => Array.from({ length: width }, (_, j) => Number(j === (i * 7) % width)));

interface Task {
  readonly loss: lib.LossName;
  readonly units: number;
  readonly activation: 'linear' | 'sigmoid' | 'softmax';
  readonly y: number[][];
}

const bits = Array.from({ length: batch }, (_, i) => [Number(i % 3 === 0)]);
const tasks: Task[] = [
  { loss: 'meanSquaredError', units: 3, activation: 'linear', y: oneHot(3).map((row) => row.map((v) => v + 0.5)) },
  { loss: 'meanSquaredError', units: 1, activation: 'sigmoid', y: bits },
  { loss: 'binaryCrossentropy', units: 1, activation: 'sigmoid', y: bits },
  { loss: 'binaryCrossentropy', units: 3, activation: 'sigmoid', y: oneHot(3) },
  { loss: 'categoricalCrossentropy', units: 3, activation: 'softmax', y: oneHot(3) },
  { loss: 'sparseCategoricalCrossentropy', units: 3, activation: 'softmax', y: bits },
];

let failed = 0;
for (const { loss, units, activation, y } of tasks) {
  const x = new lib.NdArray(numbers(batch * 4), [batch, 4]);
  const written: string[] = [];
  const missing: string[] = [];
  let worst = 0;
  for (const name of names) {
    lib.setSeed(6);
    const model = lib.sequential([lib.dense({ units, activation, inputShape: [4] })]);
    try {
      model.compile({ optimizer: 'sgd', loss, metrics: [name] });
      model.evaluate(x, y as never);
    } catch {
      // The metric has no meaning with this loss or these targets.
      continue;
    }
    const files = exportTfjs(model, { includeOptimizer: true });
    const theirs = await loadedByTfjs(files);
    const [, value] = [theirs.evaluate(tf.tensor(x.data, [batch, 4]), tf.tensor(y))].flat() as tf.Scalar[];
    if (!value) {
      missing.push(name);
      continue;
    }
    written.push(name);
    const own = model.evaluate(x, y as never)[name] as number;
    const off = Math.abs((await value.data())[0]! - own) / (1 + Math.abs(own));
    worst = Math.max(worst, off);
    // The metric comes back.
    const back = importTfjs(await savedByTfjs(theirs, true)).evaluate(x, y as never);
    const values = Object.entries(back).filter(([key]) => key !== 'loss');
    const isBack = values.length === 1 && Math.abs((values[0]![1] as number) - own) <= 1e-6 * (1 + Math.abs(own));
    if (off <= 1e-6 && isBack) continue;
    failed++;
    console.log(`${name} with ${loss}, ${units} units: ${own} here, ${(await value.data())[0]} there, back ${values}`);
  }
  console.log(`${loss}, ${units} ${activation}: ${worst.toExponential(1)} for ${written}; left out ${missing}`);
}
if (failed > 0) process.exitCode = 1;
