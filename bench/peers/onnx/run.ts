// npm run bench:onnx -- [--models FOLDER] [--runs 1500] [--markdown FILE]
//
// Imported models beside ONNX Runtime, one thread each: a voice detector's frame of 32 ms, with its states; an imported
// LSTM beside the same layer made by hand; the import of a file of 2 MB. All run in one process, in turns. FOLDER has
// silero-vad-legacy-v4/silero_vad_legacy.onnx; without it the detector and the import are left out.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
// The built package: a loader that runs sources names every closure, which takes a quarter of a frame.
import { lstm, RandomStream, sequential } from '../../../dist/index.js';
import { importOnnx, onnxSession } from '../../../dist/onnx.js';
import { attribute, modelOf } from '../../../test/onnx/model-of.ts';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models/onnx' },
    runs: { type: 'string', default: '1500' },
    markdown: { type: 'string' },
  },
});
const runs = Number(values.runs);
const random = new RandomStream(1);
const floats = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.nextUniform() - 0.5);

type Run = () => unknown;

/** Medians in milliseconds of functions that run in turns, as many times before: V8 compiles what runs often. */
async function inTurns(candidates: Readonly<Record<string, Run>>, times: number): Promise<Map<string, number>> {
  const took = new Map(Object.keys(candidates).map((name) => [name, [] as number[]]));
  for (let i = -times; i < times; i++) {
    for (const [name, run] of Object.entries(candidates)) {
      const start = performance.now();
      await run();
      if (i >= 0) took.get(name)!.push(performance.now() - start);
    }
  }
  return new Map([...took].map(([name, all]) => [name, all.sort((a, b) => a - b)[all.length >> 1]!]));
}

const lines: string[] = [];
function tell(what: string, medians: Map<string, number>, asked: string): void {
  const own = medians.get('tapeloop')!;
  const all = [...medians].map(([name, ms]) => `${name} ${ms.toFixed(3)} ms`).join(', ');
  const ratios = [...medians].flatMap(([name, ms]) =>
    name === 'tapeloop' ? [] : [`${(own / ms).toFixed(2)} of ${name}`],
  );
  lines.push(`| ${what} | ${all} | ${ratios.join(', ')} | ${asked} |`);
  console.log(lines.at(-1));
}

const file = join(values.models, 'silero-vad-legacy-v4', 'silero_vad_legacy.onnx');
if (existsSync(file)) {
  const bytes = new Uint8Array(readFileSync(file));
  const frame = floats(512);
  const session = onnxSession(importOnnx(bytes));
  const candidates: Record<string, Run> = {
    tapeloop: () => session.run({ input: { data: frame, shape: [1, 512] }, sr: 16_000 }),
  };
  const require = createRequire(new URL('../package.json', import.meta.url));
  for (const name of ['onnxruntime-web', 'onnxruntime-node']) {
    let place: string;
    try {
      place = require.resolve(name);
    } catch {
      console.log(`${name} is missing: npm ci --prefix bench/peers`);
      continue;
    }
    const ort = require(place);
    ort.env.logLevel = 'error';
    ort.env.wasm.numThreads = 1;
    const options = name === 'onnxruntime-web' ? { executionProviders: ['wasm'] } : { intraOpNumThreads: 1 };
    const other = await ort.InferenceSession.create(bytes, options);
    const sr = new ort.Tensor('int64', BigInt64Array.of(16_000n), []);
    const zeros = () => new ort.Tensor('float32', new Float32Array(128), [2, 1, 64]);
    let [h, c] = [zeros(), zeros()];
    candidates[name] = async () => {
      const { hn, cn } = await other.run({ input: new ort.Tensor('float32', frame, [1, 512]), sr, h, c });
      [h, c] = [hn, cn];
    };
  }
  tell('a voice detector, 32 ms', await inTurns(candidates, runs), '≤ 0.5 of onnxruntime-web, ≤ 1 of onnxruntime-node');
  const imported = await inTurns({ tapeloop: () => importOnnx(bytes).dispose() }, 15);
  tell(`import of ${(bytes.length / 2 ** 20).toFixed(1)} MB`, imported, '< 50 ms');
} else console.log(`${file} is missing: the voice detector and the import are left out`);

const [batch, time, inputs, units] = [1, 100, 64, 128];
const bytesOfLstm = modelOf({
  nodes: [
    { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: [attribute('perm', [1, 0, 2])] },
    { op: 'LSTM', inputs: ['t', 'W', 'R', 'B'], outputs: ['all'], attributes: [attribute('hidden_size', units)] },
    { op: 'Squeeze', inputs: ['all', 'axis'], outputs: ['s'] },
    { op: 'Transpose', inputs: ['s'], outputs: ['y'], attributes: [attribute('perm', [1, 0, 2])] },
  ],
  inputs: { x: { dims: [batch, time, inputs], data: floats(batch * time * inputs) } },
  initializers: {
    W: { dims: [1, 4 * units, inputs], data: floats(4 * units * inputs) },
    R: { dims: [1, 4 * units, units], data: floats(4 * units * units) },
    B: { dims: [1, 8 * units], data: floats(8 * units) },
    axis: { dims: [1], data: BigInt64Array.of(1n) },
  },
  outputs: ['y'],
});
const x = [Array.from({ length: time }, () => [...floats(inputs)])];
const byHand = sequential([lstm({ units, inputShape: [time, inputs], returnSequences: true })]);
const imported = importOnnx(bytesOfLstm, { states: {} });
tell(
  `an LSTM of ${units} units, ${time} steps`,
  await inTurns({ tapeloop: () => imported.predict(x), 'by hand': () => byHand.predict(x) }, runs),
  '≤ 1.05 of by hand',
);

if (values.markdown)
  writeFileSync(
    values.markdown,
    `# Imported models beside ONNX Runtime

\`\`\`sh
npm ci --prefix bench/peers
npm run bench:onnx -- --models FOLDER --markdown acceptance/onnx-speed.md
\`\`\`

Medians of ${runs} runs in turns after as many that are not counted, in one process, one thread each. ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]!.model}.

| what | medians | ratio | asked |
| --- | --- | --- | --- |
${lines.join('\n')}
`,
  );
