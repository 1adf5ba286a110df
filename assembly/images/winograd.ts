// Winograd's minimal filtering F(4×4, 3×3): a convolution of 3×3 taps makes 4×4 outputs from a tile of 6×6 pixels with
// 36 products for each pair of channels, where the definition has 144.
//
//   y = Aᵀ[(G·w·Gᵀ) ∘ (Bᵀ·x·B)]A          dw = Cᵀ[Σ (Bᵀ·x·B) ∘ (H·dy·Hᵀ)]C
//
// The sum over channels turns ∘ into 36 matrix products, one for each place of the tile, which `gemm` computes. The
// kernels here do the transforms. Tiles overlap by two pixels, and lie row by row; a plane has one place of all tiles,
// [tiles, channels], and planes are `plane` floats apart. channels is a multiple of 4. x, y and dy have `pitch` floats
// from a row of pixels to the next. scratch has 144 floats. No buffers overlap. Called by
// src/images/convolution/winograd.ts.
//
// Source: Lavin and Gray 2015, "Fast algorithms for convolutional neural networks", https://arxiv.org/abs/1509.09308,
// with other interpolation points: with theirs, ±1 and ±2, rounding errors are 3.7 times as large.

import { bytes } from '../lanes';
import { madd, nmadd } from '../simd';

/** The matrices, by what they transform. */
const enum Matrix {
  /** Bᵀ [6, 6]: pixels. */
  Pixels,
  /** G [6, 3]: taps. */
  Taps,
  /** H [6, 4]: gradients of outputs. */
  Gradients,
  /** Aᵀ [4, 6]: outputs. */
  Outputs,
  /** Cᵀ [3, 6]: gradients of taps. */
  TapGradients,
}

const PLACES: i32 = 6;
/** The interpolation points are 0, ±A, ±B and ∞. Their powers are exact in binary. */
const A: f32 = 0.75;
const B: f32 = 1.5;

/**
 * A matrix times one vector of places, four channels at a time: the i-th place is at from + i·step, the i-th result
 * goes to to + i·toStep. They may be the same places.
 */
// @ts-ignore: decorator
@inline
function transform(matrix: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  const d0 = v128.load(from);
  const d1 = v128.load(from + step);
  const d2 = v128.load(from + step * 2);
  const a = f32x4.splat(A);
  const b = f32x4.splat(B);
  const a2 = f32x4.splat(A * A);
  const b2 = f32x4.splat(B * B);
  if (matrix == Matrix.Taps || matrix == Matrix.Gradients) {
    // Row i of both is (1, p, p², …) for its point p, divided by the product of the distances to the other points.
    const last = matrix == Matrix.Gradients ? v128.load(from + step * 3) : d2;
    const near = madd(a2, d2, d0);
    const far = madd(b2, d2, d0);
    const nearOdd = f32x4.mul(a, matrix == Matrix.Gradients ? madd(a2, last, d1) : d1);
    const farOdd = f32x4.mul(b, matrix == Matrix.Gradients ? madd(b2, last, d1) : d1);
    const scaleA = f32x4.splat(1 / (2 * A * A * (A * A - B * B)));
    const scaleB = f32x4.splat(1 / (2 * B * B * (B * B - A * A)));
    v128.store(to, f32x4.mul(d0, f32x4.splat(1 / (A * A * B * B))));
    v128.store(to + toStep, f32x4.mul(f32x4.add(near, nearOdd), scaleA));
    v128.store(to + toStep * 2, f32x4.mul(f32x4.sub(near, nearOdd), scaleA));
    v128.store(to + toStep * 3, f32x4.mul(f32x4.add(far, farOdd), scaleB));
    v128.store(to + toStep * 4, f32x4.mul(f32x4.sub(far, farOdd), scaleB));
    v128.store(to + toStep * 5, last);
    return;
  }
  const d3 = v128.load(from + step * 3);
  const d4 = v128.load(from + step * 4);
  const d5 = v128.load(from + step * 5);
  if (matrix == Matrix.Pixels) {
    // Row i has the coefficients of the polynomial that is 0 at all points but its own.
    const sum = f32x4.splat(A * A + B * B);
    const product = f32x4.splat(A * A * B * B);
    const near = nmadd(b2, d2, d4);
    const far = nmadd(a2, d2, d4);
    const nearOdd = f32x4.mul(a, nmadd(b2, d1, d3));
    const farOdd = f32x4.mul(b, nmadd(a2, d1, d3));
    v128.store(to, nmadd(sum, d2, madd(product, d0, d4)));
    v128.store(to + toStep, f32x4.add(near, nearOdd));
    v128.store(to + toStep * 2, f32x4.sub(near, nearOdd));
    v128.store(to + toStep * 3, f32x4.add(far, farOdd));
    v128.store(to + toStep * 4, f32x4.sub(far, farOdd));
    v128.store(to + toStep * 5, nmadd(sum, d3, madd(product, d1, d5)));
    return;
  }
  const near = f32x4.add(d1, d2);
  const nearOdd = f32x4.mul(a, f32x4.sub(d1, d2));
  const far = f32x4.add(d3, d4);
  const farOdd = f32x4.mul(b, f32x4.sub(d3, d4));
  const square = madd(b2, far, f32x4.mul(a2, near));
  v128.store(to, f32x4.add(d0, f32x4.add(near, far)));
  v128.store(to + toStep, f32x4.add(nearOdd, farOdd));
  if (matrix == Matrix.TapGradients) v128.store(to + toStep * 2, f32x4.add(square, d5));
  else {
    v128.store(to + toStep * 2, square);
    v128.store(to + toStep * 3, f32x4.add(madd(b2, farOdd, f32x4.mul(a2, nearOdd)), d5));
  }
}

/** Transforms both axes of a tile of `size` × `size` places to 6 × 6, four channels. */
// @ts-ignore: decorator
@inline
function to_places(matrix: i32, size: i32, from: usize, down: usize, right: usize, to: usize, plane: usize, scratch: usize): void {
  const row = <usize>(16 * size);
  for (let j = 0; j < size; j++) transform(matrix, from + j * right, down, scratch + 16 * j, row);
  for (let i = 0; i < PLACES; i++) transform(matrix, scratch + i * row, 16, to + i * PLACES * plane, plane);
}

/** V = Bᵀ·x·B for tiles [rows, columns] of 6×6 pixels, 4 pixels apart. */
export function winograd_pixels(
  rows: i32, columns: i32, channels: i32, x: usize, pitch: i32, v: usize, plane: i32, scratch: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let q = 0; q < columns; q++) {
      const from = x + bytes(4 * (r * pitch + q * channels));
      for (let c: usize = 0; c < bytes(channels); c += 16) {
        to_places(Matrix.Pixels, 6, from + c, bytes(pitch), bytes(channels), v + c, bytes(plane), scratch);
      }
      v += bytes(channels);
    }
  }
}

/** V = H·dy·Hᵀ for tiles [rows, columns] of 4×4 pixels. */
export function winograd_gradients(
  rows: i32, columns: i32, channels: i32, dy: usize, pitch: i32, v: usize, plane: i32, scratch: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let q = 0; q < columns; q++) {
      const from = dy + bytes(4 * (r * pitch + q * channels));
      for (let c: usize = 0; c < bytes(channels); c += 16) {
        to_places(Matrix.Gradients, 4, from + c, bytes(pitch), bytes(channels), v + c, bytes(plane), scratch);
      }
      v += bytes(channels);
    }
  }
}

/** u = G·w·Gᵀ for w [3, 3, count], u [6, 6, count]; count is a multiple of 4. */
export function winograd_taps(count: i32, w: usize, u: usize, scratch: usize): void {
  const plane = bytes(count);
  for (let c: usize = 0; c < plane; c += 16) to_places(Matrix.Taps, 3, w + c, 3 * plane, plane, u + c, plane, scratch);
}

/**
 * y = bias + Aᵀ·m·A for tiles [rows, columns], of which the first `height` rows and `width` columns of pixels are
 * stored. bias is 0 for none. With `accumulate` y += Aᵀ·m·A.
 */
export function winograd_outputs(
  rows: i32,
  columns: i32,
  channels: i32,
  m: usize,
  plane: i32,
  bias: usize,
  y: usize,
  height: i32,
  width: i32,
  accumulate: bool,
  scratch: usize,
): void {
  const line = <usize>(16 * PLACES);
  const pixel = bytes(channels);
  for (let r = 0; r < rows; r++) {
    const tall = min(height - 4 * r, 4);
    for (let q = 0; q < columns; q++) {
      const wide = min(width - 4 * q, 4);
      const to = y + bytes(4 * (r * width + q) * channels);
      for (let c: usize = 0; c < pixel; c += 16) {
        const step = bytes(plane) * PLACES;
        for (let j = 0; j < PLACES; j++) {
          transform(Matrix.Outputs, m + c + j * bytes(plane), step, scratch + 16 * j, line);
        }
        const offset = bias ? v128.load(bias + c) : f32x4.splat(0);
        for (let i = 0; i < tall; i++) {
          const from = scratch + i * line;
          // In place: every place is read before the first output is stored.
          transform(Matrix.Outputs, from, 16, from, 16);
          let at = to + c + i * width * pixel;
          for (let j = 0; j < wide; j++) {
            v128.store(at, f32x4.add(v128.load(from + 16 * j), accumulate ? v128.load(at) : offset));
            at += pixel;
          }
        }
      }
      m += pixel;
    }
  }
}

/** dw [3, 3, count] = Cᵀ·m·C for m [6, 6, count]; count is a multiple of 4. */
export function winograd_tap_gradients(count: i32, m: usize, dw: usize, scratch: usize): void {
  const plane = bytes(count);
  const line = <usize>(16 * PLACES);
  for (let c: usize = 0; c < plane; c += 16) {
    for (let j = 0; j < PLACES; j++) {
      transform(Matrix.TapGradients, m + c + j * plane, PLACES * plane, scratch + 16 * j, line);
    }
    for (let i = 0; i < 3; i++) transform(Matrix.TapGradients, scratch + i * line, 16, dw + c + 3 * i * plane, plane);
  }
}
