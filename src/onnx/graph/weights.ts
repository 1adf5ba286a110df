// Which initializers are parameters of the model.
import type { Parameter } from '../../autograd/parameter.ts';
import { sizeOf } from '../../checks/shape.ts';
import { elementType, isFloat } from '../format/element-types.ts';
import type { GraphProto, NodeProto, TensorProto } from '../format/messages.ts';

/** A number that every change of one of the parameters makes larger. */
export const versionOf = (parameters: readonly Parameter[]): number =>
  parameters.reduce((sum, { version }) => sum + version, 0);

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

/** Operators in which one number is a weight, too: elsewhere it is a constant, such as a factor of ½. */
const weightsOfOne =
  /^(MatMul|Gemm|FusedGemm|FusedMatMul|Einsum|PRelu|(Fused)?Conv|ConvTranspose|LSTM|GRU|RNN|.*Normalization)$/;
/** Operators whose results get a bias. */
const products = /^(MatMul|Gemm|FusedMatMul|Einsum|Conv|ConvTranspose)$/;

/**
 * The initializers that can be parameters: floats that an operator reads as weights. Of several with one name, in
 * branches of an `If`, the last one is taken.
 */
export function parametersOf(graph: GraphProto): TensorProto[] {
  const candidates = new Map<string, TensorProto>();
  const [read, readAsOne, made] = [new Set<string>(), new Set<string>(), new Map<string, string>()];
  const visit = (each: GraphProto): void => {
    for (const proto of each.initializer ?? []) {
      const type = elementType(proto.dataType);
      if (type && isFloat(type) && sizeOf(proto.dims ?? []) > 0 && proto.name) candidates.set(proto.name, proto);
    }
    for (const node of each.node ?? []) {
      const { input = [], output = [], opType = '' } = node;
      for (const name of output) made.set(name, opType);
      const isBias = opType === 'Add' && input.some((name) => products.test(made.get(name) ?? ''));
      for (const [i, name] of input.entries()) {
        if (!readsWeight(node, i)) continue;
        read.add(name);
        if (isBias || weightsOfOne.test(opType)) readAsOne.add(name);
      }
      for (const { g } of node.attribute ?? []) if (g) visit(g);
    }
  };
  visit(graph);
  return [...candidates].flatMap(([name, proto]) =>
    (sizeOf(proto.dims ?? []) > 1 ? read : readAsOne).has(name) ? [proto] : [],
  );
}

function readsWeight({ opType = '' }: NodeProto, place: number): boolean {
  const places = Object.hasOwn(weightInputs, opType) ? weightInputs[opType]! : [];
  return places === 'all' || places.includes(place);
}
