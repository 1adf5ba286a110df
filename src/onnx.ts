// The entry `tapeloop/onnx`: ONNX models come in.
import { readLayer, registerLayers } from './layers/layer-classes.ts';
import { GraphNetwork } from './onnx/graph-network.ts';
import { OnnxGraph } from './onnx/onnx-graph.ts';

export { type ExportOnnxOptions, exportOnnx } from './onnx/export/export.ts';
export type { ElementType, HostData } from './onnx/format/element-types.ts';
export type { OnnxValue } from './onnx/graph/signature.ts';
export { type ImportOnnxOptions, importOnnx } from './onnx/import.ts';
export type { RecognizedCell } from './onnx/rewrite/recognize.ts';
export { type OnnxFeed, type OnnxResult, OnnxSession, onnxSession } from './onnx/session.ts';

registerLayers({
  OnnxGraph: OnnxGraph.fromConfig as never,
  [GraphNetwork.savedAs]: (({ name, layers }: { name: string; layers: readonly unknown[] }) =>
    new GraphNetwork([readLayer<OnnxGraph>(layers[0])], name)) as never,
});
