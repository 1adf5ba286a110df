import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape } from '../../checks/shape.ts';
import type { SamplesLike } from '../../data/ragged.ts';
import { withResets } from '../../layers/rnn/reset-mask.ts';
import { Column } from './samples.ts';

/** Reset masks of `fit`, `evaluate` and `predict`, which a small app can do without. */
export const resets = {
  /** A mask as a column `[N]` or `[N, T]`. Throws `ArgumentError` for another shape. */
  column(resetMask: SamplesLike): Column {
    const column = new Column('resetMask', resetMask, 'f32', { oneEachStep: true });
    if (column.shape.length < 3) return column;
    throw new ArgumentError(`resetMask expected [N] or [N, T], got ${formatShape(column.shape)}`);
  },

  /** Runs `body` on a batch whose rows start anew where the mask says so. */
  during: <T>(mask: Tensor, body: () => T): T => withResets({ shape: mask.shape, data: mask.toArray() }, body),
};
