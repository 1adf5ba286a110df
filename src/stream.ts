// The entry `tapeloop/stream`: runs a saved model step by step, without the code that made or trained it.
export { ArgumentError } from './checks/argument-error.ts';
export { DeadTensorError } from './checks/dead-tensor-error.ts';
export { TapeloopError } from './checks/tapeloop-error.ts';
export { HostError, type NumericMode } from './engine/loading/load.ts';
export { OutOfMemoryError } from './engine/memory.ts';
export type { FileBytes, Json, ModelExtras } from './io/model-file.ts';
export { ModelFileError } from './io/safetensors.ts';
export type { FileStream, LoadStreamOptions } from './streaming/file-stream.ts';
export { generate, generateBatch, generateIds } from './streaming/generate.ts';
export type { GeneratedId, GenerationOptions } from './streaming/generation.ts';
export { compileKernels, decodeStream, loadStream } from './streaming/load.ts';
export type { WeightFormat } from './streaming/program.ts';
export type { SamplingOptions } from './streaming/sampling.ts';
export type { Stream, StreamOptions } from './streaming/stream.ts';
