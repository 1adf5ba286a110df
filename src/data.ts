// The face of `tapeloop/data`: data from files, addresses or bytes, and what is done to it before a model sees it.
import { addArrayMethods } from './data/array-methods.ts';

export { columnStack } from './data/column-stack.ts';
export { type ColumnType, type CsvOptions, CsvTable, loadCsv } from './data/csv.ts';
export { DataError, SourceError, type SourceFault } from './data/data-error.ts';
export { type DateOptions, parseDates } from './data/dates.ts';
export type { DownloadOptions } from './data/download.ts';
export { type EvenSteps, type EvenStepsOptions, evenSteps } from './data/even-steps.ts';
export { listFiles } from './data/host-files.ts';
export { type IdOptions, type IdSequences, type IdSources, type IdWidth, loadIds } from './data/id-sequences.ts';
export { type IdxArray, loadIdx } from './data/idx.ts';
export { loadLines, loadText } from './data/lines.ts';
export { oneHot } from './data/one-hot.ts';
export { type PadOptions, padSequences } from './data/pad-sequences.ts';
export { loadPairs, type PairsOptions } from './data/pairs.ts';
export { loadPianoRoll, type PianoRollOptions, type PianoRolls } from './data/piano-roll.ts';
export {
  type Rows,
  type ShuffleOptions,
  shuffle,
  splitAt,
  type TrainTestOptions,
  type TypedArray,
  takeRows,
  trainTestSplit,
} from './data/rows.ts';
export {
  type MinMaxScaler,
  minMaxScale,
  type ScaleOptions,
  type Scaler,
  type StandardScaler,
  standardize,
} from './data/scaling.ts';
export { readSource, type Source, type SourceOptions } from './data/source.ts';
export { TextVectorization, type TextVectorizationOptions, textVectorization } from './data/text-vectorization.ts';
export { type TimeUnit, timeFeatures } from './data/time-features.ts';
export {
  type WindowBatches,
  type WindowBatchOptions,
  type WindowOptions,
  type Windows,
  windowBatches,
  windows,
} from './data/windows.ts';

addArrayMethods();
