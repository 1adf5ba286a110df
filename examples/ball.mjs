// Where will the ball go? A video shows a ball that bounces in a dark room. The last frame shows where the ball is, but
// not where it came from. A network that remembers the frames before knows the direction. A network that sees only the
// last frame must guess.
import {
  adam,
  dense,
  flatten,
  gru,
  ndarray,
  progressText,
  RandomStream,
  sequential,
  setSeed,
  sparseCategoricalCrossentropy,
  timeDistributed,
} from 'tapeloop';

export const about = 'Video of a bouncing ball: which way it goes next, with and without memory.';

const [time, height, width] = [8, 12, 12];

/** The place of a ball on an axis of `size` pixels, where it moves to and fro. */
const walk = (steps, size) => Math.abs((steps % (2 * size - 2)) - (size - 1));

/**
 * Videos `[count, time, height, width, 1]` and the direction of each one's next step: 0 to 3, for left or right and up
 * or down.
 */
function videos(random, count) {
  const pixels = new Float32Array(count * time * height * width);
  const directions = new Int32Array(count);
  const below = (n) => random.nextUint32() % n;
  for (let v = 0; v < count; ) {
    const [left, top] = [below(2 * width - 2), below(2 * height - 2)];
    const [x, y] = [(t) => walk(left + t, width), (t) => walk(top + t, height)];
    // At a wall the last frame alone would tell the direction.
    if ([0, width - 1].includes(x(time - 1)) || [0, height - 1].includes(y(time - 1))) continue;
    for (let t = 0; t < time; t++) pixels[((v * time + t) * height + y(t)) * width + x(t)] = 1;
    directions[v++] = (x(time) > x(time - 1) ? 1 : 0) + (y(time) > y(time - 1) ? 2 : 0);
  }
  return { pixels, directions };
}

export async function run({ seed, log, quick = false }) {
  setSeed(seed);
  const random = new RandomStream(seed);
  const [train, test] = [videos(random, quick ? 64 : 4000), videos(random, 1000)];
  const frame = height * width;

  /** Accuracy on unseen videos of a network that sees the last `steps` frames of each. */
  async function learn(name, steps, layers) {
    const model = sequential([...layers, dense({ units: 4 })]);
    const loss = sparseCategoricalCrossentropy({ fromLogits: true });
    model.compile({ optimizer: adam({ learningRate: 0.005 }), loss, metrics: ['accuracy'] });
    const [unseen, shape] = [(time - steps) * frame, [steps, height, width, 1]];
    const samples = ({ pixels, directions }) => [
      ndarray(
        pixels.filter((_, i) => i % (time * frame) >= unseen),
        [directions.length, ...shape],
      ),
      directions,
    ];
    const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
    await model.fit(...samples(train), { epochs: quick ? 1 : 10, batchSize: 32, callbacks: [progress] });
    return model.evaluate(...samples(test)).accuracy;
  }

  const frames = timeDistributed(flatten(), { inputShape: [time, height, width, 1] });
  const remembering = [frames, gru({ units: 32 })];
  const memoryless = [flatten({ inputShape: [1, height, width, 1] }), dense({ units: 32, activation: 'relu' })];
  return [
    { metric: 'accuracy with memory', value: await learn('with memory', time, remembering), atLeast: 0.99 },
    { metric: 'accuracy without (chance: 0.25)', value: await learn('without', 1, memoryless), near: [0.25, 0.05] },
  ];
}
