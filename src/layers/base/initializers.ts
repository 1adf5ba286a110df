import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions, unknownName } from '../../checks/options.ts';
import { type Shape, sizeOf } from '../../checks/shape.ts';
import { Init } from '../../engine/abi.ts';
import { engine as currentEngine } from '../../engine/engine.ts';
import type { RandomStream } from '../../engine/random.ts';
import { product } from '../../ops/products/product.ts';

/** Returns the first values of a weight, row-major. */
export type Initializer = (shape: Shape, random: RandomStream) => Float32Array;

function fill(values: Float32Array, next: () => number): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
}

const uniform =
  (low: number, high: number): Initializer =>
  (shape, random) =>
    random.uniformValues(sizeOf(shape), low, high, currentEngine());

const normal =
  (mean: number, deviation: number): Initializer =>
  (shape, random) =>
    fill(new Float32Array(sizeOf(shape)), () => mean + deviation * random.nextNormal());

/** Number of inputs and outputs of a weight, times the receptive field, as Keras counts them. */
function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2) return { fanIn: shape[0] ?? 1, fanOut: shape[0] ?? 1 };
  const field = sizeOf(shape.slice(0, -2));
  return { fanIn: shape.at(-2)! * field, fanOut: shape.at(-1)! * field };
}

/** A uniform distribution of variance scale / fan. */
const scaledUniform =
  (scale: number, fan: (shape: Shape) => number): Initializer =>
  (shape, random) => {
    const limit = Math.sqrt((3 * scale) / Math.max(1, fan(shape)));
    return uniform(-limit, limit)(shape, random);
  };

/** A normal distribution cut off at two deviations, of variance scale / fan after the cut. */
const scaledNormal =
  (scale: number, fan: (shape: Shape) => number): Initializer =>
  (shape, random) => {
    // The standard deviation of a standard normal cut off at ±2.
    const deviation = Math.sqrt(scale / Math.max(1, fan(shape))) / 0.87962566103423978;
    return fill(new Float32Array(sizeOf(shape)), () => {
      let value = random.nextNormal();
      while (Math.abs(value) > 2) value = random.nextNormal();
      return deviation * value;
    });
  };

const fanIn = (shape: Shape): number => fans(shape).fanIn;
const fanMean = (shape: Shape): number => (fans(shape).fanIn + fans(shape).fanOut) / 2;

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer: Q of the QR factorization of a matrix of
 * normal numbers. Leading axes count as rows.
 *
 * @see Saxe et al. 2013; keras.initializers.Orthogonal
 */
const orthogonal: Initializer = (shape, random) => {
  if (shape.length < 2)
    throw new ArgumentError(`orthogonal: expected a weight of two axes or more, got ${shape.length}`);
  const columns = shape.at(-1)!;
  const rows = sizeOf(shape) / Math.max(columns, 1);
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors = orthonormalVectors(count, length, random);
  if (rows <= columns) return vectors;
  const transposed = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) transposed[i * columns + j] = vectors[j * length + i]!;
  }
  return transposed;
};

// Number of vectors that are orthogonalized against each other in float64. The earlier vectors of their panel are
// projected out first, by matrix products.
const BLOCK = 32;
// Number of vectors in a panel. The vectors of all earlier panels are projected out of a panel at once, so that the
// products run at the speed of `gemm`.
const PANEL = 4 * BLOCK;
// Number of columns of one product. The right operand of so few columns is packed in slices of many steps, which is
// faster by half.
const COLUMNS = 512;

/**
 * Makes `count` orthonormal rows of `length`, `count` ≤ `length`, by block Gram-Schmidt on normal vectors.
 *
 * Once the vectors span more than half of the dimensions, a panel is orthonormalized twice: the projection then leaves
 * less than half of the panel, so the rounding errors of float32 are relatively larger. The diagonal of R is positive,
 * so no sign needs a correction.
 *
 * @see Barlow and Smoktunowicz 2013, "Reorthogonalized block classical Gram-Schmidt"
 */
function orthonormalVectors(count: number, length: number, random: RandomStream): Float32Array {
  const engine = currentEngine();
  return engine.scratch(() => {
    const all = engine.allocateScratch(count * length);
    const projections = engine.allocateScratch(PANEL * count);
    random.fillNormal(engine.f32(all, count * length));
    const row = (i: number): Float32Array => engine.f32(all + 4 * i * length, length);
    /** Projects rows [first, from) out of rows [from, to). */
    const project = (first: number, from: number, to: number): void => {
      const [size, before] = [to - from, from - first];
      const [others, block] = [all + 4 * first * length, all + 4 * from * length];
      product(engine, {
        m: size,
        n: before,
        k: length,
        a: block,
        rsA: length,
        csA: 1,
        b: others,
        rsB: 1,
        csB: length,
        c: projections,
        rsC: before,
      });
      engine.kernels.scale(size * before, -1, projections, projections);
      for (let column = 0; column < length; column += COLUMNS) {
        product(engine, {
          m: size,
          n: Math.min(COLUMNS, length - column),
          k: before,
          a: projections,
          rsA: before,
          csA: 1,
          b: others + 4 * column,
          rsB: length,
          csB: 1,
          c: block + 4 * column,
          rsC: length,
          init: Init.Accumulate,
        });
      }
    };
    for (let first = 0; first < count; first += PANEL) {
      const end = Math.min(first + PANEL, count);
      for (let pass = 0; pass < (first > 0 && 2 * end > length ? 2 : 1); pass++) {
        if (first > 0) project(0, first, end);
        for (let from = first; from < end; from += BLOCK) {
          const to = Math.min(from + BLOCK, end);
          for (let again = 0; again < 2 && from > first; again++) project(first, from, to);
          orthonormalize(Array.from({ length: to - from }, (_, i) => row(from + i)));
        }
      }
    }
    return engine.f32(all, count * length).slice();
  });
}

/** Modified Gram-Schmidt in float64, in place. */
function orthonormalize(rows: readonly Float32Array[]): void {
  const exact = rows.map((row) => new Float64Array(row));
  exact.forEach((w, j) => {
    orthonormalizeNext(w, exact.slice(0, j));
    rows[j]!.set(w);
  });
}

/**
 * Projects `before` out of `w`, one after the other, and normalizes it. All loops are in one function that is called
 * for each row, because it usually runs in a new process: engines optimize one function sooner than several, and use
 * the optimized code from the next call on.
 */
function orthonormalizeNext(w: Float64Array, before: readonly Float64Array[]): void {
  for (const v of before) {
    let projection = 0;
    for (let k = 0; k < w.length; k++) projection += v[k]! * w[k]!;
    for (let k = 0; k < w.length; k++) w[k]! -= projection * v[k]!;
  }
  let squares = 0;
  for (let k = 0; k < w.length; k++) squares += w[k]! * w[k]!;
  const norm = Math.sqrt(squares);
  for (let k = 0; k < w.length; k++) w[k]! /= norm;
}

const plain = {
  zeros: (shape: Shape) => new Float32Array(sizeOf(shape)),
  ones: (shape: Shape) => new Float32Array(sizeOf(shape)).fill(1),
  randomUniform: uniform(-0.05, 0.05),
  randomNormal: normal(0, 0.05),
  glorotUniform: scaledUniform(1, fanMean),
  glorotNormal: scaledNormal(1, fanMean),
  heUniform: scaledUniform(2, fanIn),
  heNormal: scaledNormal(2, fanIn),
  lecunUniform: scaledUniform(1, fanIn),
  lecunNormal: scaledNormal(1, fanIn),
  orthogonal,
} satisfies Record<string, Initializer>;

/**
 * Names of initializers with the defaults of Keras.
 *
 * @see keras.initializers
 */
export type InitializerName = keyof typeof plain;

/** How a weight is initialized: a name with the defaults of Keras, or a distribution with given numbers. */
export type InitializerSpec =
  | InitializerName
  | { readonly name: 'randomUniform'; readonly minval: number; readonly maxval: number }
  | { readonly name: 'randomNormal'; readonly mean?: number; readonly stddev: number }
  | { readonly name: 'constant'; readonly value: number };

const numbers = {
  randomUniform: { minval: 1, maxval: 1 },
  randomNormal: { mean: 1, stddev: 1 },
  constant: { value: 1 },
};

/** The initializer of a specification. Throws `ArgumentError` for an unknown name or option. */
export function initializer(spec: InitializerSpec, what = 'initializer'): Initializer {
  if (typeof spec === 'string' && Object.hasOwn(plain, spec)) return plain[spec];
  if (spec && typeof spec === 'object') {
    const own = Object.hasOwn(numbers, spec.name) && numbers[spec.name];
    if (own) checkOptions(`initializer ${spec.name}`, spec, { name: 1, ...own } as never);
    if (spec.name === 'randomUniform') return uniform(spec.minval, spec.maxval);
    if (spec.name === 'randomNormal') return normal(spec.mean ?? 0, spec.stddev);
    if (spec.name === 'constant') return (shape) => new Float32Array(sizeOf(shape)).fill(spec.value);
  }
  throw unknownName(what, Object.keys(plain), spec);
}
