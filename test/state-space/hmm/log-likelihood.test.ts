import { beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import {
  adam,
  dense,
  engine,
  gru,
  init,
  ops,
  Parameter,
  setSeed,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../../../src/index.ts';
import { gaussianHmm, hmmLogLikelihood } from '../../../src/state-space.ts';

beforeAll(() => init());

const half = Math.log(0.5);
const flat = (): [Tensor, Tensor] => [
  tensor([
    [half, half],
    [half, half],
  ]),
  tensor([half, half]),
];

describe('hmmLogLikelihood', () => {
  test('is the score of the model with these emissions, within float32', () => {
    const model = gaussianHmm({
      ...{ states: 2, initialProbabilities: [0.6, 0.4], means: [[0], [2]], covariances: [[1], [0.5]] },
      transitionMatrix: [
        [0.7, 0.3],
        [0.4, 0.6],
      ],
    });
    const y = [0.3, 1.9, 2.2, -0.4];
    const normal = (x: number, m: number, v: number): number => -(Math.log(2 * Math.PI * v) + (x - m) ** 2 / v) / 2;
    const emissions = tensor([y.map((x) => [normal(x, 0, 1), normal(x, 2, 0.5)])]);
    const [matrix, initial] = [
      [
        [0.7, 0.3],
        [0.4, 0.6],
      ],
      [0.6, 0.4],
    ];
    const found = hmmLogLikelihood(
      emissions,
      tensor(matrix.map((row) => row.map(Math.log))),
      tensor(initial.map(Math.log)),
    );
    expect(found.item()).toBeCloseTo(model.score(y.map((x) => [x])), 5);
    // The gradient of the emissions is the posterior.
    const { grads } = valueAndGrad(
      () => hmmLogLikelihood(emissions, tensor(matrix.map((row) => row.map(Math.log))), tensor(initial.map(Math.log))),
      [emissions],
    );
    const { data } = model.posteriors(y.map((x) => [x])) as { data: Float64Array };
    grads[0]!.toArray().forEach((value, i) => expect(value).toBeCloseTo(data[i]!, 5));
  });

  test('without a possible path it is −∞ with gradient 0, beside sequences that have one', () => {
    const none = Number.NEGATIVE_INFINITY;
    const emissions = tensor([
      [
        [none, none],
        [0, 0],
      ],
      [
        [0, none],
        [0, 0],
      ],
    ]);
    const [matrix, initial] = flat();
    const value = hmmLogLikelihood(emissions, matrix, initial).toArray();
    expect(value[0]).toBe(none);
    expect(value[1]).toBeCloseTo(Math.log(0.5), 6);
    const { grads } = valueAndGrad(
      () => ops.sum(ops.slice(hmmLogLikelihood(emissions, matrix, initial), { axis: 0, from: 1 })),
      [emissions],
    );
    expect(Array.from(grads[0]!.toArray())).toEqual([0, 0, 0, 0, 1, 0, 0.5, 0.5]);
  });

  test('what a mask hides, hides its NaN too', () => {
    const emissions = tensor([
      [
        [0, -1],
        [Number.NaN, Number.NaN],
        [-1, 0],
      ],
    ]);
    emissions.mask = tensor([[1, 0, 1]]);
    const [matrix, initial] = flat();
    const whole = hmmLogLikelihood(
      tensor([
        [
          [0, -1],
          [-1, 0],
        ],
      ]),
      matrix,
      initial,
    ).item();
    expect(hmmLogLikelihood(emissions, matrix, initial).item()).toBe(whole);
    const { grads } = valueAndGrad(() => hmmLogLikelihood(emissions, matrix, initial), [emissions]);
    expect(grads[0]!.toArray().every(Number.isFinite)).toBe(true);
  });

  test('trains a recurrent network that gives the emissions', () => {
    // The chance of a coin depends on a hidden state, and the state on what was shown before.
    setSeed(1);
    const [network, head] = [gru({ units: 4, returnSequences: true }), dense({ units: 2 })];
    network.build([null, null, 1]);
    head.build([null, null, 4]);
    const transitions = new Parameter('transitions', [2, 2], [1, 0, 0, 1]);
    const coins = new Parameter('coins', [2, 2], [0.5, -0.5, -0.5, 0.5]);
    const weights = [...network.weights, ...head.weights, transitions, coins];
    const optimizer = adam({ learningRate: 0.05 });
    const x = Array.from({ length: 8 }, (_, i) => Array.from({ length: 12 }, (_, t) => [Math.sin(i + t)]));
    const y = x.map((row) => row.map(([value]) => (value! > 0 ? [1, 0] : [0, 1])));
    const values: number[] = [];
    for (let step = 0; step < 25; step++) {
      engine().step(() => {
        const loss = (): Tensor => {
          const states = ops.logSoftmax(head(network(tensor(x))) as Tensor);
          const emissions = ops.add(states, ops.matmul(tensor(y), ops.logSoftmax(coins)));
          const found = hmmLogLikelihood(emissions, ops.logSoftmax(transitions), tensor([half, half]));
          return ops.neg(ops.mean(found));
        };
        const { value, grads } = valueAndGrad(loss, weights);
        optimizer.apply(weights, grads);
        values.push(value);
      });
    }
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.at(-1)!).toBeLessThan(values[0]! - 2);
  });

  test.each<[string, () => unknown]>([
    ['hmmLogLikelihood: emissions expected [B, T, K], got [2]', () => hmmLogLikelihood(tensor([1, 2]), ...flat())],
    [
      'hmmLogLikelihood: transitions expected [3, 3], got [2, 2]',
      () => hmmLogLikelihood(tensor([[[1, 2, 3]]]), ...flat()),
    ],
    [
      'hmmLogLikelihood: initial expected [2], got [1]',
      () => hmmLogLikelihood(tensor([[[1, 2]]]), flat()[0], tensor([1])),
    ],
    [
      'hmmLogLikelihood: lengths expected 1 integers in [0, 1], got 2 at 0',
      () => hmmLogLikelihood(tensor([[[1, 2]]]), ...flat(), { lengths: [2] }),
    ],
    [
      'hmmLogLikelihood: mask expected to be given without lengths, got both',
      () => hmmLogLikelihood(tensor([[[1, 2]]]), ...flat(), { lengths: [1], mask: tensor([[1]]) }),
    ],
    [
      'hmmLogLikelihood: mask expected [1, 1], got [1, 2]',
      () => hmmLogLikelihood(tensor([[[1, 2]]]), ...flat(), { mask: tensor([[1, 1]]) }),
    ],
  ])('%s', (message, call) => expect(call).toThrow(new ArgumentError(message)));
});
