// node --import tsx acceptance/tfjs/models.ts FOLDER
// Models of TF.js that other projects made, FOLDER/*/model.json with model.ref.json: imported, saved, loaded, exported
// and run by TF.js, against the outputs of the original. Prints the largest difference, in parts of
// 1e-5 + 1e-4·|expected|.
// First: npm ci --prefix acceptance/tfjs
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { decodeModel, encodeModel, init, NdArray } from '../../src/index.ts';
import { exportTfjs, importCharRnn, importTfjs } from '../../src/tfjs.ts';
import { partOfTolerance } from '../tolerance.ts';
import { loadedByTfjs } from './files.ts';

const folder = process.argv[2] ?? '../shared/models/tfjs';
if (!existsSync(folder)) {
  console.log(`${folder} is not there: left out`);
  process.exit(0);
}
await init();
await tf.setBackend('cpu');
interface Values {
  dims: number[];
  data: number[];
}
const charRnn = join(folder, '../ml5-charrnn');
if (existsSync(charRnn)) {
  for (const name of readdirSync(charRnn)) {
    const { model } = importCharRnn((file) => new Uint8Array(readFileSync(join(charRnn, name, file))), { file: name });
    const { inputs, outputs } = JSON.parse(readFileSync(join(charRnn, name, 'charrnn.ref.json'), 'utf8'));
    const { dims, data } = inputs.tokens as Values;
    const given = new NdArray(Int32Array.from(data), dims);
    const again = decodeModel(encodeModel(model)).model;
    for (const [what, each] of [['imported', model] as const, ['saved and loaded', again] as const]) {
      const worst = partOfTolerance(each.predict(given).data, outputs.softmax_per_step.data);
      if (!(worst <= 1)) process.exitCode = 1;
      console.log(`${name}, ${what}: ${worst.toFixed(3)} of the tolerance`);
    }
  }
}
for (const name of readdirSync(folder)) {
  const at = (file: string): string => join(folder, name, file);
  const ref = JSON.parse(readFileSync(at('model.ref.json'), 'utf8')) as Record<
    'inputs' | 'outputs',
    Record<string, Values>
  >;
  const model = importTfjs(readFileSync(at('model.json')), (path) => readFileSync(at(path)));
  const { model: loaded } = decodeModel(encodeModel(model));
  const files = exportTfjs(loaded);
  const [x] = Object.values(ref.inputs) as [Values];
  const [expected] = Object.values(ref.outputs) as [Values];
  const given = new NdArray(Float32Array.from(x.data), x.dims) as never;
  const theirs = (await loadedByTfjs(files)).predict(tf.tensor(x.data, x.dims)) as tf.Tensor;
  const runs = {
    imported: model.predict(given).data,
    'saved and loaded': loaded.predict(given).data,
    'exported, in TF.js': theirs.dataSync(),
    'exported, imported': importTfjs(files['model.json']!, files).predict(given).data,
  };
  for (const [what, y] of Object.entries(runs)) {
    const worst = partOfTolerance(y, expected.data);
    if (!(worst <= 1)) process.exitCode = 1;
    console.log(`${name}, ${what}: ${worst.toFixed(3)} of the tolerance`);
  }
}
