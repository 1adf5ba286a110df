// Trains one model of the train suite on some threads in its own process. On request it times some steps.
import { TRAIN } from '../../shapes.ts';
import { characterModel, characters } from '../models.ts';
import { init } from '../../../src/engine/engine.ts';
import { setSeed } from '../../../src/engine/random.ts';

const [row, threads] = process.argv.slice(2).map(Number) as [number, number];
const { layers, batch, time, hidden } = TRAIN[row]!;
setSeed(1);
const engine = await init({ threads });
const model = characterModel(layers, hidden);
const { x, y } = characters(batch, time);

// A request is the length of a sample in ms, the answer the mean time of a step.
process.on('message', (length: number) => {
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < length) {
    model.trainOnBatch(x, y);
    steps++;
  }
  process.send!({ ms: (performance.now() - start) / steps, loss: process.env.LOSS });
});
process.send!({ build: engine.build, threads: engine.threads });
