export { Parameter, type Weight } from './autograd/parameter.ts';
export { stopGradient, type ValueAndGrad, valueAndGrad } from './autograd/tape.ts';
export {
  ArgumentError,
  DeadTensorError,
  type DType,
  keep,
  type NestedNumbers,
  type Shape,
  Tensor,
  tensor,
} from './autograd/tensor.ts';
export * as cells from './cells/index.ts';
export { type AnyDepth, type DataLike, NdArray, type NumberArray, ndarray, type SliceRange } from './data/array.ts';
export type { Nested } from './data/nested.ts';
export { RaggedArray, ragged, type SamplesLike } from './data/ragged.ts';
export { type StreamBatch, type StreamBatchesOptions, streamBatches } from './data/stream-batches.ts';
export * from './data/text.ts';
export { type Engine, engine, type InitOptions, init } from './engine/engine.ts';
export { type Build, HostError, type NumericMode } from './engine/load.ts';
export { OutOfMemoryError } from './engine/memory.ts';
export type { KernelTime, Profile, ProfilePart } from './engine/profile.ts';
export { type RandomKey, type RandomState, RandomStream, setSeed } from './engine/random.ts';
export { yielder } from './engine/yielder.ts';
export { type BrowserStore, browserStore, StorageError } from './io/browser-store.ts';
export type { ModelExtras } from './io/model-file.ts';
export { ModelFileError } from './io/safetensors.ts';
export { type ActivationOptions, activation } from './layers/activation.ts';
export type { Activation, ActivationName, ActivationSpec } from './layers/activations.ts';
export {
  type AdditiveAttentionOptions,
  type AttentionOptions,
  additiveAttention,
  attention,
} from './layers/attention.ts';
export { type BidirectionalOptions, bidirectional, type MergeMode } from './layers/bidirectional.ts';
export { gruCell, lstmCell, simpleRnnCell } from './layers/built-in-cells.ts';
export type { StateSpec } from './layers/carried-states.ts';
export type { Step, StepResult } from './layers/composed-scan.ts';
export { type Conv1dOptions, conv1d } from './layers/conv1d.ts';
export type { CustomObjects } from './layers/custom-objects.ts';
export { type DenseOptions, dense } from './layers/dense.ts';
export { type DropoutOptions, dropout, type SpatialDropoutOptions, spatialDropout1d } from './layers/dropout.ts';
export { type EmbeddingOptions, embedding } from './layers/embedding.ts';
export type { Initializer, InitializerName, InitializerSpec } from './layers/initializers.ts';
export type { InputSpec } from './layers/input-spec.ts';
export {
  type AnyLayer,
  type BatchShape,
  type CallOptions,
  type GivenCallOptions,
  type Json,
  Layer,
  type LayerConfig,
  type LayerInput,
  type LayerLike,
  type LayerOptions,
  type ShapeOf,
} from './layers/layer.ts';
export { type LayerNormalizationOptions, layerNormalization } from './layers/layer-normalization.ts';
export { type MaskingOptions, masking } from './layers/masking.ts';
export { add, average, type ConcatenateOptions, concatenate, multiply, subtract } from './layers/merge.ts';
export type { Callables, Forward, LayersOf, NetworkOptions } from './layers/network.ts';
export { type PermuteOptions, permute } from './layers/permute.ts';
export {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
  type PoolingOptions,
} from './layers/pooling.ts';
export {
  type GruOptions,
  gru,
  type LstmOptions,
  lstm,
  Recurrent,
  type RecurrentOptions,
  type SimpleRnnOptions,
  simpleRnn,
} from './layers/recurrent.ts';
export { type CellDefinition, RecurrentCell, type WeightDeclaration } from './layers/recurrent-cell.ts';
export type { CellOptions, GruCellOptions, LstmCellOptions } from './layers/recurrent-kinds.ts';
export type { SequenceOptions } from './layers/recurrent-layer.ts';
export type { RegularizerSpec } from './layers/regularizers.ts';
export { type RepeatVectorOptions, repeatVector } from './layers/repeat-vector.ts';
export { flatten, type ReshapeOptions, reshape } from './layers/reshape.ts';
export { type RnnOptions, rnn } from './layers/rnn.ts';
export { timeDistributed } from './layers/time-distributed.ts';
export * as ops from './ops/index.ts';
export type { GeneratedId, GenerationOptions } from './streaming/generation.ts';
export type { WeightFormat } from './streaming/program.ts';
export type { SamplingOptions } from './streaming/sampling.ts';
export type { Stream, StreamOptions } from './streaming/stream.ts';
export { type BackupOptions, type BackupStore, backupAndRestore } from './train/callbacks/backup-and-restore.ts';
export { type CsvLoggerOptions, csvLogger } from './train/callbacks/csv-logger.ts';
export { type EarlyStopping, type EarlyStoppingOptions, earlyStopping } from './train/callbacks/early-stopping.ts';
export {
  learningRateScheduler,
  type ReduceLrOnPlateauOptions,
  reduceLrOnPlateau,
} from './train/callbacks/learning-rate.ts';
export {
  type CheckpointMoment,
  type CheckpointSink,
  type ModelCheckpointOptions,
  modelCheckpoint,
} from './train/callbacks/model-checkpoint.ts';
export type { MonitorOptions } from './train/callbacks/monitor.ts';
export { type ProgressTextOptions, progressElement, progressText } from './train/callbacks/progress-text.ts';
export { swapEmaWeights } from './train/callbacks/swap-ema-weights.ts';
export {
  type EventSink,
  type TensorBoardOptions,
  type TensorBoardRun,
  tensorBoard,
} from './train/callbacks/tensor-board.ts';
export { terminateOnNaN } from './train/callbacks/terminate-on-nan.ts';
export type { Data, WeightOptions } from './train/checked-data.ts';
export { NonFiniteLossError } from './train/divergence.ts';
export type { BatchData, Batches, InputBatch } from './train/feeds.ts';
export type { Callback, FitOptions, History, TrainingPlan, Verbose } from './train/fit.ts';
export { type GenerateOptions, generate, generateBatch, generateIds } from './train/generate.ts';
export { type GradientFlow, type GradientFlowOptions, gradientFlow } from './train/gradient-flow.ts';
export * from './train/losses/makers.ts';
export type { Loss, LossConfig, LossFunction, LossName, LossOptions, Reduction } from './train/losses.ts';
export { addMethods } from './train/methods.ts';
export * as metrics from './train/metrics/makers.ts';
export type {
  Metric,
  MetricConfig,
  MetricFunction,
  MetricName,
  MetricOptions,
  MetricResult,
  MetricState,
} from './train/metrics.ts';
export {
  type AnyModel,
  type BatchesOptions,
  type CompileOptions,
  type EvaluateOptions,
  type Logs,
  type Model,
  model,
  type PredictOptions,
  sequential,
} from './train/model.ts';
export type { ClassWeight, LossSpec, MetricSpec, MetricSpecs } from './train/objective.ts';
export * from './train/optimizers.ts';
export { allowStreams } from './train/predict-steps.ts';
export type { Predictions } from './train/predictions.ts';
export { decodeModel, encodeModel, type LoadedModel, type LoadOptions, restoreModel } from './train/saved-model.ts';
export type { Schedule, ScheduleConfig } from './train/schedules.ts';
export * as schedules from './train/schedules.ts';
export { onWarning } from './train/warnings.ts';
