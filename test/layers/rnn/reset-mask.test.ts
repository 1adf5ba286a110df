import { describe, expect, test } from 'vitest';
import { convLstm1d } from '../../../src/images.ts';
import * as t from '../../../src/index.ts';

const [B, T, I, H] = [3, 5, 2, 3];
const X = t.ndarray(
  Float32Array.from({ length: B * T * I }, (_, i) => Math.sin(3 * i)),
  [B, T, I],
);
/** Episodes begin at steps 0 and 3 of row 0, at step 2 of row 1, and in row 2 nowhere. */
const STARTS = [
  [1, 0, 0, 1, 0],
  [0, 0, 1, 0, 0],
  [0, 0, 0, 0, 0],
];
const row = (b: number, from = 0, to = T): number[][][] => [
  Array.from({ length: to - from }, (_, t0) =>
    Array.from({ length: I }, (_, i) => X.data[(b * T + from + t0) * I + i]!),
  ),
];
const all = (y: unknown): number[] => Array.from((y as t.NdArray).data);
const close = (got: ArrayLike<number>, wanted: ArrayLike<number>): void => {
  expect(got.length).toBe(wanted.length);
  Array.from(got).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
};

const kinds: [string, (options: t.SequenceOptions & { returnState?: false }) => t.Layer][] = [
  ['lstm', (options) => t.lstm({ units: H, ...options })],
  ['gru', (options) => t.gru({ units: H, ...options })],
  ['lstm of ops', (options) => t.lstm({ units: H, activation: 'gelu', ...options })],
  ['rnn of a cell', (options) => t.rnn(t.simpleRnnCell({ units: H }), options)],
];

describe.each(kinds)('resetMask of %s', (_, make) => {
  const stateful = (): t.Model =>
    t.sequential([make({ returnSequences: true, stateful: true, inputShape: [null, I] })]);

  test('[B, T] gives what each episode gives alone', () => {
    const model = stateful();
    model.predict(X);
    const states = (model.layers[0] as t.Recurrent).states!;
    const y = model.predict(X, { resetMask: STARTS });
    const carried = (model.layers[0] as t.Recurrent).states!;
    const alone = (b: number, from: number, to: number, starts: boolean): number[] => {
      model.resetStates();
      const layer = model.layers[0] as t.Recurrent;
      if (!starts)
        layer.setStates(
          states.map((state) => state.slice(b * H, (b + 1) * H)),
          1,
        );
      return all(model.predict(row(b, from, to)));
    };
    const expected = [
      ...[alone(0, 0, 3, true), alone(0, 3, T, true), alone(1, 0, 2, false), alone(1, 2, T, true)],
      alone(2, 0, T, false),
    ].flat();
    close(all(y), expected);
    const last = (model.layers[0] as t.Recurrent).states!;
    last.forEach((state, i) => close(carried[i]!.slice(2 * H), state));
  });

  test('[B] starts rows from zeros', () => {
    const model = stateful();
    const fresh = all(model.predict(X));
    const y = all(model.predict(X, { resetMask: [1, 0, 1] }));
    close(y.slice(0, T * H), fresh.slice(0, T * H));
    close(y.slice(2 * T * H), fresh.slice(2 * T * H));
    expect(y.slice(T * H, 2 * T * H)).not.toEqual(fresh.slice(T * H, 2 * T * H));
  });

  test('cuts a layer that goes backwards at the same places', () => {
    const layer = make({ returnSequences: true, goBackwards: true });
    const model = t.sequential([layer]);
    const y = all(model.predict(X, { resetMask: STARTS }));
    const alone = (b: number, from: number, to: number): number[] => all(model.predict(row(b, from, to)));
    close(y.slice(0, T * H), [...alone(0, 3, T), ...alone(0, 0, 3)]);
    close(y.slice(T * H, 2 * T * H), [...alone(1, 2, T), ...alone(1, 0, 2)]);
  });

  test('with padding, repeats outputs over it as without a cut', () => {
    const layer = make({ returnSequences: true });
    const last = make({});
    const model = t.sequential([layer]);
    const end = t.sequential([last]);
    end.predict(X);
    model.predict(X);
    end.setWeights(model.getWeights());
    const padded = [row(0)[0]!, row(1, 0, 2)[0]!, row(2, 0, 4)[0]!];
    const starts = [
      [0, 0, 0, 1, 0],
      [0, 0],
      [0, 0, 0, 0],
    ];
    const y = all(model.predict(padded, { resetMask: starts }));
    const plain = all(model.predict(padded));
    close(y.slice(T * H), plain.slice(T * H));
    close(y.slice(0, T * H), [...all(model.predict(row(0, 0, 3))), ...all(model.predict(row(0, 3)))]);
    close(all(end.predict(padded, { resetMask: starts })).slice(H), all(end.predict(padded)).slice(H));
  });

  test('lets no gradient pass from one episode to the one before', () => {
    const layer = make({});
    const x = t.tensor(row(0));
    const loss = (): t.Tensor => t.ops.sum(layer(x));
    layer(x);
    const grads = t.withResetMask([[0, 0, 0, 1, 0]], () => t.valueAndGrad(loss, [x]).grads[0]!.toArray());
    expect(Array.from(grads.slice(0, 3 * I))).toEqual(new Array(3 * I).fill(0));
    const piece = t.tensor(row(0, 3));
    close(grads.slice(3 * I), t.valueAndGrad(() => t.ops.sum(layer(piece)), [piece]).grads[0]!.toArray());
  });
});

test('dropout masks hold over the cuts of a batch', () => {
  const layer = t.simpleRnn({ units: 64, returnSequences: true, recurrentDropout: 0.5, dropout: 0.5, useBias: false });
  const x = t.ops.ones([1, 4, 8]);
  const y = t.withResetMask([[1, 0, 1, 0]], () => layer(x, { training: true })).toArray();
  expect(y.slice(2 * 64)).toEqual(y.slice(0, 2 * 64));
  expect(y.slice(0, 64)).not.toEqual(y.slice(64, 2 * 64));
});

describe('a reset mask with data', () => {
  const model = (): t.Model => {
    t.setSeed(1);
    const made = t.sequential([
      t.gru({ units: H, stateful: true, returnSequences: true, inputShape: [null, I] }),
      t.dense({ units: 1 }),
    ]);
    made.compile({ optimizer: 'sgd', loss: 'mse' });
    return made;
  };
  const Y = t.ndarray(new Float32Array(B * T).fill(1), [B, T, 1]);
  const weights = (made: t.Model): number[] => made.getWeights().flatMap((w) => Array.from(w.data));

  test('of all rows, trains as resetStates does', async () => {
    const [masked, reset] = [model(), model()];
    const batches = (extra: object) => () => [
      { x: X, y: Y },
      { x: X, y: Y, ...extra },
    ];
    await masked.fit(batches({ resetMask: [1, 1, 1] }));
    await reset.fit(batches({ resetStates: true }));
    expect(weights(masked)).toEqual(weights(reset));
    const carried = model();
    await carried.fit(batches({}));
    expect(weights(carried)).not.toEqual(weights(reset));
  });

  test('goes with samples through fit, evaluate, trainOnBatch and predict of batches', async () => {
    const made = model();
    const first = made.evaluate(X, Y, { resetMask: STARTS }).loss;
    made.resetStates();
    const steps = made.trainOnBatch(X, Y, { resetMask: STARTS }).loss;
    expect(steps).toBe(first);
    await made.fit(X, Y, { resetMask: STARTS, batchSize: 3, shuffle: false });
    made.resetStates();
    const at = all(made.predict(X, { resetMask: STARTS }));
    made.resetStates();
    expect(all(await made.predict(() => [{ x: X, resetMask: STARTS }]))).toEqual(at);
    made.resetStates();
    expect(all(t.withResetMask(STARTS, () => made.predict(X)))).toEqual(at);
  });

  test.each<[(made: t.Model) => unknown, string]>([
    [(made) => made.predict(X, { resetMask: [1] }), 'x and resetMask expected as many samples, got [3, 5, 2] and [1]'],
    [(made) => made.predict(X, { resetMask: [[1], [0], [0]] }), 'resetMask expected [3, 5], got [3, 1]'],
    [
      (made) => made.predict(X, { resetMask: [[[1]], [[1]], [[1]]] }),
      'resetMask expected [N] or [N, T], got [3, 1, 1]',
    ],
    [
      (made) => made.predict(X, { resetMask: [1, 1, 1], weights: 'int8' }),
      "predict: resetMask expected weights 'float32', got 'int8'",
    ],
    [() => t.withResetMask(1 as never, () => 1), 'withResetMask: mask expected'],
    [() => t.withResetMask([1], async () => 1), 'withResetMask: body expected to be done, got a promise'],
    [() => t.withResetMask([1], 1 as never), 'withResetMask: body expected a function, got 1'],
  ])('is refused if it does not fit: %#', (call, message) => {
    expect(() => call(model())).toThrow(message);
  });
});

test('a convolutional LSTM starts anew, too', () => {
  const layer = convLstm1d({ filters: 2, kernelSize: 3, padding: 'same', returnSequences: true, dropout: 0.1 });
  const x = t.tensor(
    Float32Array.from({ length: 2 * 4 * 5 }, (_, i) => Math.sin(i)),
    { shape: [2, 4, 5, 1] },
  );
  layer(x);
  const y = t
    .withResetMask(
      [
        [0, 0, 1, 0],
        [0, 0, 0, 0],
      ],
      () => layer(x),
    )
    .toArray();
  const size = 5 * 2;
  const alone = layer(t.ops.slice(x, { axis: 1, from: 2 })).toArray();
  const whole = layer(x).toArray();
  close(y.slice(2 * size, 4 * size), alone.slice(0, 2 * size));
  close(y.slice(4 * size), whole.slice(4 * size));
});
