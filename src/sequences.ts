// The entry `tapeloop/sequences`: structured outputs, attention and rarer cells. Importing it registers their names for
// saved models.
import { registerLayers } from './layers/base/layer-registry.ts';
import { readLayer } from './layers/layer-classes.ts';
import type { RecurrentCell } from './layers/rnn/cells/cell.ts';
import { lossTable } from './losses/by-name.ts';
import { type AttentionCellOptions, attentionCell } from './sequences/attention-cell.ts';
import { crf } from './sequences/crf.ts';
import { crfLoss } from './sequences/crf-loss.ts';
import { layerNormGruCell, layerNormLstmCell } from './sequences/layer-norm-cells.ts';
import { mixtureDensity, mixtureDensityLoss } from './sequences/mixture-density.ts';
import { multiHeadAttention } from './sequences/multi-head-attention.ts';
import { type ZoneoutCellOptions, zoneoutCell } from './sequences/zoneout.ts';

export type { ChainScores } from './ops/chain.ts';
export { type AllowedTags, type AllTags, allowedTags, type TagScheme } from './sequences/allowed-tags.ts';
export { type AttentionCell, type AttentionCellOptions, attentionCell } from './sequences/attention-cell.ts';
export {
  type LayerNormGruOptions,
  type LayerNormLstmOptions,
  layerNormGru,
  layerNormLstm,
} from './sequences/cell-layers.ts';
export { type Crf, type CrfLayerOptions, crf } from './sequences/crf.ts';
export { crfLoss } from './sequences/crf-loss.ts';
export { crfDecode, crfLogLikelihood, crfLogNorm, crfMarginals } from './sequences/crf-ops.ts';
export {
  type LayerNormGruCellOptions,
  type LayerNormLstmCellOptions,
  layerNormGruCell,
  layerNormLstmCell,
} from './sequences/layer-norm-cells.ts';
export type { CrfOptions } from './sequences/likelihood.ts';
export {
  type MixtureDensityLossOptions,
  type MixtureDensityOptions,
  type MixtureOptions,
  mixtureDensity,
  mixtureDensityLoss,
  type SampleMixtureOptions,
  sampleMixture,
} from './sequences/mixture-density.ts';
export { type MultiHeadAttentionOptions, multiHeadAttention } from './sequences/multi-head-attention.ts';
export { type ZoneoutCellOptions, zoneoutCell } from './sequences/zoneout.ts';

registerLayers({
  AttentionCell: ({ cell, ...options }: { cell: unknown } & Omit<AttentionCellOptions, 'cell'>) =>
    attentionCell({ ...options, cell: readLayer<RecurrentCell>(cell) }),
  CRF: crf,
  LayerNormGRUCell: layerNormGruCell,
  LayerNormLSTMCell: layerNormLstmCell,
  MixtureDensity: mixtureDensity,
  MultiHeadAttention: multiHeadAttention,
  ZoneoutCell: ({ cell, ...options }: { cell: unknown } & ZoneoutCellOptions) =>
    zoneoutCell(readLayer<RecurrentCell>(cell), options),
});
lossTable.add({ crfLoss, mixtureDensityLoss });
