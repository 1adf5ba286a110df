// node --import tsx acceptance/torch/steps.ts [PYTHON]
// Ten steps of training, split five and five across tapeloop and PyTorch in both directions, against ten on one side.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lib from '../../src/index.ts';
import { encodeCheckpoint, exportTorch, loadStateDict, torchOptimizer } from '../../src/torch.ts';

const python = process.argv[2] ?? '/usr/bin/python3';
const optimizers: Record<string, () => lib.Optimizer> = {
  sgd: () => lib.sgd({ learningRate: 0.05, momentum: 0.9 }),
  nesterov: () => lib.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  adam: () => lib.adam({ learningRate: 0.01, epsilon: 1e-8 }),
  amsgrad: () => lib.adam({ learningRate: 0.01, epsilon: 1e-8, amsgrad: true }),
  adamw: () => lib.adamw({ learningRate: 0.01, epsilon: 1e-8 }),
  rmsprop: () => lib.rmsprop({ learningRate: 0.005, rho: 0.99, epsilon: 1e-16, momentum: 0.5, centered: true }),
  adagrad: () => lib.adagrad({ learningRate: 0.05, epsilon: 1e-20 }),
};

await lib.init();
const random = new lib.RandomStream(5);
const uniform = (): number => Math.fround(2 * random.nextUniform() - 1);
const x = Array.from({ length: 8 }, () => Array.from({ length: 6 }, () => [uniform(), uniform()]));
const y = x.map((steps) => [steps.reduce((sum, [a, b]) => sum + a! * b!, 0)]);
const made = (): lib.Model =>
  lib.sequential([
    lib.bidirectional(lib.lstm({ units: 5, returnSequences: true, inputShape: [null, 2] })),
    lib.gru({ units: 6, returnSequences: true }),
    lib.simpleRnn({ units: 4 }),
    lib.layerNormalization({ epsilon: 1e-5 }),
    lib.dense({ units: 1 }),
  ] as never) as lib.Model;
const steps = (model: lib.Model, count: number): number[] =>
  Array.from({ length: count }, () => Number(model.trainOnBatch(x, y).loss));

const folder = mkdtempSync(join(tmpdir(), 'torch-steps-'));
writeFileSync(join(folder, 'data.json'), JSON.stringify({ x, y }));
const ours = new Map<string, number[]>();
for (const [name, optimizer] of Object.entries(optimizers)) {
  lib.setSeed(1);
  const model = made();
  model.compile({ optimizer: optimizer(), loss: 'mse' });
  const save = (as: string): void => {
    writeFileSync(join(folder, `${as}.py`), exportTorch(model));
    writeFileSync(join(folder, `${as}.pt`), encodeCheckpoint(model));
  };
  save(`${name}_0`);
  const first = steps(model, 5);
  save(`${name}_5`);
  ours.set(name, [...first, ...steps(model, 5)]);
}
const ran = spawnSync(python, [join(import.meta.dirname, 'steps.py'), folder], { stdio: 'inherit' });
if (ran.status !== 0) throw new Error(`${python} ended with ${ran.status}`);
const read = (name: string): number[] => JSON.parse(readFileSync(join(folder, `${name}.steps.json`), 'utf8'));
const worst = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
for (const name of Object.keys(optimizers)) {
  const here = ours.get(name)!;
  const there = read(`${name}_0`);
  const onThere = read(`${name}_5`).slice(0, 5);
  const bytes = readFileSync(join(folder, `${name}_0.next.pt`));
  const model = made();
  loadStateDict(model, bytes);
  model.compile({
    optimizer: torchOptimizer(model, bytes, name === 'adamw' ? { optimizer: 'adamw' } : {}),
    loss: 'mse',
  });
  const back = steps(model, 5);
  const found = [worst(here, there), worst(onThere, here.slice(5)), worst(back, there.slice(5))];
  console.log(`| ${name} | ${found.map((each) => each.toExponential(1)).join(' | ')} |`);
  if (found.slice(1).some((each) => !(each <= 1e-5))) process.exitCode = 1;
}
rmSync(folder, { recursive: true });
