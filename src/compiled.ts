// The entry `tapeloop/compiled`: runs a step of a model that is compiled to kernel calls.
export { ArgumentError } from './checks/argument-error.ts';
export { DeadTensorError } from './checks/dead-tensor-error.ts';
export { TapeloopError } from './checks/tapeloop-error.ts';
export { type CompiledStreamOptions, loadCompiledStream } from './compiled/load.ts';
export { HostError, type NumericMode } from './engine/loading/load.ts';
export { OutOfMemoryError } from './engine/memory.ts';
export { ModelFileError } from './io/safetensors.ts';
export type { Stream } from './streaming/stream.ts';
