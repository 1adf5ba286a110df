// The cost of a training step for growing time, batch and units. If the cost is linear in the work, the percentage of
// the peak stays the same.
import { language, trainFlops } from '../../src/bench/models/shapes.ts';
import { training } from '../../src/bench/models/training.ts';
import { benchCase, type SuiteContext } from '../suite.ts';
import { use } from './models.ts';

const POWERS = [1, 4, 16, 64, 256, 1024, 4096];

const sweeps = [
  ...POWERS.map((time) => ({ time, batch: 8, hidden: 64 })),
  ...POWERS.map((batch) => ({ time: 8, batch, hidden: 64 })),
  ...[16, 32, 64, 128, 256, 512, 1024].map((hidden) => ({ time: 8, batch: 8, hidden })),
];

export async function scaleSuite(context: SuiteContext): Promise<void> {
  const engine = context.engines.at(-1)!;
  for (const { time, batch, hidden } of sweeps) {
    await use(engine);
    const shape = language(1, batch, time, hidden);
    const { model, x, y } = training(shape);
    const what = { suite: 'scale', case: `T=${time} B=${batch} H=${hidden}`, flops: trainFlops(shape) };
    await benchCase(context, engine, what, () => model.trainOnBatch(x, y));
    model.dispose();
  }
}
