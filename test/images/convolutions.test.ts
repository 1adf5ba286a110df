// Convolutions of images and video: refusals, shapes, states, dropout, threads, files.
import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import {
  conv2d,
  conv2dTranspose,
  convLstm1d,
  convLstm2d,
  depthwiseConv2d,
  imageOps,
  separableConv1d,
  separableConv2d,
} from '../../src/images.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { flatten } from '../../src/layers/reshape.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { sequential } from '../../src/models/model.ts';
import { mul, sigmoid as sigmoidOf, sum } from '../../src/ops/index.ts';
import { adam } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { values } from '../kernels/reference/values.ts';

const of = (...shape: number[]): Tensor =>
  tensor(
    values(
      shape.reduce((size, n) => size * n, 1),
      shape.length,
    ),
    { shape },
  );

beforeEach(() => setSeed(2));

describe('convolutions of images', () => {
  test.each<[string, () => unknown, string]>([
    ['no filters', () => conv2d({ filters: 0, kernelSize: 1 }), 'conv2d: filters expected an integer ≥ 1, got 0'],
    [
      'three sizes',
      () => conv2d({ filters: 1, kernelSize: [1, 1, 1] as never }),
      'kernelSize expected a number or two',
    ],
    [
      'strides 0',
      () => conv2d({ filters: 1, kernelSize: 1, strides: [1, 0] }),
      'conv2d: strides[1] expected an integer',
    ],
    [
      'causal padding',
      () => conv2d({ filters: 1, kernelSize: 1, padding: 'causal' as 'same' }),
      "conv2d: padding expected 'valid', 'same', got 'causal'",
    ],
    [
      'channels first',
      () => conv2d({ filters: 1, kernelSize: 1, dataFormat: 'channelsFirst' as never }),
      "conv2d: dataFormat expected 'channelsLast', got 'channelsFirst'; transpose the images to [B, H, W, C]",
    ],
    [
      'groups of filters',
      () => conv2d({ filters: 3, kernelSize: 1, groups: 2 }),
      'conv2d: groups expected a divisor of 3 filters, got 2',
    ],
    [
      'groups of channels',
      () => conv2d({ filters: 2, kernelSize: 1, groups: 2 })(of(1, 2, 2, 3)),
      'conv2d(filters=2): groups expected a divisor of 3 channels and 2 filters, got 2',
    ],
    [
      'groups of a sequence',
      () => conv1d({ filters: 2, kernelSize: 1, groups: 2 })(of(1, 2, 3)),
      'conv1d(filters=2): groups expected a divisor of 3 channels and 2 filters, got 2',
    ],
    [
      'a sequence',
      () => conv2d({ filters: 1, kernelSize: 1 })(of(1, 2, 2)),
      'conv2d(filters=1): input expected [batch, height, width, channels], got [1, 2, 2]',
    ],
    [
      'an image smaller than a window',
      () => conv2d({ filters: 1, kernelSize: 3 })(of(1, 3, 2, 1)),
      'conv2d(filters=1): x expected at least 3 columns for one window, got 2',
    ],
    [
      'a kernel of other channels',
      () => imageOps.conv2d(of(1, 3, 3, 2), of(2, 2, 3, 4)),
      'conv2d: kernel expected [KH, KW, 2, O] with KH, KW ≥ 1 for x [1, 3, 3, 2], got [2, 2, 3, 4]',
    ],
    [
      'a bias of another length',
      () => imageOps.conv2d(of(1, 3, 3, 2), of(2, 2, 2, 4), of(3)),
      'bias expected [4], got [3]',
    ],
    [
      'outputPadding of strides',
      () => conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, outputPadding: 2 }),
      'conv2dTranspose: outputPadding expected integers from 0 to strides − 1, got [2, 2]',
    ],
    [
      'a transposed kernel of other channels',
      () => imageOps.conv2dTranspose(of(1, 3, 3, 2), of(2, 2, 2, 3)),
      'conv2dTranspose: kernel expected [KH, KW, O, 2] with KH, KW ≥ 1 for x [1, 3, 3, 2], got [2, 2, 2, 3]',
    ],
    [
      'depthMultiplier 0',
      () => depthwiseConv2d({ kernelSize: 1, depthMultiplier: 0 }),
      'depthMultiplier expected an integer',
    ],
    [
      'two lengths for a sequence',
      () => separableConv1d({ filters: 1, kernelSize: [1, 2] as never }),
      'separableConv1d: kernelSize',
    ],
    [
      'a depthwise kernel of other channels',
      () => imageOps.depthwiseConv2d(of(1, 3, 3, 2), of(2, 2, 3, 1)),
      'depthwiseConv2d: kernel expected [KH, KW, 2, M] with KH, KW ≥ 1 for x [1, 3, 3, 2], got [2, 2, 3, 1]',
    ],
    [
      'images for video',
      () => convLstm2d({ filters: 2, kernelSize: 2 })(of(1, 3, 3, 2)),
      'conv_lstm2d(filters=2): input expected [batch, time, height, width, channels], got [1, 3, 3, 2]',
    ],
    [
      'a rate of 1',
      () => convLstm1d({ filters: 1, kernelSize: 1, dropout: 1 }),
      'convLstm1d: dropout expected a number in',
    ],
    [
      'a state of another size',
      () =>
        convLstm2d({ filters: 2, kernelSize: 2 })(of(1, 2, 3, 3, 1), {
          initialState: [of(1, 3, 3, 2), of(1, 2, 2, 2)],
        }),
      'conv_lstm2d(filters=2): initialState[0] expected [1, 2, 2, 2], got [1, 3, 3, 2]',
    ],
    [
      'a mask of pixels',
      () =>
        convLstm2d({ filters: 2, kernelSize: 2 })(of(1, 2, 3, 3, 1), {
          mask: [
            [
              [1, 0, 1],
              [1, 1, 1],
            ],
          ],
        }),
      'conv_lstm2d(filters=2): mask expected [1, 2], got [1, 2, 3]',
    ],
  ])('refuse %s', (_, act, message) => {
    expect(act).toThrow(ArgumentError);
    expect(act).toThrow(message);
  });

  test.each<[string, Layer, (number | null)[], (number | null)[]]>([
    ['conv2d', conv2d({ filters: 4, kernelSize: [2, 3] }), [null, null, 7, 3], [null, null, 5, 4]],
    ['conv2dTranspose', conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2 }), [2, null, 7, 3], [2, null, 15, 4]],
    [
      'depthwiseConv2d',
      depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same' }),
      [null, 5, null, 3],
      [null, 3, null, 3],
    ],
    ['separableConv2d', separableConv2d({ filters: 4, kernelSize: 3 }), [null, 5, null, 3], [null, 3, null, 4]],
    ['separableConv1d', separableConv1d({ filters: 4, kernelSize: 3 }), [null, 5, 3], [null, 3, 4]],
    ['convLstm2d', convLstm2d({ filters: 4, kernelSize: 3 }) as Layer, [null, null, 5, null, 3], [null, 3, null, 4]],
    [
      'convLstm1d',
      convLstm1d({ filters: 4, kernelSize: 3, returnSequences: true }) as Layer,
      [null, null, 5, 3],
      [null, null, 3, 4],
    ],
  ])('%s tells its output shape where lengths vary', (_, layer, given, expected) => {
    expect(layer.outputShape(given)).toEqual(expected);
  });

  test('give nothing for no images', () => {
    for (const layer of [
      conv2d({ filters: 2, kernelSize: 3 }),
      conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2 }),
      depthwiseConv2d({ kernelSize: 2 }),
    ]) {
      expect(layer(of(0, 4, 4, 2)).size).toBe(0);
    }
    const video = convLstm2d({ filters: 2, kernelSize: 3, returnState: true });
    expect(video(of(2, 0, 4, 4, 1)).map(({ shape }) => shape)).toEqual([0, 1, 2].map(() => [2, 2, 2, 2]));
  });

  test('threads change no bit of them, forward or backward', async () => {
    const gradients = (f: (...operands: Tensor[]) => Tensor, operands: Tensor[]): Float32Array[] => {
      let y: Float32Array | undefined;
      const { grads } = valueAndGrad(() => {
        const made = f(...operands);
        y = made.toArray() as Float32Array;
        return sum(mul(made, made));
      }, operands);
      return [y!, ...grads.map((grad) => grad.toArray() as Float32Array)];
    };
    const run = (): Float32Array[] => {
      setSeed(4);
      const video = convLstm2d({ filters: 16, kernelSize: 3, padding: 'same' });
      return [
        ...gradients(
          (x, w) => imageOps.conv2d(x!, w!, undefined, { padding: 'same' }),
          [of(4, 20, 20, 24), of(3, 3, 24, 40)],
        ),
        ...gradients(
          (x, w) => imageOps.conv2d(x!, w!, undefined, { strides: 2 }),
          [of(4, 20, 20, 24), of(5, 5, 24, 40)],
        ),
        ...gradients(
          (x, w) => imageOps.conv2d(x!, w!, undefined, { groups: 2, strides: 2 }),
          [of(4, 20, 20, 24), of(5, 5, 12, 40)],
        ),
        ...gradients((x) => video(x!), [of(4, 3, 12, 12, 8)]),
      ];
    };
    await init();
    const alone = run();
    await init({ threads: 3 });
    expect(engine().threads).toBe(3);
    const together = run();
    engine().stopThreads();
    together.forEach((got, i) => expect(got, `array ${i}`).toEqual(alone[i]!));
    await init();
  });
});

describe('convLstm2d', () => {
  const options = { filters: 2, kernelSize: 3, padding: 'same' } as const;

  test('stateful, continues a video that is cut', () => {
    const whole = convLstm2d({ ...options, returnSequences: true });
    const parts = convLstm2d({ ...options, returnSequences: true, stateful: true });
    const video = of(2, 4, 3, 3, 1);
    const y = whole(video).toArray();
    parts.build([2, 2, 3, 3, 1]);
    parts.weights.forEach((weight, i) => weight.assign(whole.weights[i]!.toArray()));
    const frames = (from: number): Tensor =>
      tensor(
        video.toArray().filter((_, i) => Math.floor((i % 36) / 18) === from / 2),
        { shape: [2, 2, 3, 3, 1] },
      );
    const got = [0, 2].map((from) => parts(frames(from)).toArray());
    got.forEach((half, h) => {
      half.forEach((value, i) => expect(value).toBe(y[Math.floor(i / 36) * 72 + h * 36 + (i % 36)]));
    });
    expect(parts.states!.map(({ length }) => length)).toEqual([36, 36]);
    expect(() => parts(of(2, 2, 4, 3, 1))).toThrow('stateful, so states expected [3, 3, 2], got [4, 3, 2]');
  });

  test('has the numbers of its own ops, with dropout on input and state', () => {
    // An activation of one's own has no fused kernels.
    const sigmoid = { recurrentActivation: (x: Tensor) => mul(tensor(1), sigmoidOf(x)) };
    const rates = { dropout: 0.3, recurrentDropout: 0.4, returnSequences: true };
    const video = of(2, 3, 4, 4, 2);
    const [fused, composed] = [{}, sigmoid].map((own) => {
      setSeed(9);
      const layer = convLstm2d({ ...options, ...rates, ...own });
      layer.build(video.shape);
      layer.weights.forEach((weight, i) => weight.assign(values(weight.size, i + 1, 0.5)));
      let y: ArrayLike<number> = [];
      const { grads } = valueAndGrad(() => {
        const made = layer(video, { training: true });
        y = made.toArray();
        return sum(mul(made, made));
      }, [video, ...layer.weights]);
      return [y, ...grads.map((grad) => grad.toArray())];
    });
    fused!.forEach((numbers, i) => {
      Array.from(numbers).forEach((value, j) => expect(value, `array ${i}, ${j}`).toBeCloseTo(composed![i]![j]!, 4));
    });
  });

  test('trains in a model, and is the same after it was saved', async () => {
    const model = sequential([
      timeDistributed(conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }), { inputShape: [3, 6, 6, 1] }),
      convLstm2d({ ...options, returnSequences: true }) as Layer,
      timeDistributed(depthwiseConv2d({ kernelSize: 2, padding: 'same' })),
      convLstm2d({ ...options, activation: 'relu' }) as Layer,
      conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2 }),
      separableConv2d({ filters: 2, kernelSize: 2 }),
      flatten(),
      dense({ units: 2 }),
    ]);
    model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'mse' });
    const [x, y] = [of(4, 3, 6, 6, 1), of(4, 2)];
    const { history } = await model.fit(x, y, { epochs: 15, batchSize: 4 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!);
    const { model: loaded } = decodeModel(encodeModel(model));
    expect(loaded.predict(x).data).toEqual(model.predict(x).data);
    expect(loaded.summary()).toBe(model.summary());
  });
});
