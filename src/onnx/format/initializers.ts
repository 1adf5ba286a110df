// Models with other initializers: without the values of parameters, or with those of now.
import { elementType } from './element-types.ts';
import type { GraphProto, ModelProto, TensorProto } from './messages.ts';
import { rawFloats } from './tensor-data.ts';

/** Where the values of a parameter are in a saved model. */
const IN_LAYER = 'parameters of the layer';

/** Whether an initializer is one that `withoutValues` has emptied. */
export const isInLayer = ({ externalData }: TensorProto): boolean =>
  externalData?.some(({ value }) => value === IN_LAYER) ?? false;

/** The model without the values of its parameters. */
export const withoutValues = (model: ModelProto, isParameter: (proto: TensorProto) => boolean): ModelProto =>
  withInitializers(model, (proto) =>
    isParameter(proto)
      ? {
          name: proto.name!,
          dims: proto.dims ?? [],
          dataType: proto.dataType ?? 1,
          dataLocation: 1,
          externalData: [{ key: 'location', value: IN_LAYER }],
        }
      : proto,
  );

/** The model with other values, where `valuesOf` gives some. */
export const withValues = (model: ModelProto, valuesOf: (proto: TensorProto) => Float32Array | undefined): ModelProto =>
  withInitializers(model, (proto) => {
    const values = valuesOf(proto);
    const { name = '', dims = [], dataType = 1 } = proto;
    return values ? { name, dims, dataType, rawData: rawFloats(elementType(dataType)!, values) } : proto;
  });

/** The model with other initializers, in the graphs of its nodes too. */
function withInitializers(model: ModelProto, change: (proto: TensorProto) => TensorProto): ModelProto {
  const changed = (graph: GraphProto): GraphProto => ({
    ...graph,
    initializer: (graph.initializer ?? []).map(change),
    node: (graph.node ?? []).map((node) => ({
      ...node,
      attribute: (node.attribute ?? []).map((each) => (each.g ? { ...each, g: changed(each.g) } : each)),
    })),
  });
  return { ...model, graph: changed(model.graph!) };
}
