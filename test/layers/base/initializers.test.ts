import { describe, expect, test } from 'vitest';
import type { Shape } from '../../../src/checks/shape.ts';
import { engine } from '../../../src/engine/engine.ts';
import { RandomStream, setSeed } from '../../../src/engine/random.ts';
import { type InitializerSpec, initializer } from '../../../src/layers/base/initializers.ts';
import { lstm } from '../../../src/layers/rnn/lstm.ts';
import { sequential } from '../../../src/models/model.ts';

const make = (spec: InitializerSpec, shape: Shape, seed = 1): Float32Array =>
  initializer(spec)(shape, new RandomStream(seed));

function statistics(x: Float32Array): { mean: number; deviation: number; low: number; high: number } {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const deviation = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length);
  return { mean, deviation, low: x.reduce((a, b) => Math.min(a, b)), high: x.reduce((a, b) => Math.max(a, b)) };
}

// 60,000 values: the standard error of the mean is 0.004 deviations, that of the deviation 0.003 of itself.
const SHAPE = [200, 300];

describe('distributions', () => {
  test.each<[InitializerSpec, number]>([
    ['randomUniform', 0.05],
    ['glorotUniform', Math.sqrt(6 / 500)],
    ['heUniform', Math.sqrt(6 / 200)],
    ['lecunUniform', Math.sqrt(3 / 200)],
    [{ name: 'randomUniform', minval: -2, maxval: 2 }, 2],
  ])('%j, is uniform within its bound and reaches it', (spec, bound) => {
    const { mean, deviation, low, high } = statistics(make(spec, SHAPE));
    expect(low).toBeGreaterThanOrEqual(-Math.fround(bound));
    expect(high).toBeLessThanOrEqual(Math.fround(bound));
    expect(Math.min(-low, high)).toBeGreaterThan(0.999 * bound);
    expect(Math.abs(mean)).toBeLessThan(0.02 * bound);
    expect(deviation / (bound / Math.sqrt(3))).toBeCloseTo(1, 1.5);
  });

  test.each<[InitializerSpec, number, number]>([
    ['randomNormal', 0.05, Number.POSITIVE_INFINITY],
    [{ name: 'randomNormal', stddev: 2 }, 2, Number.POSITIVE_INFINITY],
    // Cut off at two deviations of the normal before the cut, and as wide after it as asked.
    ['glorotNormal', Math.sqrt(2 / 500), 2 / 0.8796256610342398],
    ['heNormal', Math.sqrt(2 / 200), 2 / 0.8796256610342398],
    ['lecunNormal', Math.sqrt(1 / 200), 2 / 0.8796256610342398],
  ])('%j, is normal with its deviation and cut', (spec, expected, cut) => {
    const x = make(spec, SHAPE);
    const { mean, deviation, low, high } = statistics(x);
    expect(Math.abs(mean)).toBeLessThan(0.02 * expected);
    expect(deviation / expected).toBeCloseTo(1, 1.5);
    expect(Math.max(-low, high)).toBeLessThanOrEqual(cut * expected * (1 + 1e-6));
    const within = x.filter((v) => Math.abs(v) < expected).length / x.length;
    // Of a normal 68.3 % lie within one deviation, of one cut at 2 slightly fewer within one of what is left.
    expect(within).toBeGreaterThan(cut === Number.POSITIVE_INFINITY ? 0.675 : 0.62);
    expect(within).toBeLessThan(0.69);
  });

  test('uniform values, are those of the plain loop and leave the stream where it does', () => {
    const [random, plain] = [new RandomStream(7), new RandomStream(7)];
    // An odd number of words has been drawn.
    for (const stream of [random, plain]) stream.nextUint32();
    for (const count of [0, 1, 4096, 12300]) {
      const values = initializer({ name: 'randomUniform', minval: -2, maxval: 1 })([count], random);
      expect(values).toEqual(new Float32Array(count).map(() => -2 + 3 * plain.nextUniform()));
      expect(random.state).toEqual(plain.state);
    }
  });

  test('glorotUniform of a seed, starts with the values it has always had', () => {
    const values = make('glorotUniform', [100, 123], 7);
    expect([values[0], values[1], values[2]]).toEqual([0.03595029562711716, 0.1501455307006836, 0.05304514244198799]);
    expect([values[4095], values[4096]]).toEqual([-0.14350789785385132, -0.018676111474633217]);
    expect(values.at(-1)).toBe(-0.1250523328781128);
  });

  test('normal values of a seed, are those they have always been, in the centre and in both tails', () => {
    const values = make({ name: 'randomNormal', stddev: 1 }, [100_000], 7);
    expect([values[0], values[1], values[99_999]]).toEqual([0.27823635935783386, 1.72434401512146, 0.9286470413208008]);
    expect([Math.min(...values), Math.max(...values)]).toEqual([-4.02617073059082, 4.4962968826293945]);
    expect(values.filter((v) => Math.abs(v) > 1.97).reduce((sum, v) => sum + v, 0)).toBe(144.67826449871063);
  });

  test('zeros, ones and constant, are what they say', () => {
    expect(Array.from(make('zeros', [2]))).toEqual([0, 0]);
    expect(Array.from(make('ones', [2]))).toEqual([1, 1]);
    expect(Array.from(make({ name: 'constant', value: -3 }, [1, 2]))).toEqual([-3, -3]);
  });

  test('an unknown name, throws and lists those there are', () => {
    expect(() => initializer('glorot' as 'zeros')).toThrow(
      /^initializer expected one of zeros, ones, .*, got 'glorot'; did you mean 'glorotNormal'\?$/,
    );
    expect(() => initializer('constructor' as 'zeros')).toThrow(/got 'constructor'/);
  });
});

describe('orthogonal', () => {
  test.each<[string, number, number]>([
    ['tall', 40, 7],
    ['wide', 16, 64],
    ['square', 33, 33],
    ['one row', 1, 5],
    ['one column', 5, 1],
  ])('%s [%i, %i], has orthonormal rows or columns, whichever are fewer', (_, rows, columns) => {
    const q = make('orthogonal', [rows, columns]);
    const tall = rows >= columns;
    const [count, length] = tall ? [columns, rows] : [rows, columns];
    const entry = (i: number, k: number): number => (tall ? q[k * columns + i]! : q[i * columns + k]!);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        let dot = 0;
        for (let k = 0; k < length; k++) dot += entry(i, k) * entry(j, k);
        expect(Math.abs(dot - (i === j ? 1 : 0)), `${i}, ${j}`).toBeLessThan(1e-5);
      }
    }
  });

  // Wide: every panel of vectors once; square: those past the middle twice, and the last has the least of its own.
  test.each([
    [200, 520, 1],
    [300, 300, 1],
    [300, 310, 2],
  ])(
    '[%i, %i], more vectors than are projected at once, is orthonormal to the accuracy of float32',
    (rows, columns, seed) => {
      const q = Float64Array.from(make('orthogonal', [rows, columns], seed));
      let worst = 0;
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j <= i; j++) {
          let dot = 0;
          for (let k = 0; k < columns; k++) dot += q[i * columns + k]! * q[j * columns + k]!;
          worst = Math.max(worst, Math.abs(dot - (i === j ? 1 : 0)));
        }
      }
      expect(worst).toBeLessThan(1e-6);
    },
  );

  test('of a seed, starts with the values it has always had', () => {
    // These are bits of the plain build; fused products round otherwise.
    const expectValues = (got: Float32Array, places: readonly number[], expected: readonly number[]): void => {
      if (engine().build.startsWith('simd')) expect(places.map((at) => got[at])).toEqual(expected);
      else for (const [i, at] of places.entries()) expect(got[at]).toBeCloseTo(expected[i]!, 6);
    };
    const wide = [0.053895775228738785, -0.001517417491413653, 0.04213842377066612];
    expectValues(make('orthogonal', [128, 512]), [0, 40 * 512, 128 * 512 - 1], wide);
    const square = [0.15574385225772858, 0.06503695994615555, -0.16856485605239868];
    expectValues(make('orthogonal', [64, 64]), [0, 40 * 64, 64 * 64 - 1], square);
    // The rounding of what comes after the first 128 is another.
    const larger = make('orthogonal', [200, 800]);
    expect(larger[0]).toBe(0.042258936911821365);
    expect(larger[150 * 800 + 7]).toBeCloseTo(-0.041520703583955765, 6);
    expect(larger.at(-1)).toBeCloseTo(-0.010652771219611168, 6);
  });

  test('of a weight of one axis, throws', () => {
    expect(() => make('orthogonal', [3])).toThrow('orthogonal: expected a weight of two axes or more, got 1');
  });
});

describe('seeds', () => {
  test('the same seed, gives the same values and another seed others', () => {
    for (const spec of ['glorotUniform', 'heNormal', 'orthogonal', 'randomNormal'] as const) {
      expect(make(spec, [8, 8], 3)).toEqual(make(spec, [8, 8], 3));
      expect(make(spec, [8, 8], 3)).not.toEqual(make(spec, [8, 8], 4));
    }
  });

  test('setSeed, fixes the weights of every model made after it, and no two layers are equal', () => {
    const weights = (seed: number): Float32Array[] => {
      setSeed(seed);
      const layers = [lstm({ units: 3, returnSequences: true, inputShape: [null, 3] }), lstm({ units: 3 })];
      return sequential(layers).weights.map((weight) => weight.toArray());
    };
    expect(weights(5)).toEqual(weights(5));
    expect(weights(5)).not.toEqual(weights(6));
    const [first, , , second] = weights(5);
    expect(first).not.toEqual(second);
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN])('setSeed(%s), throws', (seed) => {
    expect(() => setSeed(seed)).toThrow(`seed expected an integer in [0, 2^32), got ${seed}`);
  });
});

describe('biases of a recurrent layer', () => {
  const biasOf = (options: { unitForgetBias?: boolean; biasInitializer?: InitializerSpec }): number[] => {
    const layer = lstm({ units: 2, inputShape: [null, 1], ...options });
    sequential([layer]);
    return Array.from(layer.weights[2]!.toArray());
  };

  test('lstm, starts with ones for the forget gate alone', () => {
    expect(biasOf({})).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
    expect(biasOf({ unitForgetBias: false })).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(biasOf({ biasInitializer: 'ones' })).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });
});
