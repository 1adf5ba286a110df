// Accuracy of exp, log, sigmoid and tanh. math.exhaustive.ts covers all 2³² arguments; here a dense sample of them and
// every special region.
import { describe, expect, test } from 'vitest';
import { Unary } from '../../src/engine/abi.ts';
import { expectClose, expectSameBits, ulps } from './compare.ts';
import { transcendental } from './reference/math.ts';
import { builds, Sandbox } from './sandbox.ts';

const LIMIT = 4;
const NAN_PAYLOADS = [0x7fc00000, 0x7f800001, 0x7fbfffff, 0x7fffffff, 0xffc00000, 0xff800001, 0xffffffff];

const fromBits = (patterns: ArrayLike<number>): Float32Array => new Float32Array(Uint32Array.from(patterns).buffer);
const range = (from: number, count: number, step = 1) => Array.from({ length: count }, (_, i) => from + i * step);

/** Both signs of `count` neighbouring floats around each landmark. */
function around(landmarks: number[], count: number): Float32Array {
  const starts = new Uint32Array(Float32Array.from(landmarks).buffer);
  return fromBits(
    [...starts]
      .flatMap((bits) => range(Math.max(0, (bits & 0x7fffffff) - count), 2 * count))
      .flatMap((b) => [b, b + 2 ** 31]),
  );
}

const ln2 = Math.LN2;
const regions = {
  'zero and the least subnormals': fromBits(range(0, 2000).concat(range(2 ** 31, 2000))),
  'the border to normal numbers': around([2 ** -126], 2000),
  'where the result overflows, underflows or saturates': around(
    [88.722839, 87.33655, 103.27893, 103.97208, 9.02, 9.011, 18, 17.32868, 89, 104],
    1500,
  ),
  'where the exponent changes': around(
    [ln2 / 4, ln2 / 2, ln2, 1.5 * ln2, 2.5 * ln2, 10.5 * ln2, 126.5 * ln2, Math.SQRT1_2, Math.SQRT2, 1],
    1000,
  ),
  'the greatest numbers': fromBits(range(0x7f7fffff - 1000, 1001).concat(range(0xff7fffff - 1000, 1001))),
};

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);

  function run(code: number, x: Float32Array): Float32Array {
    sandbox.clear();
    const y = sandbox.f32(x.length);
    sandbox.kernels.unary(x.length, code, sandbox.f32(x), y);
    return sandbox.read(y, x.length);
  }

  describe.each(Object.entries(transcendental))('%s', (name, { code, reference }) => {
    test(`every 4099th float32 is within ${LIMIT} ulp`, () => {
      const x = fromBits(range(0, Math.floor(2 ** 32 / 4099), 4099));
      const y = run(code, x);
      let worst = 0;
      for (let i = 0; i < x.length; i++) {
        const distance = ulps(y[i]!, reference(x[i]!));
        if (distance > worst) worst = distance;
        if (distance > LIMIT)
          throw new Error(`${name}(${x[i]}) got ${y[i]}, expected ${reference(x[i]!)}, ${distance} ulp`);
      }
      expect(worst).toBeLessThanOrEqual(LIMIT);
    });

    test.each(Object.entries(regions))(`%s are within ${LIMIT} ulp`, (region, x) => {
      expectClose(run(code, x), Array.from(x, reference), { ulp: LIMIT }, `${name}, ${region}`);
    });

    test('NaN of any sign and payload gives NaN, wherever it stands', () => {
      const x = fromBits(NAN_PAYLOADS);
      expectSameBits(run(code, x), new Float32Array(x.length).fill(Number.NaN), name);
    });
  });

  test('infinities and zeros give the exact limits', () => {
    const x = Float32Array.of(Infinity, -Infinity, 0, -0);
    expectSameBits(run(Unary.Exp, x), [Infinity, 0, 1, 1], 'exp');
    expectSameBits(run(Unary.Log, x), [Infinity, Number.NaN, -Infinity, -Infinity], 'log');
    expectSameBits(run(Unary.Sigmoid, x), [1, 0, 0.5, 0.5], 'sigmoid');
    expectSameBits(run(Unary.Tanh, x), [1, -1, 0, -0], 'tanh');
  });

  test('tanh of a subnormal is itself', () => {
    const x = fromBits(range(1, 1000, 8000).concat(range(2 ** 31 + 1, 1000, 8000)));
    expectSameBits(run(Unary.Tanh, x), x, 'tanh');
  });

  test('sigmoid stays in [0, 1] and tanh in [−1, 1]', () => {
    const x = fromBits(range(0x3d000000, 60000, 1500).flatMap((bits) => [bits, bits + 2 ** 31]));
    for (const y of run(Unary.Sigmoid, x)) if (!(y >= 0 && y <= 1)) throw new Error(`sigmoid gave ${y}`);
    for (const y of run(Unary.Tanh, x)) if (!(y >= -1 && y <= 1)) throw new Error(`tanh gave ${y}`);
  });
});
