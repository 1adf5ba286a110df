// Measures the accuracy that int8 weights cost a character model, and the memory that they save. Prints one row of the
// table of int8.md for each model.
// node --import tsx acceptance/int8.ts --data TEXT --model MODEL[,MODEL…]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { CharRun } from '../src/characters/run.ts';
import { loadRun } from '../src/cli/saved-run.ts';
import { ndarray } from '../src/data/array.ts';
import { decodeUtf8, encodeText, textStreams } from '../src/data/text/text.ts';
import { engine } from '../src/engine/engine.ts';
import type { WeightFormat } from '../src/streaming/program.ts';

interface Measured {
  /** Mean cross-entropy in nat a character. */
  loss: number;
  /** The likeliest character at each place. */
  choices: Int32Array;
}

/** Reads the validation text as the command line does: parallel streams, states carried from window to window. */
function measure({ model, vocabulary, run }: CharRun, ids: Int32Array, weights: WeightFormat): Measured {
  const { batch, time } = run.options;
  const streams = textStreams(ids, { batch, time });
  const choices = new Int32Array(streams.windows * batch * time);
  let total = 0;
  for (let w = 0; w < streams.windows; w++) {
    const { x, y } = streams.next();
    const logits = model.predict(ndarray(x, [batch, time]), { batchSize: batch, weights }).data;
    for (let i = 0; i < y.length; i++) {
      const row = logits.subarray(i * vocabulary.length, (i + 1) * vocabulary.length);
      const { loss, choice } = crossEntropy(row, y[i]!);
      total += loss;
      choices[w * y.length + i] = choice;
    }
  }
  return { loss: total / choices.length, choices };
}

function crossEntropy(logits: Float32Array, target: number): { loss: number; choice: number } {
  let choice = 0;
  for (let j = 1; j < logits.length; j++) if (logits[j]! > logits[choice]!) choice = j;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - logits[choice]!);
  return { loss: logits[choice]! + Math.log(sum) - logits[target]!, choice };
}

/** Kilobytes of the weights that int8 makes smaller: as float32, and packed as bytes with their scales. */
function sizes({ model }: CharRun): { float32: number; int8: number } {
  const { kernels } = engine();
  const shrunk = model.weights
    .filter(({ name }) => /kernel$/i.test(name))
    .map(({ shape }) => shape as [number, number]);
  const sum = (size: (rows: number, columns: number) => number) =>
    shrunk.reduce((total, shape) => total + size(...shape), 0) / 1000;
  return { float32: sum((k, n) => 4 * k * n), int8: sum(kernels.gemm_int8_packed_size) };
}

const { values } = parseArgs({ options: { data: { type: 'string' }, model: { type: 'string' } } });
if (!values.data || !values.model) throw new Error('expected --data TEXT --model MODEL[,MODEL…]');
const text = decodeUtf8(readFileSync(values.data), values.data);
for (const path of values.model.split(',')) {
  const saved = loadRun(path);
  const { cell, layers, hidden, split } = saved.run.options;
  const ids = encodeText(text, saved.vocabulary);
  const validation = ids.subarray(Math.floor(ids.length * split));
  const [float32, int8] = (['float32', 'int8'] as const).map((weights) => {
    saved.model.resetStates();
    return measure(saved, validation, weights);
  }) as [Measured, Measured];
  const same = int8.choices.filter((choice, i) => choice === float32.choices[i]).length;
  const { float32: before, int8: after } = sizes(saved);
  const cells = [
    `${layers} × ${cell} ${hidden}`,
    engine().build,
    float32.loss.toFixed(5),
    int8.loss.toFixed(5),
    (int8.loss - float32.loss).toFixed(5),
    `${((100 * same) / int8.choices.length).toFixed(2)}%`,
    `${before.toFixed(0)} → ${after.toFixed(0)} kB`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
