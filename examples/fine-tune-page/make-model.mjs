// What somebody else would have done: trains a model on drawn strokes and writes it as ONNX. node make-model.mjs [FILE]
import { writeFileSync } from 'node:fs';
import { dense, gru, RandomStream, sequential, setSeed } from 'tapeloop';
import { exportOnnx } from 'tapeloop/onnx';
import { classes, drawn, names, steps, stepsOf } from './gestures.js';

const [file = 'gestures.onnx'] = process.argv.slice(2);
setSeed(1);
const random = new RandomStream(1);
const model = sequential([
  gru({ units: 32, inputShape: [steps, 2], name: 'body' }),
  dense({ units: classes, activation: 'softmax', name: 'head' }),
]);
model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
const y = Array.from({ length: 1000 }, (_, n) => n % classes);
const x = y.map((label) => stepsOf(drawn(names[label], () => random.nextUniform())));
const { history } = await model.fit(x, y, { epochs: 15, verbose: 0 });
const bytes = exportOnnx(model);
writeFileSync(file, bytes);
console.log(`${file}: ${bytes.length} bytes, accuracy ${history.accuracy.at(-1).toFixed(3)} on its own strokes`);
