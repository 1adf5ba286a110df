// Trains the worker's character model on a text for some seconds: node make-model.mjs [TEXT] [FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import * as tapeloop from 'tapeloop';

const [text = new URL('../../README.md', import.meta.url), file = 'model.safetensors'] = process.argv.slice(2);
const [batch, time, steps] = [16, 40, 600];

// All characters that can be typed, also those that this text lacks: posted texts may have them.
const vocabulary = ['\n', ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))];
const known = new Set(vocabulary);
const characters = [...readFileSync(text, 'utf8')].filter((character) => known.has(character));

await tapeloop.init({ mode: 'reproducible' });
tapeloop.setSeed(1);
const model = tapeloop.sequential([
  tapeloop.embedding({ inputDim: vocabulary.length, outputDim: 16 }),
  tapeloop.lstm({ units: 64, returnSequences: true, stateful: true }),
  tapeloop.dense({ units: vocabulary.length }),
]);
const loss = tapeloop.sparseCategoricalCrossentropy({ fromLogits: true });
model.compile({ optimizer: tapeloop.adam({ learningRate: 0.01, globalClipNorm: 1 }), loss });

const streams = tapeloop.textStreams(tapeloop.encodeText(characters.join(''), vocabulary), { batch, time });
for (let step = 1; step <= steps; step++) {
  const { x, y, first } = streams.next();
  if (first) model.resetStates();
  const logs = model.trainOnBatch(tapeloop.ndarray(x, [batch, time]), tapeloop.ndarray(y, [batch, time]));
  if (step % 100 === 0) console.log(`step ${step}: loss ${logs.loss.toFixed(3)}`);
}

// A new compile drops the optimizer state. The file then has a third of the size.
model.resetStates();
model.compile({ optimizer: 'sgd', loss });
const bytes = tapeloop.encodeModel(model, { vocabulary });
writeFileSync(file, bytes);
console.log(`${file}: ${(bytes.length / 1000).toFixed(0)} kB`);
