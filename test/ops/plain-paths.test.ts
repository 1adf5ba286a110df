// Ops with a fast path, against the same from small ops: the bits are the same with any number of threads.
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { engine, init } from '../../src/engine/engine.ts';
import * as ops from '../../src/ops/index.ts';
import { expectGradient } from '../golden/expect-close.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { values } from '../kernels/reference/values.ts';

const of = (seed: number, ...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(values(size, seed), { shape });
};

/** Every window of a sequence, side by side in one row. */
function windows(x: Tensor, taps: number, strides: number, dilation: number): Tensor {
  const time = x.shape[1]!;
  const steps = Math.floor((time - (taps - 1) * dilation - 1) / strides) + 1;
  const rows = Array.from({ length: steps }, (_, t) =>
    ops.concatenate(Array.from({ length: taps }, (_, k) => ops.timeStep(x, t * strides + k * dilation))),
  );
  return ops.stack(rows, 1);
}

interface Outcome {
  y: Float32Array;
  grads: { shape: readonly number[]; values: Float32Array }[];
}

function outcome(f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]): Outcome {
  let y: Float32Array = new Float32Array();
  const { grads } = valueAndGrad(() => {
    const result = f(...inputs);
    y = result.toArray() as Float32Array;
    return ops.sum(ops.mul(result, of(99, ...result.shape)));
  }, inputs);
  return { y, grads: grads.map((grad) => ({ shape: grad.shape, values: grad.toArray() as Float32Array })) };
}

function expectAlike(fast: Outcome, plain: Outcome): void {
  expectSameBits(fast.y, plain.y, 'output');
  fast.grads.forEach(({ shape, values: got }, i) =>
    expectGradient(`gradient ${i}`, got, { shape: [...shape], values: plain.grads[i]!.values }),
  );
}

describe('with one thread', () => {
  beforeAll(async () => {
    await init();
  });

  test.each([
    [1, 1],
    [2, 1],
    [1, 2],
    [2, 3],
  ])('conv1d, strides %i, dilation %i, has the bits of a product with its windows', (strides, dilationRate) => {
    const inputs = [of(1, 3, 11, 5), of(2, 3, 5, 7), of(3, 7)];
    expectAlike(
      outcome((x, w, b) => ops.conv1d(x!, w!, b, { strides, dilationRate }), inputs),
      outcome((x, w, b) => ops.linear(windows(x!, 3, strides, dilationRate), ops.reshape(w!, [15, 7]), b), inputs),
    );
  });

  test('batchMatmul has the bits of a product for each matrix', () => {
    const inputs = [of(1, 3, 4, 6), of(2, 3, 6, 9)];
    expectAlike(
      outcome((a, b) => ops.batchMatmul(a!, b!), inputs),
      outcome(
        (a, b) =>
          ops.stack(
            [0, 1, 2].map((i) => {
              const matrix = (x: Tensor): Tensor => ops.squeeze(ops.slice(x, { axis: 0, from: i, to: i + 1 }), 0);
              return ops.matmul(matrix(a!), matrix(b!));
            }),
          ),
        inputs,
      ),
    );
  });

  test('layerNorm is what small ops make of it', () => {
    const inputs = [of(1, 5, 4, 6), of(2, 6), of(3, 6)];
    const fast = outcome((x, g, b) => ops.layerNorm(x!, g, b), inputs);
    const plain = outcome((x, g, b) => {
      const centred = ops.sub(x!, ops.broadcastTo(ops.mean(x!, { axis: -1, keepDims: true }), x!.shape));
      const variance = ops.mean(ops.square(centred), { axis: -1, keepDims: true });
      const deviation = ops.sqrt(ops.addScalar(variance, 1e-3));
      return ops.add(ops.mul(ops.div(centred, ops.broadcastTo(deviation, x!.shape)), g!), b!);
    }, inputs);
    for (const [i, value] of fast.y.entries()) expect(value).toBeCloseTo(plain.y[i]!, 5);
    fast.grads.forEach(({ shape, values: got }, i) =>
      expectGradient(`gradient ${i}`, got, { shape: [...shape], values: plain.grads[i]!.values }),
    );
  });

  test.each([
    ['leakyRelu', (x: Tensor) => ops.leakyRelu(x), (x: Tensor) => ops.leakyRelu(x, 0.2 + 1e-12)],
    ['elu', (x: Tensor) => ops.elu(x), (x: Tensor) => ops.elu(x, 1 + 1e-12)],
    ['celu', (x: Tensor) => ops.celu(x), (x: Tensor) => ops.celu(x, 1 + 1e-12)],
  ])('%s with its default has the numbers of the composed one', (_, fast, plain) => {
    const x = ops.scale(of(1, 60), 5);
    expectAlike(outcome(fast, [x]), outcome(plain, [x]));
  });
});

test('threads change no bit of conv1d, batchMatmul and layerNorm, forward or backward', async () => {
  const run = (): Float32Array[] => {
    const conv = outcome(
      (x, w, b) => ops.conv1d(x!, w!, b, { padding: 'same' }),
      [of(1, 6, 40, 64), of(2, 3, 64, 96), of(3, 96)],
    );
    const product = outcome(
      (a, b) => ops.batchMatmul(a!, b!, { transposeB: true }),
      [of(1, 8, 64, 96), of(2, 8, 64, 96)],
    );
    const norm = outcome((x, g, b) => ops.layerNorm(x!, g, b), [of(1, 40, 50, 96), of(2, 96), of(3, 96)]);
    return [conv, product, norm].flatMap(({ y, grads }) => [y, ...grads.map((grad) => grad.values)]);
  };
  await init();
  const alone = run();
  await init({ threads: 3 });
  expect(engine().threads).toBe(3);
  const together = run();
  engine().stopThreads();
  together.forEach((got, i) => expectSameBits(got, alone[i]!, `array ${i}`));
});
