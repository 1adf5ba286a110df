// Elementwise kernels against float64. What IEEE 754 rounds once (all but the transcendental functions) must be the
// exact float32.
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { Binary, type Ptr, Unary } from '../../src/engine/abi.ts';
import { expectClose, expectSameBits, type Tolerance } from './compare.ts';
import { activations } from './reference/activation.ts';
import * as reference from './reference/elementwise.ts';
import { numericGradient } from './reference/gradient.ts';
import { counts, shapes, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

type UnaryName = keyof typeof Unary;
type BinaryName = keyof typeof Binary;
const { NaN: nan } = Number;
const EXACT = new Set<string>(['Neg', 'Abs', 'Square', 'Sqrt', 'Reciprocal', 'Relu']);

// activation.test.ts looks closer at those that are no single function of math.ts.
const toleranceOf = (name: UnaryName): Tolerance => {
  if (EXACT.has(name)) return {};
  return name in activations ? { ulp: 4, absolute: 5e-7 } : { ulp: 4 };
};

/** Arguments away from 0, where some derivatives do not exist; positive ones for Sqrt and Log. */
function argumentsOf(name: UnaryName, count: number): Float32Array {
  const { signed = true } = reference.unary[name];
  return values(count, 1, 3).map((x) => (signed ? x + Math.sign(x) * 0.1 : Math.abs(x) + 0.1));
}

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const kernels = sandbox.kernels;

  describe.each(Object.keys(Unary) as UnaryName[])('unary %s', (name) => {
    const { value, derivative } = reference.unary[name];

    test.each(counts)('count=%i matches float64, apart, in place and misaligned', (count) => {
      const x = argumentsOf(name, count);
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [xAt, y] = [sandbox.f32(x, misaligned), sandbox.f32(count, misaligned)];
        kernels.unary(count, Unary[name], xAt, y);
        const got = sandbox.read(y, count);
        expectClose(got, Array.from(x, value), toleranceOf(name), `${name} of ${count}`);
        kernels.unary(count, Unary[name], xAt, xAt);
        expectSameBits(sandbox.read(xAt, count), got, `${name} in place of ${count}`);
        sandbox.checkFences();
      }
    });

    test.each(counts)(
      'backward, count=%i matches float64 and central differences, overwriting and accumulating',
      (count) => {
        const x = argumentsOf(name, count);
        const dy = values(count, 2);
        const before = values(count, 3);
        const expected = Array.from(x, (at, i) => derivative(at) * dy[i]!);
        const numeric = numericGradient((at) => at.reduce((sum, v, i) => sum + value(v) * dy[i]!, 0), x);
        expectClose(expected, numeric, { absolute: 1e-5, relative: 1e-5 }, `float64 derivative of ${name}`);
        for (const misaligned of [false, true]) {
          sandbox.clear();
          const [xAt, y, dyAt, dx, sum] = [x, x.map(value), dy, count, before].map((v) =>
            sandbox.f32(v, misaligned),
          ) as [Ptr, Ptr, Ptr, Ptr, Ptr];
          const tolerance = { absolute: 1e-6, relative: 1e-6 };
          kernels.unary_backward(count, Unary[name], xAt, y, dyAt, dx, 0);
          expectClose(sandbox.read(dx, count), expected, tolerance, `d${name} of ${count}`);
          kernels.unary_backward(count, Unary[name], xAt, y, dyAt, sum, 1);
          const accumulated = expected.map((d, i) => d + before[i]!);
          expectClose(sandbox.read(sum, count), accumulated, tolerance, `d${name} of ${count}, accumulated`);
          kernels.unary_backward(count, Unary[name], xAt, y, dyAt, dyAt, 0);
          expectSameBits(sandbox.read(dyAt, count), sandbox.read(dx, count), `d${name} in place of ${count}`);
          sandbox.checkFences();
        }
      },
    );

    test('the same bits wherever a range is cut', () => {
      fc.assert(
        fc.property(fc.array(fc.float(), { minLength: 1, maxLength: 40 }), fc.nat({ max: 40 }), (x, cut) => {
          const head = Math.min(cut, x.length);
          sandbox.clear();
          const [xAt, whole, parts] = [sandbox.f32(x), sandbox.f32(x.length), sandbox.f32(x.length)];
          kernels.unary(x.length, Unary[name], xAt, whole);
          kernels.unary(head, Unary[name], xAt, parts);
          kernels.unary(x.length - head, Unary[name], xAt + 4 * head, parts + 4 * head);
          expectSameBits(sandbox.read(parts, x.length), sandbox.read(whole, x.length), `${name} cut at ${head}`);
          sandbox.checkFences();
        }),
        { seed: 2, numRuns: 50 },
      );
    });
  });

  const run = (name: UnaryName, x: number[]) => {
    sandbox.clear();
    const y = sandbox.f32(x.length);
    kernels.unary(x.length, Unary[name], sandbox.f32(x), y);
    return sandbox.read(y, x.length);
  };
  const derive = (name: UnaryName, x: number[], dy: number[]) => {
    sandbox.clear();
    const dx = sandbox.f32(x.length);
    const y = sandbox.f32(x.map(reference.unary[name].value));
    kernels.unary_backward(x.length, Unary[name], sandbox.f32(x), y, sandbox.f32(dy), dx, 0);
    return sandbox.read(dx, x.length);
  };

  test('unary keeps NaN, infinities and the sign of zero', () => {
    const special = [nan, Infinity, -Infinity, 0, -0];
    expectSameBits(run('Neg', special), [nan, -Infinity, Infinity, -0, 0], 'Neg');
    expectSameBits(run('Abs', special), [nan, Infinity, Infinity, 0, 0], 'Abs');
    expectSameBits(run('Square', special), [nan, Infinity, Infinity, 0, 0], 'Square');
    expectSameBits(run('Sqrt', special), [nan, Infinity, nan, 0, -0], 'Sqrt');
    expectSameBits(run('Reciprocal', special), [nan, 0, -0, Infinity, -Infinity], 'Reciprocal');
    expectSameBits(run('Relu', special), [nan, Infinity, 0, 0, -0], 'Relu');
  });

  test('the derivatives of Abs and Relu at zero of either sign are 0, even for an infinite dy', () => {
    expectSameBits(derive('Abs', [0, -0, -2, 2], [Infinity, 3, 3, 3]), [0, 0, -3, 3], 'Abs');
    expectSameBits(derive('Relu', [0, -0, -2, 2], [Infinity, 3, 3, 3]), [0, 0, 0, 3], 'Relu');
  });

  describe.each(Object.keys(Binary) as BinaryName[])('binary %s', (name) => {
    const f = reference.binary[name];

    test('every broadcast of every shape is the exact float32', () => {
      for (const [outer, inner] of [...shapes, [4, 1], [9, 1], [1, 9], [0, 0]] as [number, number][]) {
        const strides: [number, number][] = [
          [inner, 1],
          [0, 1],
          [1, 0],
          [0, 0],
          [inner + 3, 1],
        ];
        for (const [outerA, innerA] of strides) {
          for (const [outerB, innerB] of strides) {
            const a = values(outer * (inner + 3) + 1, 1, 2);
            const b = values(outer * (inner + 3) + 1, 2, 2);
            for (const misaligned of [false, true]) {
              sandbox.clear();
              const [aAt, bAt, y] = [a, b, outer * inner].map((v) => sandbox.f32(v, misaligned)) as [Ptr, Ptr, Ptr];
              kernels.binary(Binary[name], outer, inner, aAt, outerA, innerA, bAt, outerB, innerB, y);
              const expected = Array.from({ length: outer * inner }, (_, at) => {
                const i = Math.floor(at / inner);
                const j = at % inner;
                return Math.fround(f(a[i * outerA + j * innerA]!, b[i * outerB + j * innerB]!));
              });
              const shape = `${name} [${outer}, ${inner}] strides a (${outerA}, ${innerA}) b (${outerB}, ${innerB})`;
              expectSameBits(sandbox.read(y, outer * inner), expected, shape);
              sandbox.checkFences();
            }
          }
        }
      }
    });

    test('in place on either argument gives the same bits', () => {
      for (const count of counts) {
        sandbox.clear();
        const [a, b, y] = [values(count, 1), values(count, 2), count].map((v) => sandbox.f32(v)) as [Ptr, Ptr, Ptr];
        const copy = sandbox.f32(values(count, 1));
        kernels.binary(Binary[name], 1, count, a, 0, 1, b, 0, 1, y);
        kernels.binary(Binary[name], 1, count, copy, 0, 1, b, 0, 1, copy);
        kernels.binary(Binary[name], 1, count, a, 0, 1, b, 0, 1, b);
        expectSameBits(sandbox.read(copy, count), sandbox.read(y, count), `${name} on a`);
        expectSameBits(sandbox.read(b, count), sandbox.read(y, count), `${name} on b`);
        sandbox.checkFences();
      }
    });

    test('NaN in either argument gives NaN', () => {
      sandbox.clear();
      const y = sandbox.f32(3);
      kernels.binary(Binary[name], 1, 3, sandbox.f32([nan, 1, nan]), 3, 1, sandbox.f32([1, nan, nan]), 3, 1, y);
      expectSameBits(sandbox.read(y, 3), [nan, nan, nan], name);
    });
  });

  test('Max and Min order −0 below +0', () => {
    sandbox.clear();
    const [a, b, y] = [sandbox.f32([0, -0]), sandbox.f32([-0, 0]), sandbox.f32(2)];
    kernels.binary(Binary.Max, 1, 2, a, 2, 1, b, 2, 1, y);
    expectSameBits(sandbox.read(y, 2), [0, 0], 'Max');
    kernels.binary(Binary.Min, 1, 2, a, 2, 1, b, 2, 1, y);
    expectSameBits(sandbox.read(y, 2), [-0, -0], 'Min');
  });

  test.each(counts)('fill, scale and axpy, count=%i', (count) => {
    const x = values(count, 1);
    const y = values(count, 2);
    for (const misaligned of [false, true]) {
      sandbox.clear();
      const [filled, xAt, scaled, yAt] = [count, x, count, y].map((v) => sandbox.f32(v, misaligned)) as [
        Ptr,
        Ptr,
        Ptr,
        Ptr,
      ];
      kernels.fill(count, 0.1, filled);
      expectSameBits(sandbox.read(filled, count), new Float32Array(count).fill(0.1), 'fill');
      kernels.scale(count, 0.1, xAt, scaled);
      expectSameBits(
        sandbox.read(scaled, count),
        Array.from(x, (v) => Math.fround(Math.fround(0.1) * v)),
        'scale',
      );
      kernels.axpy(count, 0.1, xAt, yAt);
      expectClose(
        sandbox.read(yAt, count),
        Array.from(y, (v, i) => v + Math.fround(0.1) * x[i]!),
        { absolute: 1e-7 },
        'axpy',
      );
      sandbox.checkFences();
    }
  });

  test.each(shapes)('copy_2d, rows=%i cols=%i, copies the block alone', (rows, cols) => {
    for (const [ldx, ldy] of [
      [cols, cols],
      [cols + 3, cols],
      [cols, cols + 1],
      [cols + 2, cols + 5],
    ] as [number, number][]) {
      sandbox.clear();
      const x = values(rows * ldx, 1);
      const y = values(rows * ldy, 2);
      const [xAt, yAt] = [sandbox.f32(x, true), sandbox.f32(y)];
      kernels.copy_2d(rows, cols, xAt, ldx, yAt, ldy);
      const expected = y.map((v, at) => (at % ldy < cols ? x[Math.floor(at / ldy) * ldx + (at % ldy)]! : v));
      expectSameBits(sandbox.read(yAt, y.length), expected, `copy_2d [${rows}, ${cols}] from ${ldx} to ${ldy}`);
      sandbox.checkFences();
    }
  });

  test('copy_2d from a stride of 0 repeats a row, from a negative one turns the order round', () => {
    for (const [rows, cols] of shapes) {
      sandbox.clear();
      const x = values(rows * cols, 1);
      const [xAt, repeated, turned] = [x, rows * cols, rows * cols].map((v) => sandbox.f32(v)) as [Ptr, Ptr, Ptr];
      if (rows > 0) kernels.copy_2d(rows, cols, xAt, 0, repeated, cols);
      const first = x.map((_, at) => x[at % cols]!);
      expectSameBits(sandbox.read(repeated, x.length), first, `repeated [${rows}, ${cols}]`);
      kernels.copy_2d(rows, cols, xAt + 4 * (rows - 1) * cols, -cols, turned, cols);
      const expected = x.map((_, at) => x[(rows - 1 - Math.floor(at / cols)) * cols + (at % cols)]!);
      expectSameBits(sandbox.read(turned, x.length), expected, `turned [${rows}, ${cols}]`);
      sandbox.checkFences();
    }
  });

  test.each(counts)('select, count=%i, takes a where the mask is not 0, bit by bit', (count) => {
    const masks = { f32: [0, 1, -0, nan, -2.5, 1e-45], i32: [0, 1, -1, 7, 0, 2 ** 30] };
    for (const [dtype, pattern] of Object.entries(masks)) {
      for (const [strideA, strideB] of [
        [1, 1],
        [0, 1],
        [1, 0],
      ] as const) {
        sandbox.clear();
        const mask = Array.from({ length: count }, (_, i) => pattern[i % pattern.length]!);
        const [a, b] = [Int32Array.from({ length: count + 1 }, (_, i) => -1 - i), values(count + 1, 2)];
        const maskAt = dtype === 'f32' ? sandbox.f32(mask) : sandbox.i32(mask);
        const [aAt, bAt, y] = [sandbox.i32(a), sandbox.f32(b), sandbox.f32(count)];
        kernels.select(count, maskAt, aAt, strideA, bAt, strideB, y);
        const bits = new Int32Array(b.buffer);
        const expected = mask.map((m, i) => (m !== 0 ? a[i * strideA]! : bits[i * strideB]!));
        expectSameBits(sandbox.readI32(y, count), expected, `select by ${dtype}, strides ${strideA} and ${strideB}`);
        sandbox.checkFences();
      }
    }
  });

  test.each([
    [0, 3, 2],
    [3, 0, 1],
    [1, 1, 1],
    [2, 3, 1],
    [4, 4, 1],
    [5, 9, 1],
    [8, 13, 1],
    [17, 6, 1],
    [2, 3, 4],
    [3, 5, 7],
    [7, 2, 16],
  ])('swap_axes [%i, %i, %i] keeps every bit pattern', (a, b, inner) => {
    sandbox.clear();
    // Bit patterns of small integers are subnormals as floats, and −1 is a NaN: a copy must not care.
    const x = Int32Array.from({ length: a * b * inner }, (_, i) => (i % 5 === 0 ? -1 - i : i));
    const [xAt, y] = [sandbox.i32(x), sandbox.f32(x.length)];
    kernels.swap_axes(a, b, inner, xAt, y);
    const expected = x.map((_, at) => {
      const [j, i, k] = [Math.floor(at / inner / a), Math.floor(at / inner) % a, at % inner];
      return x[(i * b + j) * inner + k]!;
    });
    expectSameBits(sandbox.readI32(y, x.length), expected, `swap_axes [${a}, ${b}, ${inner}]`);
    sandbox.checkFences();
  });
});
