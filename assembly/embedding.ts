// Rows of a table by id, and their gradient.
//
//   y[i, :] = table[ids[i], :]      dTable[ids[i], :] += dy[i, :]
//
// ids [rows] i32; table, dTable [limit, cols] f32; y, dy [rows, cols] f32. All are row-major and dense, and none
// overlap. `gather` and `scatter_add` do not check ids. Callers call `first_invalid_id` before, once for a whole batch.
// Called by src/ops/embedding.ts, src/ops/ids.ts, src/ops/recurrence/input-side.ts and stream.ts.

import { copy_row } from './elementwise';
import { bytes, load_lanes, store_lanes, vector_bytes } from './lanes';

/** Index of the first id outside [0, limit), or −1 if there is none. As u32 a negative id is a large one. */
export function first_invalid_id(count: i32, ids: usize, limit: i32): i32 {
  for (let i = 0; i < count; i++) {
    if (load<u32>(ids + bytes(i)) >= <u32>limit) return i;
  }
  return -1;
}

/** y[i, :] = table[ids[i], :] if accumulate is 0, y[i, :] += table[ids[i], :] if it is 1. */
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

/** dTable[ids[i], :] += dy[i, :]. Rows are added in ascending order of i. */
export function scatter_add(rows: i32, cols: i32, ids: usize, dy: usize, dTable: usize): void {
  const row = bytes(cols);
  for (; rows > 0; rows--) {
    add_row(cols, dy, dTable + <usize>load<i32>(ids) * row);
    ids += 4;
    dy += row;
  }
}

/** y += x */
// @ts-ignore: decorator
@inline
export function add_row(count: i32, x: usize, y: usize): void {
  const tail = count & 3;
  for (let end = x + vector_bytes(count); x < end; x += 16, y += 16) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
  }
  if (tail) store_lanes(y, f32x4.add(load_lanes(y, tail), load_lanes(x, tail)), tail);
}
