// Rows of a table by id, and their gradient. ids i32 [rows]; table, dTable [limit, cols]; y, dy [rows, cols]. Ids are
// not checked in gather and scatter_add: callers ask first_invalid_id before, once for a whole batch.

import { copy_row } from './elementwise';
import { bytes, load_lanes, store_lanes, vector_bytes } from './lanes';

/** Index of the first id outside [0, limit), or −1. A negative id is a great one once unsigned. */
export function first_invalid_id(count: i32, ids: usize, limit: i32): i32 {
  for (let i = 0; i < count; i++) {
    if (load<u32>(ids + bytes(i)) >= <u32>limit) return i;
  }
  return -1;
}

/** y[i, :] = table[ids[i], :] (accumulate = 0) or += (1). */
export function gather(rows: i32, cols: i32, table: usize, ids: usize, y: usize, accumulate: i32): void {
  const row = bytes(cols);
  for (; rows > 0; rows--) {
    const from = table + <usize>load<i32>(ids) * row;
    if (accumulate) add_row(cols, from, y);
    else copy_row(cols, from, y);
    ids += 4;
    y += row;
  }
}

/** dTable[ids[i], :] += dy[i, :], rows in ascending order. */
export function scatter_add(rows: i32, cols: i32, ids: usize, dy: usize, dTable: usize): void {
  const row = bytes(cols);
  for (; rows > 0; rows--) {
    add_row(cols, dy, dTable + <usize>load<i32>(ids) * row);
    ids += 4;
    dy += row;
  }
}

// @ts-ignore: decorator
@inline
export function add_row(count: i32, x: usize, y: usize): void {
  const tail = count & 3;
  for (let end = x + vector_bytes(count); x < end; x += 16, y += 16) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
  }
  if (tail) store_lanes(y, f32x4.add(load_lanes(y, tail), load_lanes(x, tail)), tail);
}
