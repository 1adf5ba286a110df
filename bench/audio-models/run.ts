// node --import tsx bench/audio-models/run.ts       Node 20: with --experimental-wasm-relaxed-simd for the fused build
// Captures of an LSTM 1×16 and of a standard WaveNet, block by block: µs a sample, the least, a tenth and the half of the
// calls, from `tapeloop/audio-stream`, from `model.stream()` and from ONNX Runtime Web, in turns. RTNeural's best for an
// LSTM of 16 on an i7 of 2018 is 0.32 µs (https://github.com/jatinchowdhury18/RTNeural).
import { exportNam, importNam, learnedState, waveNet } from '../../src/audio-models.ts';
import { namStream } from '../../src/audio-stream.ts';
import { dense, lstm, type Model, ndarray, sequential, setSeed } from '../../src/index.ts';
import { ortLstm, ortVersion, ortWaveNet, type RunBlock } from './ort-web.ts';

const BLOCK = 128;
setSeed(1);
const doubled = Array.from({ length: 10 }, (_, i) => 2 ** i);
const arrays = [
  { channels: 16, kernelSize: 3, dilations: doubled, headSize: 8 },
  { channels: 8, kernelSize: 3, dilations: doubled, headSize: 1, headBias: true },
];
const first = { inputShape: [null, 1] };
const models: Record<string, [model: Model, calls: number]> = {
  'LSTM 1×16': [
    sequential([learnedState(lstm({ units: 16, returnSequences: true, ...first })), dense({ units: 1 })]),
    8000,
  ],
  'standard WaveNet': [sequential([waveNet({ arrays, headScale: 0.02, ...first })]), 1500],
};
const x = Float32Array.from({ length: 4 * BLOCK }, (_, i) => Math.sin(i / 9) / 2);

/** Runs a block, at once or sample by sample. */
type Run = (block: Float32Array) => Float32Array | Promise<Float32Array>;

/** Runs a block sample by sample. */
const inSamples =
  (run: RunBlock): Run =>
  async (block) => {
    const y = new Float32Array(block.length);
    for (let t = 0; t < block.length; t++) y[t] = (await run(block.subarray(t, t + 1)))[0]!;
    return y;
  };

/** Steps of a stream, one after the other. */
function singly(stream: { step(x: Float32Array): Float32Array }): Run {
  const [y, samples] = [new Float32Array(BLOCK), Array.from({ length: BLOCK }, () => new Float32Array(1))];
  return (block) => {
    for (let t = 0; t < BLOCK; t++) {
      samples[t]![0] = block[t]!;
      y[t] = stream.step(samples[t]!)[0]!;
    }
    return y;
  };
}

async function kindsOf(name: string, made: Model): Promise<Record<string, Run>> {
  const file = exportNam(made);
  const { model } = importNam(file);
  const [small, whole] = [namStream(file, { maxSteps: BLOCK }), model.stream({ maxSteps: BLOCK })];
  const ofBlocks: Record<string, Run> = {
    'audio-stream, blocks': (block) => small.steps(block, BLOCK),
    'model.stream(), blocks': (block) => whole.steps(block, BLOCK),
  };
  if (!name.startsWith('LSTM')) return { ...ofBlocks, 'ORT Web, blocks': await ortWaveNet(model, arrays, 0.02, BLOCK) };
  return {
    ...ofBlocks,
    'ORT Web, blocks': await ortLstm(model),
    'audio-stream, samples': singly(namStream(file, { maxSteps: 1 })),
    'model.stream(), samples': singly(model.stream()),
    'ORT Web, samples': inSamples(await ortLstm(model)),
  };
}

console.log(`Node ${process.version}, onnxruntime-web ${ortVersion}, one thread`);
for (const [name, [made, calls]] of Object.entries(models)) {
  const whole = importNam(exportNam(made)).model.predict(ndarray(x, [1, x.length, 1])).data;
  const kinds = await kindsOf(name, made);
  for (const [kind, run] of Object.entries(kinds)) {
    // ORT Web sums in another order.
    const by = kind.startsWith('ORT') ? 1e-5 : 0;
    for (let t = 0; t < x.length; t += BLOCK) {
      const y = await run(x.slice(t, t + BLOCK));
      y.forEach((value, i) => {
        if (Math.abs(value - whole[t + i]!) <= by * (1 + Math.abs(value))) return;
        throw new Error(`${name}, ${kind}: sample ${t + i} expected ${whole[t + i]}, got ${value}`);
      });
    }
  }
  const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
  const block = x.slice(0, BLOCK);
  for (let call = 0; call < calls; call++) {
    for (const [kind, run] of Object.entries(kinds)) {
      // A block of single runs takes ORT Web some milliseconds.
      if (kind === 'ORT Web, samples' && call % 16 > 0) continue;
      const start = performance.now();
      const y = run(block);
      if (y instanceof Promise) await y;
      times[kind]!.push(((performance.now() - start) * 1000) / BLOCK);
    }
  }
  for (const [kind, list] of Object.entries(times)) {
    const sorted = list.sort((a, b) => a - b);
    const at = (share: number): string => sorted[Math.floor(share * sorted.length)]!.toFixed(3);
    console.log(`${name}, ${kind}: least ${at(0)}, a tenth below ${at(0.1)}, half below ${at(0.5)} µs a sample`);
  }
}
