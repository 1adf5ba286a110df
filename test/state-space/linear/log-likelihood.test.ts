import { beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { adam, engine, init, Parameter, type Tensor, tensor, valueAndGrad } from '../../../src/index.ts';
import { type KalmanParameters, kalmanLogLikelihood, linearGaussian, localLevel } from '../../../src/state-space.ts';

beforeAll(() => init());

const plain = {
  transitionMatrix: [
    [0.9, 0.2],
    [0, 0.7],
  ],
  observationMatrix: [[1, 0.5]],
  transitionFactor: [
    [0.6, 0],
    [0.3, 0.4],
  ],
  observationFactor: [[0.8]],
  initialMean: [0.2, -0.1],
  initialFactor: [
    [1, 0],
    [0, 1],
  ],
};
const parameters = (): KalmanParameters =>
  Object.fromEntries(Object.entries(plain).map(([name, values]) => [name, tensor(values)])) as never;
const squared = (l: number[][]): number[][] =>
  l.map((row) => l.map((other) => row.reduce((sum, value, k) => sum + value * other[k]!, 0)));

describe('kalmanLogLikelihood', () => {
  const y = [[0.4], [Number.NaN], [1.1], [0.2]];

  test('is the score of the model, and a missing number has gradient 0', () => {
    const { transitionMatrix, observationMatrix, initialMean } = plain;
    const model = linearGaussian({
      ...{ transitionMatrix, observationMatrix, initialMean, initialCovariance: squared(plain.initialFactor) },
      transitionCovariance: squared(plain.transitionFactor),
      observationCovariance: squared(plain.observationFactor),
    });
    const observations = tensor([y]);
    expect(kalmanLogLikelihood(observations, parameters()).item()).toBeCloseTo(model.score(y), 5);
    const { grads } = valueAndGrad(() => kalmanLogLikelihood(observations, parameters()), [observations]);
    expect(grads[0]!.toArray()[1]).toBe(0);
    expect(grads[0]!.toArray().every(Number.isFinite)).toBe(true);
  });

  test('what a mask hides, hides its NaN too', () => {
    const [whole, gap] = [tensor([[[0.4], [1.1]]]), tensor([[[0.4], [Number.NaN], [1.1]]])];
    gap.mask = tensor([[1, 0, 1]]);
    expect(kalmanLogLikelihood(gap, parameters()).item()).toBe(kalmanLogLikelihood(whole, parameters()).item());
  });

  test('climbed by Adam, finds what the model finds', () => {
    const { observations } = localLevel({ levelVariance: 0.2, observationVariance: 1 }).sample({ steps: 150, seed: 2 });
    const values = tensor(observations.data.map(Math.fround), [1, 150, 1]);
    const [level, noise] = [new Parameter('level', [1, 1], [1]), new Parameter('noise', [1, 1], [0.5])];
    const [one, zero, wide] = [tensor([[1]]), tensor([0]), tensor([[1000]])];
    const optimizer = adam({ learningRate: 0.05 });
    const loss = (): Tensor =>
      kalmanLogLikelihood(values, {
        ...{ transitionMatrix: one, observationMatrix: one, initialMean: zero, initialFactor: wide },
        ...{ transitionFactor: level, observationFactor: noise },
      });
    for (let step = 0; step < 150; step++) {
      engine().step(() => {
        const { grads } = valueAndGrad(loss, [level, noise], { seed: -1 });
        optimizer.apply([level, noise], grads);
      });
    }
    const model = localLevel();
    model.fitGradient(observations);
    expect(level.toArray()[0]! ** 2).toBeCloseTo(model.parameters.transitionCovariance.data[0]!, 1);
    expect(noise.toArray()[0]! ** 2).toBeCloseTo(model.parameters.observationCovariance.data[0]!, 1);
  });

  test.each<[string, () => unknown]>([
    [
      'kalmanLogLikelihood: observations expected [B, T, p], got [1]',
      () => kalmanLogLikelihood(tensor([1]), parameters()),
    ],
    [
      'kalmanLogLikelihood: observationMatrix expected [1, 2] or [4, 1, 2] or [1, 4, 1, 2], got [2]',
      () => kalmanLogLikelihood(tensor([y]), { ...parameters(), observationMatrix: tensor([1, 2]) }),
    ],
    [
      'kalmanLogLikelihood: initialFactor expected [2, 2] or [1, 2, 2], got [1, 1]',
      () => kalmanLogLikelihood(tensor([y]), { ...parameters(), initialFactor: tensor([[1]]) }),
    ],
    [
      'kalmanLogLikelihood: inputs expected none without a controlMatrix or a feedthroughMatrix, got [1, 4, 1]',
      () => kalmanLogLikelihood(tensor([y]), parameters(), { inputs: tensor([y]) }),
    ],
    [
      'kalmanLogLikelihood: inputs expected [B, T, k], got none',
      () => kalmanLogLikelihood(tensor([y]), { ...parameters(), controlMatrix: tensor([[1], [0]]) }),
    ],
    [
      'kalmanLogLikelihood: observationFactor expected noise where the state is known, got a singular forecast (sequence 0, step 0)',
      () => {
        const zero = {
          initialFactor: tensor([
            [0, 0],
            [0, 0],
          ]),
          observationFactor: tensor([[0]]),
        };
        return kalmanLogLikelihood(tensor([y]), { ...parameters(), ...zero });
      },
    ],
  ])('%s', (message, call) => expect(call).toThrow(new ArgumentError(message)));
});
