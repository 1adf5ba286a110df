// The masked rows of a time step: their sequence is shorter than the batch. A scan computes a step for all rows and
// then overwrites the masked rows.
//
//   for each row i with mask[i] = 0:      y_i = 0      or y_i = x_i      or y_i += x_i
//
// mask [rows] f32, 0 for a masked row; x, y [rows, cols] f32, row-major and dense. x and y do not overlap.
// `Masked.Zero` does not read x. The other rows of y are neither read nor written. The operation is `Masked` of
// src/engine/abi.ts. Called by the scan (src/ops/recurrence/scan.ts) and by src/ops/softmax.ts.

import { copy_row } from './elementwise';
import { add_row } from './embedding';
import { bytes } from './lanes';

enum Masked {
  Zero,
  Copy,
  Add,
}

/** y = 0, y = x or y += x in the masked rows. */
export function masked_rows(operation: i32, rows: i32, cols: i32, mask: usize, x: usize, y: usize): void {
  const row = bytes(cols);
  for (; rows > 0; rows--) {
    if (load<f32>(mask) == 0) {
      if (operation == Masked.Zero) memory.fill(y, 0, row);
      else if (operation == Masked.Copy) copy_row(cols, x, y);
      else add_row(cols, x, y);
    }
    mask += 4;
    x += row;
    y += row;
  }
}
