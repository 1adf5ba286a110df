// Which initializers are parameters of the model.
import { sizeOf } from '../../checks/shape.ts';
import { elementType, isFloat } from '../format/element-types.ts';
import type { GraphProto, NodeProto, TensorProto } from '../format/messages.ts';

/** Where operators read weights; `all` for operators that exporters also put between a weight and its reader. */
const weightInputs: Readonly<Record<string, readonly number[] | 'all'>> = {
  ...{ MatMul: 'all', Gemm: 'all', Add: 'all', Sub: 'all', Mul: 'all', Div: 'all', Einsum: 'all' },
  ...{ Transpose: 'all', Reshape: [0], Unsqueeze: [0], Squeeze: [0], Identity: 'all', Slice: [0], Split: [0] },
  ...{ Concat: 'all', Gather: [0], Expand: [0], Cast: 'all', PRelu: [1] },
  ...{ Conv: [1, 2], ConvTranspose: [1, 2] },
  ...{ LSTM: [1, 2, 3, 7], GRU: [1, 2, 3], RNN: [1, 2, 3] },
  ...{
    BatchNormalization: [1, 2],
    LayerNormalization: [1, 2],
    InstanceNormalization: [1, 2],
    GroupNormalization: [1, 2],
  },
  ...{ RMSNormalization: [1], SimplifiedLayerNormalization: [1] },
  ...{ SkipLayerNormalization: [2, 3, 4], SkipSimplifiedLayerNormalization: [2, 3] },
  ...{ FusedConv: [1, 2], FusedGemm: 'all', FusedMatMul: 'all', FastGelu: [1], BiasGelu: [1] },
};

/**
 * The initializers that can be parameters: floats of more than one element that an operator reads as weights. Of several
 * with one name, in branches of an `If`, the last one is taken.
 */
export function parametersOf(graph: GraphProto): TensorProto[] {
  const candidates = new Map<string, TensorProto>();
  const readAsWeight = new Set<string>();
  const visit = (each: GraphProto): void => {
    for (const proto of each.initializer ?? []) {
      const type = elementType(proto.dataType);
      if (type && isFloat(type) && sizeOf(proto.dims ?? []) > 1 && proto.name) candidates.set(proto.name, proto);
    }
    for (const node of each.node ?? []) {
      for (const [i, name] of (node.input ?? []).entries()) if (readsWeight(node, i)) readAsWeight.add(name);
      for (const { g } of node.attribute ?? []) if (g) visit(g);
    }
  };
  visit(graph);
  return [...candidates].flatMap(([name, proto]) => (readAsWeight.has(name) ? [proto] : []));
}

function readsWeight({ opType = '' }: NodeProto, place: number): boolean {
  const places = Object.hasOwn(weightInputs, opType) ? weightInputs[opType]! : [];
  return places === 'all' || places.includes(place);
}
