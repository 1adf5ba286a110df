// node --import tsx acceptance/keras/models.ts [FOLDER]
// Every Keras file of ../shared/models gives its reference to abs 1e-5 + rel 1e-4, or is refused as its README says;
// also after save and load, and after export and import. Prints a table.
import { existsSync, readFileSync } from 'node:fs';
import {
  concatenate,
  model as custom,
  decodeModel,
  dense,
  embedding,
  encodeModel,
  gru,
  lstm,
  type Model,
  type NdArray,
  ndarray,
  ops,
  sequential,
  type Tensor,
} from '../../src/index.ts';
import { exportKeras, importKeras, importKerasJs, loadKerasWeights } from '../../src/keras.ts';
import { partOfTolerance } from '../tolerance.ts';

const folder = process.argv[2] ?? '../shared/models';
if (!existsSync(folder)) {
  console.log(`${folder} is missing: left out`);
  process.exit(0);
}

interface Reference {
  readonly inputs: Record<string, { readonly dims: number[]; readonly data: number[] }>;
  readonly outputs: Record<string, { readonly dims: number[]; readonly data: number[] }>;
}

const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(`${folder}/${path}`));
const referenceOf = (path: string): Reference => JSON.parse(readFileSync(`${folder}/${path}`, 'utf8')) as Reference;

const worst = (y: NdArray, { data }: { readonly data: number[] }): number => partOfTolerance(y.data, data);

const f32 = ({ dims, data }: { dims: number[]; data: number[] }): NdArray => ndarray(Float32Array.from(data), dims);
let failures = 0;
console.log(
  '| file | from the file | saved, loaded | exported, imported | optimizer |\n| --- | --- | --- | --- | --- |',
);

function report(name: string, model: Model, x: NdArray, expected: { readonly data: number[] }): void {
  const parts = [model, decodeModel(encodeModel(model)).model].map((each) => worst(each.predict(x), expected));
  const cells = parts.map((part) => part.toFixed(4));
  try {
    parts.push(worst(importKeras(exportKeras(model)).predict(x), expected));
    cells.push(parts.at(-1)!.toFixed(4));
  } catch (error) {
    // Keras 3 has another hard sigmoid than Keras 1 and 2.
    if (!(error as Error).message.includes('hardSigmoid2')) throw error;
    cells.push(`refused: ${(error as Error).message}`);
  }
  if (!parts.every((part) => part <= 1)) failures++;
  const optimizer = model.isCompiled ? `${model.optimizer.name}, step ${model.optimizer.steps}` : '';
  console.log(`| ${name} | ${cells.join(' | ')} | ${optimizer} |`);
}

const plain: [file: string, reference: string, config?: string][] = [
  ['keras-h5/electricity-gru/gru_model.h5', 'keras-h5/electricity-gru/gru_model.ref.json'],
  ['keras-zip/weather-lstm/lstm.keras', 'keras-zip/weather-lstm/lstm.ref.json'],
  ['keras-zip/weather-gru/dew.keras', 'keras-zip/weather-gru/dew.ref.json'],
  ['keras-zip/iiot-bilstm/lstm.keras', 'keras-zip/iiot-bilstm/lstm.ref.json'],
  ['keras-zip/emg-lstm-unrolled/model.keras', 'keras-zip/emg-lstm-unrolled/model.ref.json'],
  [
    'keras-weights-h5/finance-lstm/model_weights.weights.h5',
    'keras-weights-h5/finance-lstm/model_weights.ref.json',
    'keras-weights-h5/finance-lstm/model.json',
  ],
];
for (const [file, reference, config] of plain) {
  const { inputs, outputs } = referenceOf(reference);
  const model = importKeras(bytesOf(file), config ? { config: readFileSync(`${folder}/${config}`, 'utf8') } : {});
  report(file, model, f32(Object.values(inputs)[0]!), Object.values(outputs).at(-1)!);
}

// The code of a Lambda is not run: refused by name, and imported with a function of the caller.
{
  const file = 'keras-h5/sunspot-conv-lstm/lstm.h5';
  const { inputs, outputs } = referenceOf('keras-h5/sunspot-conv-lstm/lstm.ref.json');
  try {
    importKeras(bytesOf(file));
    failures++;
  } catch (error) {
    console.log(`| ${file} | refused: ${(error as Error).message} | | | |`);
  }
  // The reference is that of what the Lambda gets.
  const model = importKeras(bytesOf(file), { customObjects: { lambda: (x: Tensor) => x } });
  const part = worst(model.predict(f32(Object.values(inputs)[0]!)), Object.values(outputs)[0]!);
  if (!(part <= 1)) failures++;
  const optimizer = `${model.optimizer.name}, step ${model.optimizer.steps}`;
  console.log(`| ${file}, lambda as a function | ${part.toFixed(4)} | | | ${optimizer} |`);
}

{
  const file = 'keras-h5/char-rnn-web-20/char_rnn_20.hdf5';
  const { inputs, outputs } = referenceOf('keras-h5/char-rnn-web-20/char_rnn_20.ref.json');
  const config = readFileSync(`${folder}/keras-h5/char-rnn-web-20/char_rnn_20.json`, 'utf8');
  const [{ dims, data }] = Object.values(inputs) as [{ dims: number[]; data: number[] }];
  const oneHot = new Float32Array(data.length * 57);
  data.forEach((id, i) => {
    oneHot[i * 57 + id] = 1;
  });
  const [x, expected] = [ndarray(oneHot, [...dims, 57]), Object.values(outputs).at(-1)!];
  report(file, importKeras(bytesOf(file), { config }), x, expected);
  const weights = bytesOf('keras-h5/char-rnn-web-20/char_rnn_20_weights.buf');
  const metadata = readFileSync(`${folder}/keras-h5/char-rnn-web-20/char_rnn_20_metadata.json`, 'utf8');
  const fromBuffer = importKerasJs({ model: config, metadata, weights });
  report('keras-h5/char-rnn-web-20/char_rnn_20_weights.buf, of keras-js', fromBuffer, x, expected);
}

// Weights alone, into the model's layers made in code.
{
  const file = 'keras-h5/music-tagger-crnn-tf/music_tagger_crnn_weights_tensorflow.h5';
  const { inputs, outputs } = referenceOf('keras-h5/music-tagger-crnn-tf/gru-part.ref.json');
  const slow = { recurrentActivation: 'hardSigmoid2', resetAfter: false } as const;
  const model = sequential([
    gru({ units: 32, returnSequences: true, name: 'gru1', inputShape: [15, 128], ...slow }),
    gru({ units: 32, name: 'gru2', ...slow }),
    dense({ units: 50, activation: 'sigmoid', name: 'output' }),
  ]);
  const { loaded } = loadKerasWeights(model, bytesOf(file), { byName: true });
  const part = worst(model.predict(f32(Object.values(inputs)[0]!)), Object.values(outputs).at(-1)!);
  if (!(part <= 1) || loaded.length !== 3) failures++;
  console.log(`| ${file}, recurrent part, byName | ${part.toFixed(4)} | | | |`);
}

{
  const file = 'keras-h5/textgenrnn/textgenrnn_weights.hdf5';
  const { inputs, outputs } = referenceOf('keras-h5/textgenrnn/textgenrnn_weights.ref.json');
  const layers = {
    embedding: embedding({ inputDim: 465, outputDim: 100, inputShape: [20] }),
    rnn1: lstm({ units: 128, returnSequences: true, name: 'rnn_1' }),
    rnn2: lstm({ units: 128, returnSequences: true, name: 'rnn_2' }),
    concat: concatenate({}),
    attention: dense({ units: 1, useBias: false, name: 'attention' }),
    output: dense({ units: 465, activation: 'softmax', name: 'output' }),
  };
  const model = custom({ layers, inputs: { dtype: 'i32', shape: [20] } }, (ids) => {
    const e = layers.embedding(ids);
    const a = layers.rnn1(e);
    const b = layers.rnn2(a);
    const all = layers.concat([e, a, b]);
    const weights = ops.softmax(layers.attention(all), { axis: 1 });
    return layers.output(ops.sum(ops.mul(all, weights), { axis: 1 }));
  });
  const [{ dims, data }] = Object.values(inputs) as [{ dims: number[]; data: number[] }];
  const x = ndarray(Int32Array.from(data), dims);
  model.predict(x);
  loadKerasWeights(model, bytesOf(file), { byName: true });
  const part = worst(model.predict(x), Object.values(outputs).at(-1)!);
  if (!(part <= 1)) failures++;
  console.log(`| ${file}, attention made of ops, byName | ${part.toFixed(4)} | | | |`);
}

console.log(failures === 0 ? '\nAll within the tolerance.' : `\n${failures} failed.`);
process.exitCode = failures === 0 ? 0 : 1;
