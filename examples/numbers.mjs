// The three number puzzles of many Keras courses: an LSTM of 50 units with relu, mean squared error, Adam, and fifteen
// or twenty examples. With relu the states grow with the numbers, so the numbers need no scaling. There are too few
// examples for a validation part. The learning rate falls to 0, because with a constant rate the answers swing by half
// a number from epoch to epoch.
import { adam, dense, lstm, schedules, sequential, setSeed } from 'tapeloop';

export const about =
  'The slides’ first three LSTMs: x → x + 1, x + 2; the sum of three; the next three multiples of 5.';

const count = (length, value) => Array.from({ length }, (_, i) => value(i));

const puzzles = [
  {
    name: 'x → x + 1, x + 2',
    x: count(15, (i) => [1 + 3 * i]),
    y: count(15, (i) => [2 + 3 * i, 3 + 3 * i]),
    ...{ batchSize: 3, parameters: 10_502 },
    ...{ ask: [10], answer: [11, 12], within: 0.15 },
  },
  {
    name: 'sum of three',
    x: count(15, (i) => [3 * i + 1, 3 * i + 2, 3 * i + 3]),
    y: count(15, (i) => [9 * i + 6]),
    ...{ batchSize: 32, parameters: 10_451 },
    ...{ ask: [50, 51, 52], answer: [153], within: 0.5 },
  },
  {
    name: 'multiples of 5',
    x: count(20, (i) => [15 * i + 5, 15 * i + 10, 15 * i + 15]),
    y: count(20, (i) => [15 * i + 20, 15 * i + 25, 15 * i + 30]),
    ...{ batchSize: 3, parameters: 10_553 },
    ...{ ask: [300, 305, 310], answer: [315, 320, 325], within: 3 },
  },
];

const epochs = 2000;

export async function run({ seed, log, quick = false }) {
  const outcomes = [];
  for (const { name, x, y, batchSize, parameters, ask, answer, within } of puzzles) {
    setSeed(seed);
    const model = sequential([
      lstm({ units: 50, activation: 'relu', inputShape: [ask.length, 1] }),
      dense({ units: answer.length }),
    ]);
    const decaySteps = epochs * Math.ceil(x.length / batchSize);
    const learningRate = schedules.cosineDecay({ initialLearningRate: 0.003, decaySteps });
    model.compile({ optimizer: adam({ learningRate }), loss: 'meanSquaredError' });
    const steps = (sequences) => sequences.map((sequence) => sequence.map((value) => [value]));
    const { history } = await model.fit(steps(x), y, { epochs: quick ? 1 : epochs, batchSize });
    const found = model.predict(steps([ask])).toNested()[0];
    log(`${name}: loss ${history.loss.at(-1).toExponential(1)}; [${ask}] → [${found.map((n) => n.toFixed(2))}]`);
    const size = model.weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
    outcomes.push({ metric: `${name}: parameters`, value: size, near: [parameters, 0] });
    answer.forEach((near, i) => {
      outcomes.push({ metric: `${name}: [${ask}], answer ${i + 1}`, value: found[i], near: [near, within] });
    });
  }
  return outcomes;
}
