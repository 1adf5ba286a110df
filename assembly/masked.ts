// The rows of a time step that a mask leaves out, sequences that are shorter than their batch: what a scan undoes for
// them after it has made the step for all rows. mask f32 [rows], 0 where a row is left out; x, y [rows, cols],
// row-major and dense. Other rows of y are neither read nor written. The operation is abi.ts's `Masked`.

import { copy_row } from './elementwise';
import { add_row } from './embedding';
import { bytes } from './lanes';

enum Masked {
  Zero,
  Copy,
  Add,
}

/** Rows left out: y = 0, y = x or y += x. */
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
