// Both directions of a convolutional LSTM, against two plain layers, of which one reads the reversed video.
import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { setSeed } from '../../src/engine/random.ts';
import { convLstm1d, convLstm2d } from '../../src/images.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { flatten } from '../../src/layers/reshape.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import type { Recurrent, SequenceOptions } from '../../src/layers/rnn/recurrent.ts';
import { sequential } from '../../src/models/model.ts';
import { select } from '../../src/ops/elementwise/select.ts';
import { add, concatenate, mul, reverse, scale, sum } from '../../src/ops/index.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { expectGradient } from '../golden/expect-close.ts';
import { values } from '../kernels/reference/values.ts';

const [BATCH, TIME, FILTERS] = [2, 4, 3];
const of = (shape: readonly number[], seed = 1): Tensor =>
  tensor(
    values(
      shape.reduce((size, n) => size * n, 1),
      seed,
    ),
    { shape: [...shape] },
  );

const kinds = {
  convLstm1d: {
    make: (options: SequenceOptions) => convLstm1d({ filters: FILTERS, kernelSize: 2, ...options }) as Recurrent,
    video: [BATCH, TIME, 5, 2],
    state: [BATCH, 4, FILTERS],
  },
  convLstm2d: {
    make: (options: SequenceOptions) =>
      convLstm2d({ filters: FILTERS, kernelSize: [2, 3], padding: 'same', ...options }) as Recurrent,
    video: [BATCH, TIME, 3, 4, 2],
    state: [BATCH, 3, 4, FILTERS],
  },
};
type Kind = keyof typeof kinds;

const merges = {
  concat: (a: Tensor, b: Tensor) => [concatenate([a, b])],
  sum: (a: Tensor, b: Tensor) => [add(a, b)],
  mul: (a: Tensor, b: Tensor) => [mul(a, b)],
  ave: (a: Tensor, b: Tensor) => [scale(add(a, b), 0.5)],
  none: (a: Tensor, b: Tensor) => [a, b],
};
type Mode = keyof typeof merges;
const modes = Object.keys(merges) as Mode[];

// Every frame counts in one video; in the other not the first, and not the last.
const MASK = [
  [1, 1, 1, 1],
  [0, 1, 1, 0],
];

beforeEach(() => setSeed(2));

interface Setting {
  mode: Mode;
  options: SequenceOptions;
  masked?: boolean;
  states?: boolean;
}

/** Outputs of `run` and gradients of their weighted sum. */
function measured(run: () => Tensor[], wrt: readonly (Tensor | Layer['weights'][number])[]): number[][] {
  let outputs: number[][] = [];
  const { grads } = valueAndGrad(() => {
    const made = run();
    outputs = made.map((y) => Array.from(y.toArray()));
    return made.map((y, i) => sum(mul(y, of(y.shape, 20 + i)))).reduce((total, part) => add(total, part));
  }, wrt);
  return [...outputs, ...grads.map((grad) => Array.from(grad.toArray()))];
}

function expectComposition(kind: Kind, { mode, options, masked = false, states = false }: Setting): void {
  const { make, video, state } = kinds[kind];
  const x = of(video);
  const initialState = states ? [0, 1, 2, 3].map((i) => of(state, 5 + i)) : undefined;
  const both = bidirectional(make(options), { mergeMode: mode }) as Layer<Tensor | Tensor[]>;
  both.build(video);
  both.weights.forEach((weight, i) => weight.assign(values(weight.size, 10 + i, 0.5)));
  const mask = masked ? tensor(MASK) : undefined;
  const given = initialState ?? [];
  const got = measured(
    () => [both(x, { ...(mask && { mask }), ...(initialState && { initialState }) })].flat(),
    [x, ...given, ...both.weights],
  );

  const plain = [make(options), make(options)];
  plain.forEach((layer, i) => {
    layer.build(video);
    layer.weights.forEach((weight, k) => weight.assign(both.weights[3 * i + k]!.toArray()));
  });
  const expected = measured(() => {
    const [[y, ...forward], [z, ...backward]] = plain.map((layer, i) => {
      const call = {
        ...(mask && { mask: i === 0 ? mask : reverse(mask, 1) }),
        ...(initialState && { initialState: initialState.slice(2 * i, 2 * i + 2) }),
      };
      const [seen, ...last] = [layer(i === 0 ? x : reverse(x, 1), call)].flat() as Tensor[];
      if (!options.returnSequences) return [seen!, ...last];
      const inTime = i === 0 ? seen! : reverse(seen!, 1);
      return [mask ? select(mask, inTime, 0) : inTime, ...last];
    }) as [Tensor[], Tensor[]];
    return [...merges[mode](y!, z!), ...forward, ...backward];
  }, [x, ...given, ...plain.flatMap((layer) => layer.weights)]);
  expect(got.length).toBe(expected.length);
  got.forEach((numbers, i) => expectGradient(`array ${i}`, numbers, { shape: [numbers.length], values: expected[i]! }));
}

describe.each(Object.keys(kinds) as Kind[])('bidirectional(%s)', (kind) => {
  test.each(modes)('merged by %s, has outputs and gradients of two plain layers', (mode) => {
    for (const returnSequences of [false, true]) {
      for (const masked of [false, true]) expectComposition(kind, { mode, options: { returnSequences }, masked });
    }
  });

  test('starts from the states of both directions and returns both', () => {
    for (const masked of [false, true]) {
      const options = { returnSequences: masked, returnState: true };
      expectComposition(kind, { mode: 'concat', options, masked, states: true });
    }
  });

  test('knows its shapes before it computes', () => {
    const { make, video, state } = kinds[kind];
    const layer = bidirectional(make({ returnSequences: true, returnState: true }));
    const sizes = state.slice(1, -1);
    expect(layer.outputShapes([null, null, ...video.slice(2)])).toEqual([
      [null, null, ...sizes, 2 * FILTERS],
      ...[0, 1, 2, 3].map(() => [null, ...sizes, FILTERS]),
    ]);
  });

  test('refuses another number of axes, and states that are not images, before it computes', () => {
    const { make, video, state } = kinds[kind];
    const layer = bidirectional(make({ stateful: true }));
    expect(() => layer(of(video.slice(1)))).toThrow(
      /^forward_conv_lstm\dd\(filters=3\): input expected \[batch, time, /,
    );
    const good = of(state);
    expect(() => layer(of(video), { initialState: [good, good, good, of([BATCH, 3])] })).toThrow(
      `bidirectional: initialState[3] expected [${state.join(', ')}], got [${BATCH}, 3]`,
    );
    expect(layer.sublayers.map((each) => each.carried?.batch)).toEqual([undefined, undefined]);
  });

  test('stateful, carries the states of both directions', () => {
    const { make, video } = kinds[kind];
    const layer = bidirectional(make({ stateful: true })) as Layer;
    const [first, second] = [layer(of(video)).toArray(), layer(of(video)).toArray()];
    expect(second).not.toEqual(first);
    layer.resetStates();
    expect(layer(of(video)).toArray()).toEqual(first);
  });

  test('trains in a model, and is the same after it was saved', async () => {
    const { make, video } = kinds[kind];
    const model = sequential([
      bidirectional(make({ returnSequences: true }), { mergeMode: 'ave', inputShape: video.slice(1) }) as Layer,
      bidirectional(make({}), { backwardLayer: make({ goBackwards: true, name: 'other' }) }) as Layer,
      flatten(),
      dense({ units: 1 }),
    ]);
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const [x, y] = [of(video), of([BATCH, 1])];
    const { history } = await model.fit(x, y, { epochs: 5 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!);
    const { model: loaded } = decodeModel(encodeModel(model));
    expect(loaded.predict(x).data).toEqual(model.predict(x).data);
    expect(loaded.summary()).toBe(model.summary());
  });
});
