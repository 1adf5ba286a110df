// node --import tsx acceptance/onnx/models.ts FOLDER
// Real model files: each `*.ref.json` of FOLDER/*/ has inputs and the outputs of ONNX Runtime, in runs of several steps
// whose states go on. Prints the largest difference of each file, as a multiple of 1e-5 + 1e-4·|expected|.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeModel, encodeModel } from '../../src/index.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';

interface Saved {
  dims: number[];
  type?: string;
  data?: number[];
  zero?: true;
  from?: string;
  random?: true;
  first64?: number[];
  sum?: number;
}
interface Reference {
  model: string;
  steps?: Step[];
  runs?: { steps: Step[] }[];
}
interface Step {
  inputs: Record<string, Saved>;
  outputs: Record<string, Saved>;
}

const [folder = '', only = ''] = process.argv.slice(2);
let failures = 0;
for (const name of readdirSync(folder)) {
  for (const file of readdirSync(join(folder, name)).filter((each) => each.endsWith('.ref.json'))) {
    if (!`${name}/${file}`.includes(only)) continue;
    const reference = JSON.parse(readFileSync(join(folder, name, file), 'utf8')) as Reference;
    try {
      const bytes = readFileSync(join(folder, name, reference.model));
      const start = performance.now();
      const model = importOnnx(bytes);
      const took = performance.now() - start;
      const again = decodeModel(encodeModel(model)).model;
      const worst = [model, again].map((each) => worstOf(each, reference));
      if (worst.some((each) => !(each <= 1))) failures++;
      const states = Object.entries(onnxSession(model).states).map(([from, to]) => `${from}→${to}`);
      console.log(
        `${name}/${file}: ${worst.map((each) => each.toFixed(3))} (import ${took.toFixed(0)} ms) ${states.join(' ')}`,
      );
    } catch (error) {
      failures++;
      console.log(`${name}/${file}: ${(error as Error).stack?.slice(0, 600)}`);
    }
  }
}
if (failures > 0) process.exitCode = 1;

function worstOf(model: ReturnType<typeof importOnnx>, { runs, steps }: Reference): number {
  let worst = 0;
  for (const run of runs ?? [{ steps: steps! }]) {
    const session = onnxSession(model);
    let last: Record<string, { data: ArrayLike<number>; shape: readonly number[] }> = {};
    for (const { inputs, outputs } of run.steps) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([key, { from, zero, dims, data }]) => {
          if (from) return [key, last[from]!];
          const size = dims.reduce((product, n) => product * n, 1);
          return [key, { data: zero ? new Float32Array(size) : data!, shape: dims }];
        }),
      );
      last = session.run(feeds as never);
      for (const [key, { data, first64, random }] of Object.entries(outputs)) {
        if (random) continue;
        (data ?? first64 ?? []).forEach((expected, i) => {
          const difference = Math.abs(Number(last[key]!.data[i]) - expected) / (1e-5 + 1e-4 * Math.abs(expected));
          worst = difference > worst || Number.isNaN(difference) ? difference : worst;
        });
      }
    }
  }
  return worst;
}
