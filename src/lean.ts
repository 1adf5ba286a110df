// The entry `tapeloop/lean`: the whole library without tables of names, so that an app bundles only what it imports.
export { Parameter, type Weight } from './autograd/parameter.ts';
export { stopGradient, type ValueAndGrad, valueAndGrad } from './autograd/tape.ts';
export { type DType, keep, Tensor, tensor } from './autograd/tensor.ts';
export { type BackupOptions, type BackupStore, backupAndRestore } from './callbacks/backup-and-restore.ts';
export { type CsvLoggerOptions, csvLogger } from './callbacks/csv-logger.ts';
export { type EarlyStopping, type EarlyStoppingOptions, earlyStopping } from './callbacks/early-stopping.ts';
export {
  learningRateScheduler,
  type ReduceLrOnPlateauOptions,
  reduceLrOnPlateau,
} from './callbacks/learning-rate.ts';
export {
  type CheckpointMoment,
  type CheckpointSink,
  type ModelCheckpointOptions,
  modelCheckpoint,
} from './callbacks/model-checkpoint.ts';
export type { MonitorOptions } from './callbacks/monitor.ts';
export { progressElement, progressText } from './callbacks/progress-text.ts';
export { swapEmaWeights } from './callbacks/swap-ema-weights.ts';
export {
  type EventSink,
  type TensorBoardOptions,
  type TensorBoardRun,
  tensorBoard,
} from './callbacks/tensor-board.ts';
export { terminateOnNaN } from './callbacks/terminate-on-nan.ts';
export * as cells from './cells/index.ts';
export { ArgumentError } from './checks/argument-error.ts';
export { DeadTensorError } from './checks/dead-tensor-error.ts';
export { DivergenceError, NonFiniteGradientError, NonFiniteLossError } from './checks/divergence.ts';
export type { NestedNumbers, NestedRow } from './checks/nested-numbers.ts';
export type { Shape } from './checks/shape.ts';
export { TapeloopError } from './checks/tapeloop-error.ts';
export { WorkerError } from './checks/worker-error.ts';
export { type AnyDepth, type DataLike, NdArray, type NumberArray, ndarray, type SliceRange } from './data/array.ts';
export type { Nested } from './data/nested.ts';
export { RaggedArray, ragged, type SamplesLike } from './data/ragged.ts';
export { type StreamBatch, type StreamBatchesOptions, streamBatches } from './data/stream-batches.ts';
export * from './data/text/text.ts';
export { type Engine, engine, type InitOptions, init } from './engine/engine.ts';
export { type Build, HostError, type NumericMode } from './engine/loading/load.ts';
export { OutOfMemoryError } from './engine/memory.ts';
export type { KernelTime, Profile, ProfilePart } from './engine/profile.ts';
export { type RandomKey, RandomStream, setSeed } from './engine/random.ts';
export type { RandomState } from './engine/random-bits.ts';
export { yielder } from './host/yielder.ts';
export { type BrowserStore, browserStore, StorageError } from './io/browser-store.ts';
export type { FileBytes, Json, LayerConfig, ModelExtras } from './io/model-file.ts';
export { ModelFileError } from './io/safetensors.ts';
export { type ActivationOptions, activation } from './layers/activations/activation.ts';
export type { Activation, ActivationName, ActivationSpec } from './layers/activations/activations.ts';
export {
  type AdditiveAttentionOptions,
  type AttentionOptions,
  additiveAttention,
  attention,
} from './layers/attention.ts';
export type { BatchShape } from './layers/base/batch-shape.ts';
export type { StateSpec } from './layers/base/carried-states.ts';
export type { Initializer, InitializerName, InitializerSpec } from './layers/base/initializers.ts';
export type { InputSpec } from './layers/base/input-spec.ts';
export {
  type AnyLayer,
  type CallOptions,
  type GivenCallOptions,
  Layer,
  type LayerInput,
  type LayerLike,
  type LayerOptions,
  type ShapeOf,
} from './layers/base/layer.ts';
export type { Callables, Forward, LayersOf, NetworkOptions } from './layers/base/network.ts';
export type { RegularizerSpec } from './layers/base/regularizers.ts';
export type { ConstraintName, ConstraintSpec } from './layers/constraints/constraint.ts';
export * as constraints from './layers/constraints/index.ts';
export type { Constraint, ConstraintConfig } from './layers/constraints/rule.ts';
export { type Conv1dOptions, conv1d } from './layers/conv1d.ts';
export { type DenseOptions, dense } from './layers/dense.ts';
export { type DropoutOptions, dropout, type SpatialDropoutOptions, spatialDropout1d } from './layers/dropout.ts';
export { type EmbeddingOptions, embedding } from './layers/embedding.ts';
export { type LayerNormalizationOptions, layerNormalization } from './layers/layer-normalization.ts';
export { type MaskingOptions, masking } from './layers/masking.ts';
export {
  add,
  average,
  type ConcatenateOptions,
  concatenate,
  maximum,
  minimum,
  multiply,
  subtract,
} from './layers/merge.ts';
export { type PermuteOptions, permute } from './layers/permute.ts';
export {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
  type PoolingOptions,
} from './layers/pooling.ts';
export { type RepeatVectorOptions, repeatVector } from './layers/repeat-vector.ts';
export { flatten, type ReshapeOptions, reshape } from './layers/reshape.ts';
export { type BidirectionalOptions, bidirectional, type MergeMode } from './layers/rnn/bidirectional.ts';
export { type CellBatch, RecurrentCell } from './layers/rnn/cells/cell.ts';
export type { CellDefinition, WeightDeclaration } from './layers/rnn/cells/defined-cell.ts';
export type { Step, StepResult } from './layers/rnn/composed-scan.ts';
export type { GruCellOptions } from './layers/rnn/gru.ts';
export { type GruOptions, gru, gruCell } from './layers/rnn/gru.ts';
export type { RecurrentOptions } from './layers/rnn/keras-recurrent.ts';
export type { LstmCellOptions } from './layers/rnn/lstm.ts';
export { type LstmOptions, lstm, lstmCell } from './layers/rnn/lstm.ts';
export type { CellOptions } from './layers/rnn/recurrence-spec.ts';
export type { SequenceOptions } from './layers/rnn/recurrent.ts';
export { Recurrent } from './layers/rnn/recurrent.ts';
export { withResetMask } from './layers/rnn/reset-mask.ts';
export { type RnnOptions, rnn } from './layers/rnn/rnn.ts';
export { type SimpleRnnOptions, simpleRnn, simpleRnnCell } from './layers/rnn/simple-rnn.ts';
export { timeDistributed } from './layers/time-distributed.ts';
export type { LossFunction, LossName } from './losses/by-name.ts';
export * from './losses/index.ts';
export type { Loss, LossConfig, LossOptions, Reduction } from './losses/loss.ts';
export type { MetricName } from './metrics/by-name.ts';
export * as metrics from './metrics/index.ts';
export type {
  Metric,
  MetricConfig,
  MetricFunction,
  MetricOptions,
  MetricResult,
  MetricState,
} from './metrics/metric.ts';
export type { BeamSearchOptions } from './models/beam-options.ts';
export { beamSearch, beamSteps } from './models/beam-search.ts';
export type { BeamDecoder } from './models/beam-sources.ts';
export type { BeamHypothesis, Hypothesis } from './models/beams.ts';
export {
  type CtcBeamOptions,
  type CtcGreedyOptions,
  type CtcHypothesis,
  type CtcLabel,
  ctcBeamDecode,
  ctcGreedyDecode,
} from './models/ctc-decode.ts';
export { type GenerateOptions, generate, generateBatch, generateIds } from './models/generate.ts';
export { type GradientFlow, type GradientFlowOptions, gradientFlow } from './models/gradient-flow.ts';
export { addMethods } from './models/methods.ts';
export {
  type AnyModel,
  type BatchesOptions,
  type Callback,
  type CompileOptions,
  type EvaluateOptions,
  type FitOptions,
  type Model,
  model,
  type PredictOptions,
  sequential,
} from './models/model.ts';
export { allowStreams } from './models/register-all.ts';
export * as ops from './ops/index.ts';
export type { OptimizerName } from './optimizers/by-name.ts';
export * from './optimizers/index.ts';
export { Optimizer, type OptimizerConfig } from './optimizers/optimizer.ts';
export type { OptimizerOptions } from './optimizers/optimizer-options.ts';
export * as schedules from './optimizers/schedules/index.ts';
export type { Schedule, ScheduleConfig } from './optimizers/schedules/schedule.ts';
export type { CustomObjects } from './registry/custom-objects.ts';
export { decodeModel, encodeModel, type LoadedModel, type LoadOptions, restoreModel } from './saving/saved-model.ts';
export type { GeneratedId, GenerationOptions } from './streaming/generation.ts';
export type { WeightFormat } from './streaming/program.ts';
export type { SamplingOptions } from './streaming/sampling.ts';
export type { Stream, StreamOptions } from './streaming/stream.ts';
export type { History, TrainingPlan } from './train/callback.ts';
export type { BatchData, Batches, InputBatch } from './train/feeds/batches.ts';
export type { Data, WeightOptions } from './train/feeds/checked-data.ts';
export type { Verbose } from './train/fit-options.ts';
export type { Logs } from './train/logs.ts';
export type { ClassWeight, LossSpec, MetricSpec, MetricSpecs } from './train/objective.ts';
export type { Predictions } from './train/predictions.ts';
export type { ProgressTextOptions } from './train/progress-lines.ts';
export { onWarning } from './train/warnings.ts';
