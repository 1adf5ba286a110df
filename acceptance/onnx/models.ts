// node --import tsx acceptance/onnx/models.ts FOLDER
// Real model files: each `*.ref.json` of FOLDER/*/ has inputs and the outputs of ONNX Runtime, in runs of several steps
// whose states go on. Prints the largest difference of each file, as a multiple of 1e-5 + 1e-4·|expected|: imported, saved
// and loaded, and exported from there and run by ONNX Runtime. First: npm ci --prefix acceptance/onnx
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { decodeModel, encodeModel } from '../../src/index.ts';
import { exportOnnx, importOnnx, onnxSession } from '../../src/onnx.ts';
import { partOfTolerance } from '../tolerance.ts';

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
      const worst = [
        ...(await Promise.all([model, again].map((each) => worstOf(() => runnerOf(each), reference)))),
        await worstOf(await exportedRunner(exportOnnx(again)), reference),
      ];
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

type Arrays = Record<string, { data: ArrayLike<number>; shape: readonly number[] }>;
type Run = (feeds: Arrays) => Arrays | Promise<Arrays>;

function runnerOf(model: ReturnType<typeof importOnnx>): Run {
  const session = onnxSession(model);
  return (feeds) => session.run(feeds as never) as Arrays;
}

/** Runs exported bytes in ONNX Runtime. */
async function exportedRunner(bytes: Uint8Array): Promise<() => Run> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const types = new Map(session.inputMetadata.map((each) => [each.name, (each as { type: string }).type]));
  const arrays = {
    float32: Float32Array,
    int32: Int32Array,
    uint8: Uint8Array,
    bool: Uint8Array,
    float64: Float64Array,
  };
  const tensorOf = (name: string, { data, shape }: Arrays[string]): ort.Tensor => {
    const type = types.get(name)!;
    const values =
      type === 'int64'
        ? BigInt64Array.from(Array.from(data, (n) => BigInt(n)))
        : arrays[type as 'float32'].from(data as ArrayLike<number>);
    return new ort.Tensor(type as 'float32', values as Float32Array, [...shape]);
  };
  return () => async (feeds) => {
    const tensors = Object.entries(feeds).map(([name, feed]) => [name, tensorOf(name, feed)] as const);
    const results = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [
        name,
        { shape: dims, data: Array.from(data as Float32Array, Number) },
      ]),
    );
  };
}

async function worstOf(begin: () => Run, { runs, steps }: Reference): Promise<number> {
  let worst = 0;
  for (const { steps: each } of runs ?? [{ steps: steps! }]) {
    const run = begin();
    let last: Arrays = {};
    for (const { inputs, outputs } of each) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([key, { from, zero, dims, data }]) => {
          if (from) return [key, last[from]!];
          const size = dims.reduce((product, n) => product * n, 1);
          return [key, { data: zero ? new Float32Array(size) : data!, shape: dims }];
        }),
      );
      last = await run(feeds);
      for (const [key, { data, first64, random }] of Object.entries(outputs)) {
        if (random) continue;
        const expected = data ?? first64 ?? [];
        const part = partOfTolerance(Array.from(last[key]!.data).slice(0, expected.length), expected);
        if (!(part <= worst)) worst = part;
      }
    }
  }
  return worst;
}
