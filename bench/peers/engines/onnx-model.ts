// Writes model files with one ONNX operator, through ONNX's own schema (onnx.proto3, compiled by onnx-proto).
import onnxProto from 'onnx-proto';
import type { Case } from '../cases.ts';
import { weightValues } from '../numbers.ts';

const { onnx } = onnxProto;
const { FLOAT } = onnx.TensorProto.DataType;
/** LSTM and GRU of opset 14 differ from the current ones only in a list of types. */
const OPSET = 14;

/** For each gate of ONNX, its index in Keras's order: i o f c from i f c o for LSTM; z r h is equal in both for GRU. */
const gateOrders = { lstm: [0, 3, 1, 2], gru: [0, 1, 2] };

const value = (name: string, shape: number[]) => ({
  name,
  type: { tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
});

const initializer = (name: string, dims: number[], values: Float32Array) => ({
  name,
  dims,
  dataType: FLOAT,
  rawData: new Uint8Array(values.buffer),
});

const attribute = (name: string, i: number) => ({ name, i, type: onnx.AttributeProto.AttributeType.INT });

interface Graph {
  node: object;
  input: object[];
  output: object[];
  initializer?: object[];
}

const encode = ({ node, input, output, initializer = [] }: Graph): Uint8Array =>
  onnx.ModelProto.encode(
    onnx.ModelProto.fromObject({
      irVersion: 8,
      opsetImport: [{ domain: '', version: OPSET }],
      graph: { name: 'case', node: [node], input, output, initializer },
    }),
  ).finish();

/** Converts Keras's `[rows, G·H]` to ONNX's `[G·H, rows]`, with gates in ONNX's order. */
function transposeGates(values: Float32Array, rows: number, hidden: number, order: number[]): Float32Array {
  const width = order.length * hidden;
  const transposed = new Float32Array(values.length);
  order.forEach((gate, to) => {
    for (let unit = 0; unit < hidden; unit++) {
      const column = gate * hidden + unit;
      for (let row = 0; row < rows; row++) {
        transposed[(to * hidden + unit) * rows + row] = values[row * width + column]!;
      }
    }
  });
  return transposed;
}

/**
 * X `[T, B, I]` → Y `[T, 1, B, H]`. With `states` the initial states are inputs too, and the last states are outputs.
 */
export function recurrentModel(what: Case, { states }: { states: boolean }): Uint8Array {
  const { cell, batch, time, inputs, hidden } = what;
  const order = gateOrders[cell];
  const width = order.length * hidden;
  const [kernel, recurrentKernel, bias] = what.weights.map(weightValues) as [Float32Array, Float32Array, Float32Array];
  // ONNX has two biases, Wb and Rb. An LSTM of Keras has only the first one.
  const biases = new Float32Array(2 * width);
  for (let from = 0; from < bias.length; from += width) {
    biases.set(transposeGates(bias.subarray(from, from + width), 1, hidden, order), from);
  }
  const state = [1, batch, hidden];
  const attributes = [
    attribute('hidden_size', hidden),
    ...(cell === 'gru' ? [attribute('linear_before_reset', 1)] : []),
  ];
  return encode({
    node: {
      opType: cell.toUpperCase(),
      input: ['X', 'W', 'R', 'B', ...(states ? ['', 'h', 'c'] : [])],
      output: states ? ['', 'h_next', 'c_next'] : ['Y'],
      attribute: attributes,
    },
    input: [value('X', [time, batch, inputs]), ...(states ? [value('h', state), value('c', state)] : [])],
    output: states ? [value('h_next', state), value('c_next', state)] : [value('Y', [time, 1, batch, hidden])],
    initializer: [
      initializer('W', [1, width, inputs], transposeGates(kernel, inputs, hidden, order)),
      initializer('R', [1, width, hidden], transposeGates(recurrentKernel, hidden, hidden, order)),
      initializer('B', [1, 2 * width], biases),
    ],
  });
}

/** C = A·B, where either operand may be stored as its transpose. */
export const gemmModel = ({ size, layout }: Case): Uint8Array =>
  encode({
    node: {
      opType: 'Gemm',
      input: ['A', 'B'],
      output: ['C'],
      attribute: [attribute('transA', +(layout[0] === 'T')), attribute('transB', +(layout[1] === 'T'))],
    },
    input: [value('A', [size, size]), value('B', [size, size])],
    output: [value('C', [size, size])],
  });
