// node --import tsx acceptance/torch/models.ts FOLDER [PYTHON]
// Real files of PyTorch against their references, as multiples of 1e-5 + 1e-4·|expected|: imported; saved and loaded; and
// exported from there and run by PyTorch.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../src/images.ts';
import { decodeModel, encodeModel, init, ndarray } from '../../src/index.ts';
import { encodeCheckpoint, exportTorch, importTorch } from '../../src/torch.ts';
import { partOfTolerance } from '../tolerance.ts';

const [folder = '', python = '/usr/bin/python3'] = process.argv.slice(2);
const pose = ['gru', 'last', 'bn', 'fc1', 'relu', 'fc2', 'relu', 'fc3'];
const files: [file: string, reference: string, forward: string[], output: string][] = [
  ['torch/pose-gru/gru_model.pth', 'gru_model', pose, 'logits_before_softmax'],
  ['torch/pose-gru/gru_model_full.pth', 'gru_model', pose, 'logits_before_softmax'],
  ['torch/derived-legacy-pose-gru/gru_model_legacy.pth', 'gru_model', pose, 'logits_before_softmax'],
  ['torch/derived-legacy-pose-gru/checkpoint_legacy.pth', 'gru_model', pose, 'logits_before_softmax'],
  ['torch/trajector-gru/gru.pt', 'gru', ['rnn', 'fc'], 'fc_of_rnn_output'],
  ['torchscript/noaa-sugar-creek/sugar_creek_trained.pt', 'sugar_creek_trained', ['lstm', 'head'], 'y_all_steps'],
];
// These have group normalization, which no layer here computes.
const refused = ['overfit_bl', 'model_small_mixed'].map((name) => `safetensors/kraken-overfit/${name}.safetensors`);

interface Values {
  dims: number[];
  data: number[];
}
if (!existsSync(folder)) {
  console.log(`${folder} is missing: left out`);
  process.exit();
}
await init();
for (const [i, [file, name, forward, output]] of files.entries()) {
  const path = join(folder, file);
  const reference = JSON.parse(readFileSync(join(path, '..', `${name}.ref.json`), 'utf8'));
  const { dims, data } = reference.inputs.x as Values;
  const expected = (reference.outputs[output] as Values).data;
  const x = ndarray(Float32Array.from(data), dims);
  const model = importTorch(readFileSync(path), { forward });
  const again = decodeModel(encodeModel(model)).model;
  const run = mkdtempSync(join(tmpdir(), 'torch-models-'));
  writeFileSync(join(run, `m${i}.py`), exportTorch(again));
  writeFileSync(join(run, `m${i}.pt`), encodeCheckpoint(again));
  writeFileSync(join(run, `m${i}.in.json`), JSON.stringify([{ shape: dims, ids: false, data }]));
  spawnSync(python, [join(import.meta.dirname, 'run.py'), run], { stdio: 'inherit' });
  const { outputs, error } = JSON.parse(readFileSync(join(run, `m${i}.out.json`), 'utf8'));
  rmSync(run, { recursive: true });
  const found = [
    ...[model, again].map((each) => partOfTolerance(each.predict(x).data, expected)),
    partOfTolerance(outputs?.[0].data ?? [], expected),
  ];
  console.log(`| ${file} | ${found.map((each) => each.toExponential(1)).join(' | ')} | ${error ?? ''}`);
  if (found.some((each) => !(each <= 1))) process.exitCode = 1;
}
for (const file of refused) {
  try {
    importTorch(readFileSync(join(folder, file)));
    console.log(`${file} expected to be refused`);
    process.exitCode = 1;
  } catch (error) {
    console.log(`${file}: ${(error as Error).name}: ${(error as Error).message.slice(0, 160)}`);
  }
}
