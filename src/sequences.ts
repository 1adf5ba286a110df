// The entry `tapeloop/sequences`: structured outputs, attention and rarer cells. Importing it registers their names for
// saved models.
import { readLayer, registerLayers } from './layers/layer-classes.ts';
import type { RecurrentCell } from './layers/rnn/cell.ts';
import { type AttentionCellOptions, attentionCell } from './sequences/attention-cell.ts';

export { type AttentionCell, type AttentionCellOptions, attentionCell } from './sequences/attention-cell.ts';

registerLayers({
  AttentionCell: ({ cell, ...options }: { cell: unknown } & Omit<AttentionCellOptions, 'cell'>) =>
    attentionCell({ ...options, cell: readLayer<RecurrentCell>(cell) }),
});
