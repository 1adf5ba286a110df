// node --import tsx bench/audio-models/run.ts       Node 20: with --experimental-wasm-relaxed-simd for the fused build
// Captures of an LSTM 1×16 and of a standard WaveNet, block by block: µs a sample, the least, a tenth and the half of the
// calls, from `tapeloop/audio-stream` and from `model.stream()`. RTNeural's best for an LSTM of 16 on an i7 of 2018 is
// 0.32 µs (https://github.com/jatinchowdhury18/RTNeural).
import { exportNam, importNam, learnedState, waveNet } from '../../src/audio-models.ts';
import { namStream } from '../../src/audio-stream.ts';
import { dense, lstm, type Model, ndarray, sequential, setSeed } from '../../src/index.ts';

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
for (const [name, [made, calls]] of Object.entries(models)) {
  const file = exportNam(made);
  const { model } = importNam(file);
  const whole = model.predict(ndarray(x, [1, x.length, 1])).data;
  const streams = {
    'audio-stream': namStream(file, { maxSteps: BLOCK }),
    'model.stream()': model.stream({ maxSteps: BLOCK }),
  };
  for (const [kind, stream] of Object.entries(streams)) {
    for (let t = 0; t < x.length; t += BLOCK) {
      stream.steps(x.subarray(t, t + BLOCK), BLOCK).forEach((value, i) => {
        if (value !== whole[t + i])
          throw new Error(`${name}, ${kind}: sample ${t + i} expected ${whole[t + i]}, got ${value}`);
      });
    }
    const times = Array.from({ length: calls }, () => {
      const start = performance.now();
      stream.steps(x.subarray(0, BLOCK), BLOCK);
      return ((performance.now() - start) * 1000) / BLOCK;
    }).sort((a, b) => a - b);
    const at = (share: number): string => times[Math.floor(share * calls)]!.toFixed(3);
    console.log(`${name}, ${kind}: least ${at(0)}, a tenth below ${at(0.1)}, half below ${at(0.5)} µs a sample`);
  }
}
