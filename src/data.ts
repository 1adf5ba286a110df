// The entry `tapeloop/data`: reads data from files, URLs or bytes, and prepares it for a model.
import { addArrayMethods } from './data/array-methods.ts';

export { TapeloopError } from './checks/tapeloop-error.ts';
export { columnStack } from './data/column-stack.ts';
export { oneHot } from './data/one-hot.ts';
export { type PadOptions, padSequences } from './data/pad-sequences.ts';
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
export { DataError, SourceError, type SourceFault } from './data/sources/data-error.ts';
export type { DownloadOptions } from './data/sources/download.ts';
export { listFiles } from './data/sources/host-files.ts';
export { type IdxArray, loadIdx } from './data/sources/idx.ts';
export { loadPianoRoll, type PianoRollOptions, type PianoRolls } from './data/sources/piano-roll.ts';
export { readSource, type Source, type SourceOptions } from './data/sources/source.ts';
export { type ColumnType, type CsvOptions, CsvTable, loadCsv } from './data/tables/csv.ts';
export { type DateOptions, parseDates } from './data/tables/dates.ts';
export { type EvenSteps, type EvenStepsOptions, evenSteps } from './data/tables/even-steps.ts';
export { type TimeUnit, timeFeatures } from './data/tables/time-features.ts';
export { type IdOptions, type IdSequences, type IdSources, type IdWidth, loadIds } from './data/text/id-sequences.ts';
export { loadLines, loadText } from './data/text/lines.ts';
export { loadPairs, type PairsOptions } from './data/text/pairs.ts';
export { TextVectorization, type TextVectorizationOptions, textVectorization } from './data/text/text-vectorization.ts';
export {
  type WindowBatches,
  type WindowBatchOptions,
  type WindowOptions,
  type Windows,
  windowBatches,
  windows,
} from './data/windows.ts';

addArrayMethods();
