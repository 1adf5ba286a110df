// An LSTM of 16 units learns an effect from its sound: a distortion followed by a low-pass filter.
import { adam, dense, init, lstm, ndarray, sequential, setSeed } from 'tapeloop';

const [samples, time] = [64, 256];

/** The effect to learn: d = 4x / √(1 + (4x)²), then y ← y + 0.3·(d − y) for each sample. */
export function distort(x) {
  let y = 0;
  return Float32Array.from(x, (value) => {
    y += 0.3 * ((4 * value) / Math.sqrt(1 + 16 * value * value) - y);
    return y;
  });
}

/** Tones with rising pitch, of different loudness and height. */
function tone(index) {
  const [pitch, rise, loudness] = [0.01 + 0.004 * (index % 32), 0.0002 * (index % 7), 0.1 + 0.2 * (index % 5)];
  return Float32Array.from({ length: time }, (_, t) => loudness * Math.sin(2 * Math.PI * (pitch + rise * t) * t));
}

/** Trains a model with one sample in and one sample out. Calls `onEpoch(epoch, loss)` after each epoch. */
export async function learn(onEpoch = () => {}, epochs = 60) {
  await init();
  setSeed(1);
  const join = (sounds) => ndarray(Float32Array.from(sounds.flatMap((sound) => [...sound])), [samples, time, 1]);
  const sounds = Array.from({ length: samples }, (_, index) => tone(index));
  const model = sequential([lstm({ units: 16, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
  model.compile({ optimizer: adam({ learningRate: 0.02, globalClipNorm: 1 }), loss: 'meanSquaredError' });
  const callbacks = [{ onEpochEnd: (epoch, { loss }) => onEpoch(epoch, loss) }];
  await model.fit(join(sounds), join(sounds.map(distort)), { batchSize: 8, epochs, callbacks });
  return model;
}
