// Layers that are written as a whole, because the ops that they run depend on lengths or make masks.
import type { Attribute } from '../format/attributes.ts';
import { BOOL, FLOAT, type Wire } from './graph-builder.ts';
import { channelsFirst, listOf, type Options, optionsOf, windows } from './layer-ops.ts';
import { isTrue } from './nodes.ts';
import type { LayerExporter, Writer, WrittenLayer } from './writer.ts';

/** Names the mask that a layer has made. A mask is 1 where a step counts, else 0. */
function bindMask(writer: Writer, call: WrittenLayer, own: Wire): Wire {
  const [a, b] = call.y[0]!.map(({ mask }) => mask);
  const mask = call.mask ? writer.one('Mul', [own, writer.wire(call.mask)]) : own;
  if (a && b) writer.bind([a, b], mask);
  return mask;
}

const embedding: LayerExporter = (writer, call) => {
  const ids = writer.wire(call.x[0]!);
  const y = writer.one('Gather', [writer.wire(call.layer.weights[0]!.tensor), ids], { axis: 0 });
  if (optionsOf(call.layer).maskZero) {
    bindMask(writer, call, writer.one('Cast', [writer.one('Cast', [ids], { to: BOOL })], { to: FLOAT }));
  }
  return y;
};

const masking: LayerExporter = (writer, call) => {
  const x = writer.wire(call.x[0]!);
  const value = writer.graph.scalar(Number(optionsOf(call.layer).maskValue ?? 0));
  const isValue = writer.one('Cast', [writer.one('Equal', [x, value])], { to: FLOAT });
  const all = writer.one('ReduceMin', [isValue], { axes: [-1], keepdims: 0 });
  const mask = bindMask(writer, call, writer.one('Sub', [writer.graph.scalar(1), all]));
  const steps = writer.one('Unsqueeze', [isTrue(writer, mask), writer.graph.ints([-1])]);
  return writer.one('Where', [steps, x, writer.graph.scalar(0)]);
};

/** Pooling of windows. */
const pooling =
  (op: string, rank: number): LayerExporter =>
  (writer, { layer, x: [x] }) => {
    const { poolSize, strides = poolSize, padding } = optionsOf(layer);
    const attributes: Record<string, Attribute> = windows(padding, {
      taps: listOf(poolSize, rank, 2),
      strides: listOf(strides, rank, 2),
      dilations: Array(rank).fill(1),
    });
    return channelsFirst(writer, writer.wire(x!), rank + 2, (each) => writer.one(op, [each], attributes));
  };

/** Pooling of all steps or pixels. */
const globalPooling =
  (op: string, rank: number): LayerExporter =>
  (writer, { layer, x: [x], mask }) => {
    const axes = [...Array(rank).keys()].map((axis) => axis + 1);
    const wire = writer.wire(x!);
    const keepdims = Number(Boolean(optionsOf(layer).keepdims));
    // A maximum counts masked steps too, as in Keras.
    if (!mask || op !== 'ReduceMean') return writer.one(op, [wire], { axes, keepdims });
    const steps = writer.wire(mask);
    const seen = writer.one('Where', [
      writer.one('Unsqueeze', [isTrue(writer, steps), writer.graph.ints([-1])]),
      wire,
      writer.graph.scalar(0),
    ]);
    const sum = (each: Wire, keep: number): Wire =>
      writer.one('ReduceSum', [each, writer.graph.ints(axes)], { keepdims: keep });
    const count = writer.one('Max', [sum(steps, 1), writer.graph.scalar(1)]);
    return writer.one('Div', [sum(seen, 0), count]);
  };

const repeatVector: LayerExporter = (writer, { layer, x: [x] }) => {
  const row = writer.one('Unsqueeze', [writer.wire(x!), writer.graph.ints([1])]);
  return writer.one('Expand', [row, writer.graph.ints([1, Number(optionsOf(layer).n), 1])]);
};

const upSampling =
  (rank: number): LayerExporter =>
  (writer, { layer, x: [x] }) => {
    const { size, interpolation }: Options = optionsOf(layer);
    const scales = writer.graph.floats(
      `scales_${listOf(size, rank, 2)}`,
      [rank + 2],
      () => new Float32Array([1, 1, ...listOf(size, rank, 2)]),
    );
    const attributes =
      interpolation === 'bilinear'
        ? { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }
        : { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    return channelsFirst(writer, writer.wire(x!), rank + 2, (each) =>
      writer.one('Resize', [each, '', scales], attributes),
    );
  };

/** The layers by their class names. */
export const layerExporters: Readonly<Record<string, LayerExporter>> = {
  Embedding: embedding,
  Masking: masking,
  RepeatVector: repeatVector,
  MaxPooling1D: pooling('MaxPool', 1),
  AveragePooling1D: pooling('AveragePool', 1),
  MaxPooling2D: pooling('MaxPool', 2),
  AveragePooling2D: pooling('AveragePool', 2),
  GlobalAveragePooling1D: globalPooling('ReduceMean', 1),
  GlobalMaxPooling1D: globalPooling('ReduceMax', 1),
  GlobalAveragePooling2D: globalPooling('ReduceMean', 2),
  GlobalMaxPooling2D: globalPooling('ReduceMax', 2),
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
};
