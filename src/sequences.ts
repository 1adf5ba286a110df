// The entry `tapeloop/sequences`: structured outputs, attention and rarer cells. Importing it registers their names for
// saved models.
import { readLayer, registerLayers } from './layers/layer-classes.ts';
import type { RecurrentCell } from './layers/rnn/cell.ts';
import { lossTable } from './losses/by-name.ts';
import { type AttentionCellOptions, attentionCell } from './sequences/attention-cell.ts';
import { crf } from './sequences/crf.ts';
import { crfLoss } from './sequences/crf-loss.ts';

export type { ChainScores } from './ops/chain.ts';
export { type AllowedTags, allowedTags, type TagScheme } from './sequences/allowed-tags.ts';
export { type AttentionCell, type AttentionCellOptions, attentionCell } from './sequences/attention-cell.ts';
export { type Crf, type CrfLayerOptions, crf } from './sequences/crf.ts';
export { crfLoss } from './sequences/crf-loss.ts';
export { crfDecode, crfLogLikelihood, crfLogNorm, crfMarginals } from './sequences/crf-ops.ts';
export type { CrfOptions } from './sequences/likelihood.ts';

registerLayers({
  AttentionCell: ({ cell, ...options }: { cell: unknown } & Omit<AttentionCellOptions, 'cell'>) =>
    attentionCell({ ...options, cell: readLayer<RecurrentCell>(cell) }),
  CRF: crf,
});
lossTable.add({ crfLoss });
