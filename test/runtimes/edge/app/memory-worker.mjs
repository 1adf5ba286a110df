// A worker with a limit of 16 MB that needs more: its message, and whether the model is as before and continues.
import { dense, encodeModel, init, lstm, ndarray, sequential, setSeed } from 'tapeloop';

const [time, features] = [50, 16];
const batch = (rows) => [
  ndarray(new Float32Array(rows * time * features).fill(0.1), [rows, time, features]),
  ndarray(new Float32Array(rows).fill(0.5), [rows, 1]),
];

export default {
  async fetch() {
    const { memory } = await init({ maximumMemory: 2 ** 24 });
    setSeed(1);
    const model = sequential([lstm({ units: 64, inputShape: [null, features] }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const first = model.trainOnBatch(...batch(8)).loss;
    const before = encodeModel(model);
    let said;
    try {
      model.trainOnBatch(...batch(2000));
    } catch ({ name, message }) {
      said = `${name}: ${message}`;
    }
    const same = encodeModel(model).every((byte, i) => byte === before[i]);
    const second = model.trainOnBatch(...batch(8)).loss;
    return Response.json({ said, same, falls: second < first, bytes: memory.buffer.byteLength });
  },
};
