// Depthwise convolution of one image: each channel is convolved by itself.
//
//   y[r, q, c] = bias[c] + Σ_ky Σ_kx x[r·strideY + ky·dilationY, q·strideX + kx·dilationX, c]·w[ky, kx, c]
//
// y, dy [rows, columns, channels], w, dw [tapRows, tapColumns, channels] f32, dense. x and dx are images with the zeros
// of the padding. steps is i32 [4]: the distances in floats from a row of windows to the next, from a window to the
// next, from a row of taps to the next, and from a tap to the next. No buffers overlap. Channels are neighbours in
// memory, so a vector has four of them. Called by src/images/convolution/depthwise.ts.
//
// Sums run over the taps row by row for y, and over the windows row by row for dw.

import { bytes, load_lanes, store_lanes } from '../lanes';
import { madd } from '../simd';

/** Windows whose sums are in registers at a time: a tap is loaded once for them. */
const BLOCK: i32 = 4;

/** y as above. bias is 0 for none. */
export function depthwise(
  rows: i32,
  columns: i32,
  channels: i32,
  tapRows: i32,
  tapColumns: i32,
  steps: usize,
  x: usize,
  w: usize,
  bias: usize,
  y: usize,
): void {
  const downX = bytes(load<i32>(steps));
  const row = bytes(channels);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < channels; c += 4) {
      const count = min(channels - c, 4);
      const at = bytes(c);
      if (count == 4) windows_of_row(columns, row, tapRows, tapColumns, steps, x + at, w + at, bias ? bias + at : 0, y + at, 4);
      else windows_of_row(columns, row, tapRows, tapColumns, steps, x + at, w + at, bias ? bias + at : 0, y + at, count);
    }
    x += downX;
    y += <usize>columns * row;
  }
}

/** `count` (1–4) channels of a row of windows. */
// @ts-ignore: decorator
@inline
function windows_of_row(
  columns: i32,
  row: usize,
  tapRows: i32,
  tapColumns: i32,
  steps: usize,
  x: usize,
  w: usize,
  bias: usize,
  y: usize,
  count: i32,
): void {
  const rightX = bytes(load<i32>(steps, 4));
  const downTap = bytes(load<i32>(steps, 8));
  const rightTap = bytes(load<i32>(steps, 12));
  const start = bias ? load_lanes(bias, count) : f32x4.splat(0);
  let q = 0;
  for (; q + BLOCK <= columns; q += BLOCK) {
    let s0 = start, s1 = start, s2 = start, s3 = start;
    let tapX = x;
    let tap = w;
    for (let ky = 0; ky < tapRows; ky++) {
      let at = tapX;
      for (let kx = 0; kx < tapColumns; kx++) {
        const weight = load_lanes(tap, count);
        s0 = madd(load_lanes(at, count), weight, s0);
        s1 = madd(load_lanes(at + rightX, count), weight, s1);
        s2 = madd(load_lanes(at + 2 * rightX, count), weight, s2);
        s3 = madd(load_lanes(at + 3 * rightX, count), weight, s3);
        at += rightTap;
        tap += row;
      }
      tapX += downTap;
    }
    store_lanes(y, s0, count);
    store_lanes(y + row, s1, count);
    store_lanes(y + 2 * row, s2, count);
    store_lanes(y + 3 * row, s3, count);
    x += BLOCK * rightX;
    y += BLOCK * row;
  }
  for (; q < columns; q++) {
    let sum = start;
    let tapX = x;
    let tap = w;
    for (let ky = 0; ky < tapRows; ky++) {
      let at = tapX;
      for (let kx = 0; kx < tapColumns; kx++) {
        sum = madd(load_lanes(at, count), load_lanes(tap, count), sum);
        at += rightTap;
        tap += row;
      }
      tapX += downTap;
    }
    store_lanes(y, sum, count);
    x += rightX;
    y += row;
  }
}

/** dx += the gradient of x. */
export function depthwise_backward_input(
  rows: i32,
  columns: i32,
  channels: i32,
  tapRows: i32,
  tapColumns: i32,
  steps: usize,
  dy: usize,
  w: usize,
  dx: usize,
): void {
  const downX = bytes(load<i32>(steps));
  const rightX = bytes(load<i32>(steps, 4));
  const downTap = bytes(load<i32>(steps, 8));
  const rightTap = bytes(load<i32>(steps, 12));
  const row = bytes(channels);
  for (let r = 0; r < rows; r++) {
    let window = dx + <usize>r * downX;
    for (let q = 0; q < columns; q++) {
      let tap = w;
      for (let ky = 0; ky < tapRows; ky++) {
        let at = window + <usize>ky * downTap;
        for (let kx = 0; kx < tapColumns; kx++) {
          for (let c = 0; c < channels; c += 4) {
            const count = min(channels - c, 4);
            const place = at + bytes(c);
            const sum = madd(load_lanes(dy + bytes(c), count), load_lanes(tap + bytes(c), count), load_lanes(place, count));
            store_lanes(place, sum, count);
          }
          at += rightTap;
          tap += row;
        }
      }
      window += rightX;
      dy += row;
    }
  }
}

/** dw += the gradient of w. */
export function depthwise_backward_weights(
  rows: i32,
  columns: i32,
  channels: i32,
  tapRows: i32,
  tapColumns: i32,
  steps: usize,
  x: usize,
  dy: usize,
  dw: usize,
): void {
  const downX = bytes(load<i32>(steps));
  const rightX = bytes(load<i32>(steps, 4));
  const downTap = bytes(load<i32>(steps, 8));
  const rightTap = bytes(load<i32>(steps, 12));
  const row = bytes(channels);
  for (let ky = 0; ky < tapRows; ky++) {
    for (let kx = 0; kx < tapColumns; kx++) {
      const start = x + <usize>ky * downTap + <usize>kx * rightTap;
      for (let c = 0; c < channels; c += 4) {
        const count = min(channels - c, 4);
        let sum = load_lanes(dw + bytes(c), count);
        let y = dy + bytes(c);
        for (let r = 0; r < rows; r++) {
          let at = start + <usize>r * downX + bytes(c);
          for (let q = 0; q < columns; q++) {
            sum = madd(load_lanes(at, count), load_lanes(y, count), sum);
            at += rightX;
            y += row;
          }
        }
        store_lanes(dw + bytes(c), sum, count);
      }
      dw += row;
    }
  }
}
