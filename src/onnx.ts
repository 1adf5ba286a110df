// The entry `tapeloop/onnx`: ONNX models come in.
import { savedLayer } from './io/model-file.ts';
import { registerLayers } from './layers/base/layer-registry.ts';
import { sharedLayer } from './layers/base/saved-layer.ts';
import { allowStreams } from './models/register-all.ts';
import { GraphNetwork } from './onnx/graph-network.ts';
import { OnnxGraph } from './onnx/onnx-graph.ts';

export { type CompileStreamOptions, compileStream } from './onnx/compile.ts';
export { type ExportOnnxOptions, exportOnnx } from './onnx/export/export.ts';
export type { ElementType, HostData } from './onnx/format/element-types.ts';
export type { OnnxValue } from './onnx/graph/signature.ts';
export { type ImportOnnxOptions, importOnnx } from './onnx/import.ts';
export type { RecognizedCell } from './onnx/rewrite/recognize.ts';
export { type OnnxFeed, type OnnxResult, OnnxSession, onnxSession } from './onnx/session.ts';

// A frame by frame run is what many import a model for.
allowStreams();
registerLayers({
  OnnxGraph: OnnxGraph.fromConfig as never,
  [GraphNetwork.savedAs]: (({ name, layers }: { name: string; layers: readonly unknown[] }) => {
    const saved = savedLayer('layer', layers[0]);
    return new GraphNetwork([sharedLayer(saved, () => OnnxGraph.fromConfig(saved.config)) as OnnxGraph], name);
  }) as never,
});
