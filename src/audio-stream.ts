// The entry `tapeloop/audio-stream`: runs audio models block by block, without the code that made or trained them.

export type { JsonFile } from './audio-models/json-file.ts';
export { audioStream, compileBlockKernels, namStream } from './audio-models/streams/load.ts';
export { ArgumentError } from './checks/argument-error.ts';
export { DeadTensorError } from './checks/dead-tensor-error.ts';
export { TapeloopError } from './checks/tapeloop-error.ts';
export { HostError, type NumericMode } from './engine/loading/load.ts';
export { OutOfMemoryError } from './engine/memory.ts';
export { ModelFileError } from './io/safetensors.ts';
export type { FileStream, LoadStreamOptions } from './streaming/file-stream.ts';
export type { Stream, StreamOptions } from './streaming/stream.ts';
