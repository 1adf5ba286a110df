// Trains a small capture of an overdrive and writes it as a .nam file: an LSTM of 16 units whose states are learned too.
//   node make-amp.mjs [FILE]
import { writeFileSync } from 'node:fs';
import { adam, dense, init, lstm, ndarray, sequential, setSeed } from 'tapeloop';
import { exportNam, learnedState } from 'tapeloop/audio-models';

const [samples, time] = [32, 256];

/** The amp: a soft clip of d = 5x / (1 + |5x|), then y ← y + 0.4·(d − y) for each sample. */
export function overdrive(x) {
  let y = 0;
  return Float32Array.from(x, (value) => {
    y += 0.4 * ((5 * value) / (1 + Math.abs(5 * value)) - y);
    return y;
  });
}

/** Tones with rising pitch, of different loudness and height. */
function tone(index) {
  const [pitch, rise, loudness] = [0.01 + 0.004 * (index % 16), 0.0002 * (index % 7), 0.1 + 0.2 * (index % 5)];
  return Float32Array.from({ length: time }, (_, t) => loudness * Math.sin(2 * Math.PI * (pitch + rise * t) * t));
}

/** The bytes of the capture, and the error of the last epoch. */
export async function makeAmp(epochs = 40) {
  await init();
  setSeed(1);
  const join = (sounds) => ndarray(Float32Array.from(sounds.flatMap((sound) => [...sound])), [samples, time, 1]);
  const sounds = Array.from({ length: samples }, (_, index) => tone(index));
  const cell = lstm({ units: 16, returnSequences: true, inputShape: [null, 1] });
  const model = sequential([learnedState(cell), dense({ units: 1 })]);
  model.compile({ optimizer: adam({ learningRate: 0.02, globalClipNorm: 1 }), loss: 'meanSquaredError' });
  const { history } = await model.fit(join(sounds), join(sounds.map(overdrive)), { batchSize: 8, epochs, verbose: 0 });
  const capture = exportNam(model, { sampleRate: 48_000, metadata: { name: 'a soft overdrive' } });
  return { capture, loss: history.loss.at(-1) };
}

if (process.argv[1] === import.meta.filename) {
  const file = process.argv[2] ?? 'amp.nam';
  const { capture, loss } = await makeAmp();
  writeFileSync(file, capture);
  console.log(`${file}: ${capture.length} bytes, error ${loss.toExponential(1)}`);
}
