// node --import tsx acceptance/audio-models/files.ts [FOLDER]
// Real files of FOLDER (../shared/models): each against its reference, also after a model file, an export and in a stream.
// Prints the largest difference as a multiple of 1e-5 + 1e-4·|expected|.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportNam, exportRtNeural, importNam, importRtNeural } from '../../src/audio-models.ts';
import { decodeModel, encodeModel, type Model, ModelFileError, ndarray } from '../../src/index.ts';
import { partOfTolerance } from '../tolerance.ts';

const folder = process.argv[2] ?? '../shared/models';
if (!existsSync(folder)) {
  console.log(`${folder} is not here: left out`);
  process.exit(0);
}
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const numbers = (name: string): number[] => text(name).trim().split(/\s+/).map(Number);
interface Reference {
  inputs: { x: { data: number[] } };
  outputs: { y: { data: number[] } };
}
const reference = (name: string) => {
  const { inputs, outputs } = JSON.parse(text(name)) as Reference;
  return { x: inputs.x.data, y: outputs.y.data };
};
const csv = (stem: string) => ({ x: numbers(`${stem}_x_python.csv`), y: numbers(`${stem}_y_python.csv`) });
const nam = { read: (file: string) => importNam(file).model, write: exportNam };
const rtneural = { read: (file: string) => importRtNeural(file).model, write: exportRtNeural };
const rt = (name: string) => join('rtneural', name.replaceAll('_', '-'), name);
const boss = join('nam', 'boss-lstm-1x16', 'BossLSTM-1x16');
const centaur = join('rtneural', 'klon-centaur', 'centaur');
const files = [
  { name: `${boss}.nam`, ...nam, ...reference(`${boss}.ref.json`) },
  ...['gru', 'lstm_1d', 'lstm_torch'].map((name) => ({ name: `${rt(name)}.json`, ...rtneural, ...csv(rt(name)) })),
  ...[rt('full_model'), centaur].map((name) => ({
    ...{ name: `${name}.json`, ...rtneural, ...reference(`${name}.ref.json`) },
  })),
];

let failures = 0;
for (const { name, read, write, x, y } of files) {
  const model = read(text(name));
  const width = model.weights.length > 0 ? x.length / y.length : 1;
  const worst = (got: ArrayLike<number>): number => partOfTolerance(got, y);
  const predicted = (each: Model): number =>
    worst(each.predict(ndarray(Float32Array.from(x), [1, y.length, width])).data);
  const stream = model.stream({ maxSteps: 16 });
  const live = y.flatMap((_, t) => {
    const steps = Math.min(16, y.length - t);
    return t % 16 ? [] : [...stream.steps(x.slice(t * width, (t + steps) * width), steps)];
  });
  const again = decodeModel(encodeModel(model)).model;
  const results = [
    predicted(model),
    worst(live),
    predicted(again),
    predicted(read(new TextDecoder().decode(write(again)))),
  ];
  if (!results.every((each) => each <= 1)) failures++;
  console.log(`| ${name} | ${results.map((each) => each.toFixed(3)).join(' | ')} |`);
}
const bad = join('rtneural', 'bad-lstm', 'bad_lstm.json');
try {
  importRtNeural(text(bad));
  failures++;
} catch (error) {
  if (!(error instanceof ModelFileError)) failures++;
  console.log(`| ${bad} | refused: ${(error as Error).message} |`);
}
if (failures > 0) process.exitCode = 1;
