// Trains one model of the train suite in its own process. On request it times some steps.
import { training } from '../../../src/bench/models/training.ts';
import { init } from '../../../src/engine/engine.ts';
import { setSeed } from '../../../src/engine/random.ts';
import { TRAIN } from '../../shapes.ts';

const [row, threads] = process.argv.slice(2).map(Number) as [number, number];
setSeed(1);
const engine = await init({ threads });
const { model, x, y } = training(TRAIN[row]!);

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
