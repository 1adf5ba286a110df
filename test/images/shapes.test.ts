// Layers of images beside others: shapes, refusals, files, whole models of images and of video.
import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { setSeed } from '../../src/engine/random.ts';
import {
  averagePooling2d,
  batchNormalization,
  conv2d,
  cropping1d,
  cropping2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  rescaling,
  spatialDropout2d,
  upSampling1d,
  upSampling2d,
  zeroPadding1d,
  zeroPadding2d,
} from '../../src/images.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { flatten, reshape } from '../../src/layers/reshape.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { sequential } from '../../src/models/model.ts';
import { sum } from '../../src/ops/index.ts';
import { adam } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { values } from '../kernels/reference/values.ts';

const of = (...shape: number[]): Tensor =>
  tensor(
    values(
      shape.reduce((size, n) => size * n, 1),
      3,
    ),
    { shape },
  );

beforeEach(() => setSeed(2));

describe('layers of images', () => {
  test.each<[string, () => unknown, string]>([
    ['poolSize 0', () => maxPooling2d({ poolSize: 0 }), 'max_pooling2d: poolSize expected an integer ≥ 1, got 0'],
    ['three strides', () => averagePooling2d({ strides: [1, 1, 1] as never }), 'average_pooling2d: strides expected'],
    ['a huge window', () => maxPooling2d({ poolSize: 2 ** 31 }), 'poolSize expected less than 2^30, got 2147483648'],
    [
      'causal padding',
      () => maxPooling2d({ padding: 'causal' as 'same' }),
      "max_pooling2d: padding expected 'valid', 'same', got 'causal'",
    ],
    ['channels first', () => maxPooling2d({ dataFormat: 'channelsFirst' as never }), "expected 'channelsLast', got"],
    [
      'an image smaller than a window',
      () => maxPooling2d({ poolSize: [3, 2] })(of(1, 2, 2, 1)),
      'max_pooling2d: x expected at least 3 rows for one window, got 2',
    ],
    [
      'pooling of a sequence',
      () => maxPooling2d()(of(1, 2, 2)),
      'max_pooling2d: input expected [batch, height, width, channels], got [1, 2, 2]',
    ],
    ['a global pooling of a sequence', () => globalMaxPooling2d()(of(1, 2, 2)), 'input expected [batch, height, width'],
    [
      'padding −1',
      () => zeroPadding1d({ padding: -1 }),
      'zero_padding1d: padding expected an integer ≥ 0, or [before, after], got -1',
    ],
    [
      'three ends',
      () => zeroPadding2d({ padding: [[1, 2, 3] as never, 0] }),
      'zero_padding2d: padding expected an integer ≥ 0, or two, each an integer or [before, after], got',
    ],
    [
      'cropping of everything',
      () => cropping2d({ cropping: 1 })(of(1, 2, 3, 1)),
      'cropping2d: input expected more than 2 along axis 1, got [1, 2, 3, 1]',
    ],
    ['cropping1d of an image', () => cropping1d()(of(1, 4, 4, 1)), 'input expected [batch, time, features]'],
    ['size 0', () => upSampling1d({ size: 0 }), 'up_sampling1d: size expected an integer ≥ 1, got 0'],
    [
      'an interpolation of another name',
      () => upSampling2d({ interpolation: 'bicubic' as 'nearest' }),
      "up_sampling2d: interpolation expected 'nearest' or 'bilinear', got 'bicubic'",
    ],
    ['no scale', () => rescaling({} as never), 'rescaling: scale expected a number, got undefined'],
    ['a rate of 1', () => spatialDropout2d({ rate: 1 }), 'rate expected a number in [0, 1), got 1'],
    [
      'spatialDropout2d of a sequence',
      () => spatialDropout2d({ rate: 0.5 })(of(1, 2, 2)),
      'spatial_dropout2d: input expected [batch, height, width, channels], got [1, 2, 2]',
    ],
    [
      'a stream',
      () => sequential([batchNormalization({ inputShape: [null, 2] })]).stream(),
      'BatchNormalization layers cannot run step by step',
    ],
  ])('refuse %s', (_, act, message) => {
    expect(act).toThrow(ArgumentError);
    expect(act).toThrow(message);
  });

  test.each<[string, Layer, (number | null)[], (number | null)[]]>([
    ['maxPooling2d', maxPooling2d({ poolSize: 2 }), [null, null, 7, 3], [null, null, 3, 3]],
    ['averagePooling2d', averagePooling2d({ padding: 'same', strides: 3 }), [null, 7, null, 3], [null, 3, null, 3]],
    ['globalMaxPooling2d', globalMaxPooling2d({ keepdims: true }), [2, null, null, 3], [2, 1, 1, 3]],
    ['globalAveragePooling2d', globalAveragePooling2d(), [null, 4, 4, 3], [null, 3]],
    ['zeroPadding2d', zeroPadding2d({ padding: [[1, 2], 3] }), [null, 4, null, 3], [null, 7, null, 3]],
    ['cropping2d', cropping2d({ cropping: [[1, 2], 3] }), [null, 4, null, 3], [null, 1, null, 3]],
    ['upSampling2d', upSampling2d({ size: [2, 3] }), [null, null, 4, 3], [null, null, 12, 3]],
  ])('%s tells its output shape where lengths vary', (_, layer, given, expected) => {
    expect(layer.outputShape(given)).toEqual(expected);
  });

  test('give nothing for no images, and zeros for images without pixels', () => {
    for (const layer of [maxPooling2d(), averagePooling2d(), upSampling2d(), zeroPadding2d(), batchNormalization()]) {
      expect(layer(of(0, 4, 4, 2)).size).toBe(0);
      expect(layer(of(0, 4, 4, 2), { training: true }).size).toBe(0);
    }
    for (const layer of [globalMaxPooling2d(), globalAveragePooling2d()]) {
      expect([...layer(of(2, 0, 3, 2)).toArray()]).toEqual([0, 0, 0, 0]);
    }
  });

  test('spatialDropout2d drops whole channels and scales the others', () => {
    const image = tensor(new Float32Array(4 * 9 * 16).fill(1), { shape: [4, 3, 3, 16] });
    const y = spatialDropout2d({ rate: 0.5 })(image, { training: true }).toArray();
    const first = Array.from({ length: 4 }, (_, b) => y.slice(b * 144, b * 144 + 16));
    y.forEach((value, i) => {
      expect(value).toBe(first[Math.floor(i / 144)]![i % 16]);
    });
    expect(new Set(y)).toEqual(new Set([0, 2]));
  });

  test('the gradient of equal maxima goes to the first of a window', () => {
    const x = tensor([[[[1], [1]], [[1], [0]]]]); // biome-ignore format: one image
    for (const layer of [maxPooling2d(), globalMaxPooling2d()]) {
      const { grads } = valueAndGrad(() => sum(layer(x)), [x]);
      expect([...grads[0]!.toArray()]).toEqual([1, 0, 0, 0]);
    }
  });
});

describe('a model of images', () => {
  const imageModel = () =>
    sequential([
      rescaling({ scale: 2, offset: -1, inputShape: [8, 8, 1] }),
      zeroPadding2d({ padding: [[1, 0], 1] }),
      conv2d({ filters: 4, kernelSize: 3, useBias: false }),
      batchNormalization({ momentum: 0.9 }),
      maxPooling2d(),
      spatialDropout2d({ rate: 0.2 }),
      upSampling2d({ interpolation: 'bilinear' }),
      cropping2d({ cropping: 1 }),
      averagePooling2d({ padding: 'same' }),
      reshape({ targetShape: [-1, 4] }),
      zeroPadding1d(),
      cropping1d({ cropping: [1, 0] }),
      upSampling1d(),
      dense({ units: 3 }),
      flatten(),
      dense({ units: 2 }),
    ]);

  test('trains, and is the same after it was saved', async () => {
    const model = imageModel();
    model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'mse' });
    const [x, y] = [of(6, 8, 8, 1), of(6, 2)];
    const { history } = await model.fit(x, y, { epochs: 30, batchSize: 6 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!);
    const { model: loaded } = decodeModel(encodeModel(model));
    expect(loaded.predict(x).data).toEqual(model.predict(x).data);
    expect(loaded.summary()).toBe(model.summary());
  });

  test('runs over the frames of a video, in memory of either order', async () => {
    const frames = sequential([
      conv2d({ filters: 3, kernelSize: 3, inputShape: [6, 6, 1] }),
      batchNormalization(),
      maxPooling2d(),
      globalAveragePooling2d(),
    ]);
    const model = sequential([timeDistributed(frames), lstm({ units: 4, inputShape: [null, 3] }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const video = of(3, 4, 6, 6, 1);
    await model.fit(video, of(3, 1), { epochs: 2, batchSize: 3 });
    const apart = Array.from({ length: 4 }, (_, t) => {
      const frame = video.toArray().filter((_, i) => Math.floor(i / 36) % 4 === t);
      return frames.predict(tensor(frame, { shape: [3, 6, 6, 1] })).data;
    });
    const together = timeDistributed(frames)(video).toArray();
    together.forEach((value, i) => {
      const [b, t, c] = [Math.floor(i / 12), Math.floor(i / 3) % 4, i % 3];
      expect(value).toBeCloseTo(apart[t]![b * 3 + c]!, 6);
    });
  });
});
