// Pooling over windows of images, channel by channel.
//
//   y[b, p, q, c] = max or mean of x[b, p·strideY − top + i, q·strideX − left + j, c] over those i < poolHeight and
//   j < poolWidth that lie inside the image
//
// x, dx [batch, height, width, channels], y, dy [batch, outHeight, outWidth, channels] f32, row-major and dense.
// windows is i32 [10]: height, width, outHeight, outWidth, poolHeight, poolWidth, strideY, strideX, top, left; each
// window has at least one element inside. No buffers overlap. Channels are neighbours in memory, so a vector has four
// of them, and the window is walked row by row with the result in a register. Called by src/images/pool.ts. Source:
// keras.layers MaxPooling2D and AveragePooling2D.

import { bytes, load_lanes, store_lanes, vector_bytes } from '../lanes';

/** y = the maximum of each window, the first of equal ones. It is NaN if the window has a NaN. */
export function max_pool(batch: i32, channels: i32, windows: usize, x: usize, y: usize): void {
  each_window(Pool.Max, batch, channels, windows, x, y, 0);
}

/**
 * dx += dy at the first element of each window, row by row, that has the bits of the maximum y. The gradient of a
 * window with a NaN goes nowhere.
 */
export function max_pool_backward(
  batch: i32,
  channels: i32,
  windows: usize,
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
): void {
  const toGradient = <isize>(dx - x);
  each_window(Pool.MaxBackward, batch, channels, windows, x, y, dy, toGradient);
}

/** y = the mean of the elements of each window that are inside the image. */
export function average_pool(batch: i32, channels: i32, windows: usize, x: usize, y: usize): void {
  each_window(Pool.Mean, batch, channels, windows, x, y, 0);
}

/** dx += dy / (number of elements inside) at each element of each window. */
export function average_pool_backward(batch: i32, channels: i32, windows: usize, dy: usize, dx: usize): void {
  each_window(Pool.MeanBackward, batch, channels, windows, dx, dy, dy);
}

enum Pool {
  Max,
  MaxBackward,
  Mean,
  MeanBackward,
}

// @ts-ignore: decorator
@inline
function each_window(
  kind: i32,
  batch: i32,
  channels: i32,
  windows: usize,
  x: usize,
  y: usize,
  dy: usize,
  toGradient: isize = 0,
): void {
  const height = load<i32>(windows);
  const width = load<i32>(windows, 4);
  const outHeight = load<i32>(windows, 8);
  const outWidth = load<i32>(windows, 12);
  const poolHeight = load<i32>(windows, 16);
  const poolWidth = load<i32>(windows, 20);
  const strideY = load<i32>(windows, 24);
  const strideX = load<i32>(windows, 28);
  const top = load<i32>(windows, 32);
  const left = load<i32>(windows, 36);
  const pixel = bytes(channels);
  const line = pixel * <usize>width;
  const whole = vector_bytes(channels);
  const tail = channels & 3;
  for (; batch > 0; batch--, x += line * <usize>height) {
    for (let p = 0; p < outHeight; p++) {
      const row = p * strideY - top;
      const firstRow = max(row, 0);
      const rows = min(row + poolHeight, height) - firstRow;
      for (let q = 0; q < outWidth; q++, y += pixel, dy += pixel) {
        const column = q * strideX - left;
        const firstColumn = max(column, 0);
        const columns = min(column + poolWidth, width) - firstColumn;
        const corner = x + line * <usize>firstRow + pixel * <usize>firstColumn;
        for (let at: usize = 0; at < whole; at += 16) {
          one_window(kind, 4, corner + at, rows, columns, line, pixel, y + at, dy + at, toGradient);
        }
        if (tail) {
          one_window(kind, tail, corner + whole, rows, columns, line, pixel, y + whole, dy + whole, toGradient);
        }
      }
    }
  }
}

/** One window of `count` (1–4) channels, from its first element inside the image on. */
// @ts-ignore: decorator
@inline
function one_window(
  kind: i32,
  count: i32,
  corner: usize,
  rows: i32,
  columns: i32,
  line: usize,
  pixel: usize,
  y: usize,
  dy: usize,
  toGradient: isize,
): void {
  const across = pixel * <usize>columns;
  const end = corner + line * <usize>rows;
  if (kind == Pool.Max) {
    // `pmax` keeps the first of equal numbers and passes over NaN, which is gathered beside it: `f32x4.max` takes some
    // 8 instructions on x64.
    let greatest = load_lanes(corner, count);
    let hasNaN = f32x4.ne(greatest, greatest);
    for (let from = corner; from != end; from += line) {
      for (let at = from, stop = from + across; at != stop; at += pixel) {
        const value = load_lanes(at, count);
        greatest = f32x4.pmax(greatest, value);
        hasNaN = v128.or(hasNaN, f32x4.ne(value, value));
      }
    }
    store_lanes(y, v128.or(greatest, hasNaN), count);
  } else if (kind == Pool.MaxBackward) {
    const greatest = load_lanes(y, count);
    const d = load_lanes(dy, count);
    let isOpen = i32x4.splat(-1);
    for (let from = corner; from != end; from += line) {
      for (let at = from, stop = from + across; at != stop; at += pixel) {
        const takes = v128.and(i32x4.eq(load_lanes(at, count), greatest), isOpen);
        const to = at + toGradient;
        store_lanes(to, f32x4.add(load_lanes(to, count), v128.and(d, takes)), count);
        isOpen = v128.andnot(isOpen, takes);
      }
    }
  } else if (kind == Pool.Mean) {
    let sum = f32x4.splat(0);
    for (let from = corner; from != end; from += line) {
      for (let at = from, stop = from + across; at != stop; at += pixel) {
        sum = f32x4.add(sum, load_lanes(at, count));
      }
    }
    store_lanes(y, f32x4.div(sum, f32x4.splat(<f32>(rows * columns))), count);
  } else {
    const share = f32x4.div(load_lanes(dy, count), f32x4.splat(<f32>(rows * columns)));
    for (let from = corner; from != end; from += line) {
      for (let at = from, stop = from + across; at != stop; at += pixel) {
        store_lanes(at, f32x4.add(load_lanes(at, count), share), count);
      }
    }
  }
}
