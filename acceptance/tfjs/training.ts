// node --import tsx acceptance/tfjs/training.ts
// Ten steps of training, five here and five in TF.js, in both orders, against ten steps on one side: losses to 1e-5.
// First: npm ci --prefix acceptance/tfjs
import * as tf from '@tensorflow/tfjs';
import * as lib from '../../src/index.ts';
import { exportTfjs, importTfjs } from '../../src/tfjs.ts';
import { loadedByTfjs, savedByTfjs } from './files.ts';

await lib.init();
await tf.setBackend('cpu');

const [batch, time, width] = [8, 6, 3];
const numbers = (seed: number, size: number): Float32Array => {
  const random = new lib.RandomStream(seed);
  return Float32Array.from({ length: size }, () => 2 * random.nextUniform() - 1);
};
const x = new lib.NdArray(numbers(1, batch * time * width), [batch, time, width]);
const y = new lib.NdArray(numbers(2, batch * 2), [batch, 2]);
const tfX = tf.tensor(x.data, [...x.shape]);
const tfY = tf.tensor(y.data, [...y.shape]);

const optimizers: Record<string, () => lib.Optimizer> = {
  adam: () => lib.adam({ learningRate: 0.01, scaleEpsilon: true }),
  rmsprop: () => lib.rmsprop({ learningRate: 0.01 }),
  'rmsprop with momentum': () => lib.rmsprop({ learningRate: 0.01, momentum: 0.5 }),
  sgd: () => lib.sgd({ learningRate: 0.1 }),
  momentum: () => lib.sgd({ learningRate: 0.05, momentum: 0.9 }),
  nesterov: () => lib.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  adagrad: () => lib.adagrad({ learningRate: 0.1 }),
};

function made(optimizer: lib.Optimizer): lib.Model {
  lib.setSeed(3);
  const model = lib.sequential([
    lib.bidirectional(lib.lstm({ units: 4, returnSequences: true, recurrentActivation: 'hardSigmoid2' }), {
      batchInputShape: [null, time, width],
    } as never),
    lib.gru({ units: 5, resetAfter: false }),
    lib.dense({ units: 2 }),
  ]);
  model.predict(x);
  model.compile({ optimizer, loss: 'meanSquaredError' });
  return model;
}

const here = (model: lib.Model, steps: number): number[] =>
  Array.from({ length: steps }, () => model.trainOnBatch(x, y).loss!);

async function there(model: tf.LayersModel, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push((await model.trainOnBatch(tfX, tfY)) as number);
  return losses;
}

const worst = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((loss, i) => Math.abs(loss - b[i]!)));

let failed = 0;
for (const [name, optimizer] of Object.entries(optimizers)) {
  const [whole, first] = [made(optimizer()), made(optimizer())];
  const start = exportTfjs(made(optimizer()), { includeOptimizer: true });
  const ours = here(whole, 10);
  const [theirs, second] = [await loadedByTfjs(start), await loadedByTfjs(start)];
  const losses = await there(theirs, 10);
  // Five here, five in TF.js.
  const out = [
    ...here(first, 5),
    ...(await there(await loadedByTfjs(exportTfjs(first, { includeOptimizer: true })), 5)),
  ];
  // Five in TF.js, five here.
  const begun = await there(second, 5);
  const back = [...begun, ...here(importTfjs(await savedByTfjs(second, true)), 5)];
  const found = [worst(ours, losses), worst(ours, out), worst(losses, out), worst(ours, back), worst(losses, back)];
  if (!(Math.max(...found) <= 1e-5)) failed++;
  console.log(
    `${name}: losses ${ours[0]!.toFixed(4)} to ${ours[9]!.toFixed(4)}; ours − TF.js's, here then there, there then here: ${found.map((each) => each.toExponential(1)).join(' ')}`,
  );
}
// TF.js keeps no state of Adamax: a model that has not stepped goes over.
const adamax = (): lib.Model => made(lib.adamax({ learningRate: 0.01 }));
const ours = here(adamax(), 10);
const theirs = await there(await loadedByTfjs(exportTfjs(adamax(), { includeOptimizer: true })), 10);
console.log(`adamax, from the start: ours − TF.js's ${worst(ours, theirs).toExponential(1)}`);
if (!(worst(ours, theirs) <= 1e-5)) failed++;
if (failed > 0) process.exitCode = 1;
