// The entry `tapeloop/torch`: models of PyTorch come in and go out.
export {
  type EncodeCheckpointOptions,
  type EncodeTorchOptions,
  encodeCheckpoint,
  encodeStateDict,
} from './torch/encode.ts';
export type { ForwardModule, ForwardStep } from './torch/forward.ts';
export { type ImportTorchOptions, importTorch } from './torch/import.ts';
export { type LoadReport, type LoadStateDictOptions, loadStateDict } from './torch/load-state-dict.ts';
export type { OptimizerKind } from './torch/optimizer.ts';
export { PickledName, PickledObject, type PickledValue } from './torch/pickle/values.ts';
export type { ModuleNames } from './torch/places.ts';
export { type ExportTorchOptions, exportTorch } from './torch/python/export.ts';
export { type ReadTorchOptions, readTorch } from './torch/read.ts';
export type { StateDict, StateDictOptions, TorchSource } from './torch/state-dict.ts';
export { type TorchArray, type TorchArrays, type TorchDtype, TorchTensor } from './torch/tensors.ts';
export { type TorchOptimizerOptions, torchOptimizer } from './torch/torch-optimizer.ts';
