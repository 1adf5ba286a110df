// The first training steps of an LSTM of 128 units, batch 32, 50 steps, as an app of the installed package.
import * as tapeloop from 'tapeloop';

const { adam, dense, embedding, engine, init, lstm, ndarray, sequential, setSeed, sparseCategoricalCrossentropy } =
  tapeloop;
const [batch, time, symbols] = [32, 50, 65];

/** Milliseconds of `init`, of making the model and of each of `count` steps, and the kernels that the last one used. */
export async function firstSteps(count, options = {}) {
  const marks = [performance.now()];
  const mark = () => marks.push(performance.now());
  await init(options);
  mark();
  setSeed(1);
  const model = sequential([
    embedding({ inputDim: symbols, outputDim: 64, inputShape: [time] }),
    lstm({ units: 128, returnSequences: true }),
    dense({ units: symbols }),
  ]);
  model.compile({ optimizer: adam(), loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
  mark();
  const ids = new Int32Array(batch * time);
  for (let i = 0; i < ids.length; i++) ids[i] = (7 * i) % symbols;
  const x = ndarray(ids, [batch, time]);
  marks[2] = performance.now();
  for (let step = 0; step < count; step++) {
    model.trainOnBatch(x, x);
    mark();
  }
  const [ms, made, ...steps] = marks.slice(1).map((at, i) => at - marks[i]);
  return { init: ms, model: made, steps, build: engine().build };
}
