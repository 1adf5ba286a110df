import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/engine/random.ts';
import * as t from '../../src/index.ts';
import { mixtureDensity, mixtureDensityLoss, sampleMixture } from '../../src/sequences.ts';

const pen = { components: 2, dims: 2, correlated: true, endOfStroke: true };

describe('sampleMixture', () => {
  /** π = (¼, ¾), μ = (1, 2) and (−3, 4), σ = (1, 2) and (½, 1), ρ = ½ and −½, e = 0.2. */
  const parameters = [
    ...[Math.log(0.25), Math.log(0.75), 1, 2, -3, 4],
    ...[0, Math.log(2), Math.log(0.5), 0, Math.atanh(0.5), Math.atanh(-0.5), Math.log(0.25)],
  ];
  const many = (temperature: number): number[][] => {
    const rows = Array.from({ length: 20_000 }, () => parameters);
    const { data, shape } = sampleMixture(rows, { ...pen, temperature, random: new RandomStream(1) });
    expect(shape).toEqual([20_000, 3]);
    return rows.map((_, i) => Array.from(data.subarray(3 * i, 3 * i + 3)));
  };
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

  test('has the weights, means, variances, correlations and ends of the mixture', () => {
    const samples = many(1);
    // μ of the second component is far from the first in x: −3 ± ½ against 1 ± 1.
    const second = samples.filter(([x]) => x! < -1.25);
    expect(second.length / samples.length).toBeCloseTo(0.75, 1);
    const [mx, my] = [0, 1].map((d) => mean(second.map((each) => each[d]!))) as [number, number];
    expect(mx).toBeCloseTo(-3, 1);
    expect(my).toBeCloseTo(4, 1);
    const covariance = mean(second.map(([x, y]) => (x! - mx) * (y! - my)));
    expect(covariance).toBeCloseTo(-0.5 * 0.5 * 1, 1);
    expect(mean(samples.map(([, , end]) => end!))).toBeCloseTo(0.2, 1);
  });

  test('of a low temperature stays near the mean of the likeliest component', () => {
    const samples = many(0.01);
    expect(Math.max(...samples.map(([x]) => Math.abs(x! + 3)))).toBeLessThan(0.3);
    expect(mean(samples.map(([, , end]) => end!))).toBeCloseTo(0.2, 1);
  });

  test('of equal random numbers is equal', () => {
    const one = sampleMixture(parameters, { ...pen, random: new RandomStream(7) });
    expect(sampleMixture(parameters, { ...pen, random: new RandomStream(7) }).data).toEqual(one.data);
    expect(one.shape).toEqual([3]);
  });
});

test('a model learns a function with two values, which a mean cannot', async () => {
  t.setSeed(2);
  const mixture = { components: 2 };
  const model = t.sequential([t.dense({ units: 16, activation: 'tanh', inputShape: [1] }), mixtureDensity(mixture)]);
  model.compile({
    optimizer: t.adam({ learningRate: 0.02 }),
    loss: mixtureDensityLoss({ ...mixture, minScale: 0.05 }),
  });
  const x = Array.from({ length: 256 }, (_, i) => [Math.sin(i)]);
  const y = x.map(([value], i) => [i % 2 === 0 ? value! + 1 : -value! - 1]);
  await model.fit(x, y, { epochs: 60, verbose: 0 });
  const p = Array.from(model.predict([[0.5]]).data);
  const means = p.slice(2, 4).sort((a, b) => a - b);
  expect(Math.abs(means[0]! + 1.5)).toBeLessThan(0.3);
  expect(Math.abs(means[1]! - 1.5)).toBeLessThan(0.3);
});

test('layer and loss come back from a file, and the layer runs step by step', () => {
  const model = t.sequential([t.gru({ units: 4, returnSequences: true, inputShape: [null, 2] }), mixtureDensity(pen)]);
  model.compile({ optimizer: 'adam', loss: mixtureDensityLoss({ ...pen, minScale: 0.1 }) });
  const x = [
    [
      [1, 2],
      [3, 4],
    ],
  ];
  const y = [
    [
      [0, 1, 0],
      [1, 0, 1],
    ],
  ];
  model.trainOnBatch(x, y);
  const loaded = t.decodeModel(t.encodeModel(model)).model as t.Model;
  expect(loaded.evaluate(x, y)).toEqual(model.evaluate(x, y));
  const steps = model.stream({ maxSteps: 2 }).steps([1, 2, 3, 4], 2);
  expect(Array.from(steps)).toEqual(Array.from(model.predict(x).data));
});

test('masked steps and rows of weight 0 have no loss', () => {
  const mixture = { components: 2, endOfStroke: true };
  const loss = mixtureDensityLoss(mixture);
  const [y, p] = [
    t.tensor([
      [
        [1, 0],
        [Number.NaN, 2],
      ],
    ]),
    t.ops.ones([1, 2, 7]),
  ];
  const whole = loss.compute(t.tensor([[[1, 0]]]), t.ops.ones([1, 1, 7])).item();
  expect(loss.compute(y, p, t.tensor([[1, 0]])).item()).toBeCloseTo(whole / 2, 6);
});

test.each<[() => unknown, string]>([
  [() => mixtureDensity({ components: 0 }), 'mixtureDensity: components expected an integer ≥ 1, got 0'],
  [() => mixtureDensity({ components: 1, correlated: true }), 'mixtureDensity: dims expected 2 with correlated, got 1'],
  [() => mixtureDensity({ components: 1, sigma: 1 } as never), "unknown option 'sigma'"],
  [
    () => mixtureDensityLoss({ components: 1, minScale: -1 }),
    'mixtureDensityLoss: minScale expected a number ≥ 0, got -1',
  ],
  [
    () => mixtureDensityLoss({ components: 2 }).compute(t.ops.ones([1, 1]), t.ops.ones([1, 5])),
    'mixtureDensityLoss: predictions expected 6 features',
  ],
  [
    () => mixtureDensityLoss({ components: 1 }).compute(t.ops.ones([1, 2]), t.ops.ones([1, 3])),
    'mixtureDensityLoss: targets expected [1, 1], got [1, 2]',
  ],
  [
    () => sampleMixture([1, 2], { components: 1 }),
    'sampleMixture: parameters expected 3 features, as mixtureDensity gives, got [2]',
  ],
  [
    () => sampleMixture([1, 2, 3], { components: 1, temperature: 0 }),
    'sampleMixture: temperature expected a number > 0, got 0',
  ],
])('is refused: %#', (call, message) => {
  expect(call).toThrow(message);
});
