// Weights of Keras's layers in the layouts of Keras 2 and 3, which are tapeloop's: from an array for each gate, as
// Keras 1 has them, and from the transposed blocks of CuDNN.
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../../checks/shape.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { KerasArray } from './keras-array.ts';

/** The arrays of a layer in the order and the layout of tapeloop. */
export function inOurLayout(layer: AnyLayer, arrays: readonly KerasArray[]): readonly KerasArray[] {
  switch (layer.className) {
    case 'LSTM':
    case 'LSTMCell':
      return lstm(layer, arrays);
    case 'GRU':
    case 'GRUCell':
      return gru(layer, arrays);
    case 'Conv1D':
      return conv1d(arrays);
    default:
      return arrays;
  }
}

// Keras 1 has kernel, recurrent kernel and bias of i, c, f, o in turn; the gates here are i, f, c, o.
const LSTM_ORDER = [0, 2, 1, 3];
const GRU_ORDER = [0, 1, 2];

function lstm(layer: AnyLayer, arrays: readonly KerasArray[]): readonly KerasArray[] {
  if (arrays.length === 12) return perGate(layer, arrays, LSTM_ORDER);
  const bias = arrays[2];
  const units = unitsOf(arrays[1], 4);
  if (arrays.length !== 3 || bias!.shape.length !== 1 || units === undefined || bias!.shape[0] !== 8 * units)
    return arrays;
  const [kernel, recurrentKernel] = cudnnKernels(arrays, 4);
  // CuDNN adds a bias on either side.
  const both = bias!.data;
  const sum = Float32Array.from({ length: 4 * units }, (_, i) => both[i]! + both[4 * units + i]!);
  return [kernel, recurrentKernel, { name: bias!.name, shape: [4 * units], data: sum }];
}

function gru(layer: AnyLayer, arrays: readonly KerasArray[]): readonly KerasArray[] {
  if (arrays.length === 9) return perGate(layer, arrays, GRU_ORDER);
  const bias = arrays[2];
  const units = unitsOf(arrays[1], 3);
  if (arrays.length !== 3 || bias!.shape.length !== 1 || units === undefined || bias!.shape[0] !== 6 * units)
    return arrays;
  return [...cudnnKernels(arrays, 3), { ...bias!, shape: [2, 3 * units] }];
}

/** The units of a recurrent kernel `[H, G·H]`. */
function unitsOf(recurrent: KerasArray | undefined, gates: number): number | undefined {
  const [units, width] = recurrent?.shape ?? [];
  return recurrent?.shape.length === 2 && width === gates * units! && units! > 0 ? units : undefined;
}

/** Kernel and recurrent kernel of CuDNN: each gate's block is transposed. */
function cudnnKernels([kernel, recurrent]: readonly KerasArray[], gates: number): [KerasArray, KerasArray] {
  return [untransposed(kernel!, gates), untransposed(recurrent!, gates)];
}

/** Block `[I, H]` of each gate holds the elements of `[H, I]`. */
function untransposed({ name, shape, data }: KerasArray, gates: number): KerasArray {
  const [rows, columns] = shape as [number, number];
  const units = columns / gates;
  const made = new Float32Array(data.length);
  for (let gate = 0; gate < gates; gate++) {
    for (let i = 0; i < rows; i++) {
      for (let h = 0; h < units; h++) {
        const flat = h * rows + i;
        const from = Math.floor(flat / units) * columns + gate * units + (flat % units);
        made[i * columns + gate * units + h] = data[from]!;
      }
    }
  }
  return { name, shape, data: made };
}

/** Joins kernel, recurrent kernel and bias of each gate, in the order of the gates here. */
function perGate(layer: AnyLayer, arrays: readonly KerasArray[], order: readonly number[]): readonly KerasArray[] {
  return ['kernel', 'recurrentKernel', 'bias'].map((name, part) => {
    const each = order.map((gate) => arrays[3 * gate + part]!);
    const { shape } = each[0]!;
    const isSame = each.every((array) => formatShape(array.shape) === formatShape(shape));
    if (!isSame || shape.length !== (part === 2 ? 1 : 2))
      throw new ArgumentError(
        `layer '${layer.name}': weights of its gates expected one shape, got ${each.map((array) => formatShape(array.shape)).join(', ')}`,
      );
    const rows = part === 2 ? 1 : shape[0]!;
    const width = shape.at(-1)!;
    const data = new Float32Array(rows * width * order.length);
    each.forEach((array, gate) => {
      for (let row = 0; row < rows; row++)
        data.set(array.data.subarray(row * width, (row + 1) * width), (row * order.length + gate) * width);
    });
    const joined = width * order.length;
    return { name, shape: part === 2 ? [joined] : [rows, joined], data };
  });
}

/** Keras 1 has kernels `[K, 1, I, F]`. */
function conv1d(arrays: readonly KerasArray[]): readonly KerasArray[] {
  const [kernel, ...rest] = arrays;
  if (kernel?.shape.length !== 4 || kernel.shape[1] !== 1) return arrays;
  const [taps, , inputs, filters] = kernel.shape as [number, number, number, number];
  return [{ ...kernel, shape: [taps, inputs, filters] }, ...rest];
}

/** Whether an array has as many values as its shape says. */
export const isWhole = ({ shape, data }: { shape: Shape; data: ArrayLike<number> }): boolean =>
  sizeOf(shape) === data.length;
