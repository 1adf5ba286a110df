// Trains one model of the train suite in its own process. On request it times some steps.
import { init } from '../../../src/engine/engine.ts';
import { setSeed } from '../../../src/engine/random.ts';
import { TRAIN } from '../../shapes.ts';
import { characterModel, characters } from '../models.ts';

const [row, threads] = process.argv.slice(2).map(Number) as [number, number];
const { layers, batch, time, hidden } = TRAIN[row]!;
setSeed(1);
const engine = await init({ threads });
const model = characterModel(layers, hidden);
const { x, y } = characters(batch, time);

// A request is the least time to train, in ms. The answer is the mean time of a step.
process.on('message', (length: number) => {
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < length) {
    model.trainOnBatch(x, y);
    steps++;
  }
  process.send!((performance.now() - start) / steps);
});
process.send!(engine.build);
