// Tensors of PyTorch files: a storage is a run of bytes, a tensor a strided view of one.

import { sizeOf } from '../checks/shape.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from '../io/safetensors.ts';

/** The data types that are read, by PyTorch's names. */
export interface TorchArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Float32Array;
  bfloat16: Float32Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int16: Int16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type TorchDtype = keyof TorchArrays;
/** The elements of a tensor. */
export type TorchArray = TorchArrays[TorchDtype];

/** A tensor of a file. */
export class TorchTensor {
  readonly dtype: TorchDtype;
  readonly shape: readonly number[];
  /** Its elements, row-major; float16 and bfloat16 as float32. Tensors of one storage may share memory. */
  data: TorchArray;
  /** Tensors of one file with equal keys are the same memory; undefined for one that shares none. @internal */
  readonly sameAs: string | undefined;

  constructor(dtype: TorchDtype, shape: readonly number[], data: TorchArray, sameAs?: string) {
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
    this.sameAs = sameAs;
  }
}

interface Kind {
  readonly dtype: TorchDtype;
  readonly bytes: number;
  /** Elements of bytes that are a copy of their own. */
  readonly read: (buffer: ArrayBuffer) => TorchArray;
}

const kinds: readonly Kind[] = [
  { dtype: 'float32', bytes: 4, read: (buffer) => new Float32Array(buffer) },
  { dtype: 'float64', bytes: 8, read: (buffer) => new Float64Array(buffer) },
  { dtype: 'float16', bytes: 2, read: (buffer) => float16ToFloat32(new Uint16Array(buffer)) },
  { dtype: 'bfloat16', bytes: 2, read: (buffer) => bfloat16ToFloat32(new Uint16Array(buffer)) },
  { dtype: 'int64', bytes: 8, read: (buffer) => new BigInt64Array(buffer) },
  { dtype: 'int32', bytes: 4, read: (buffer) => new Int32Array(buffer) },
  { dtype: 'int16', bytes: 2, read: (buffer) => new Int16Array(buffer) },
  { dtype: 'int8', bytes: 1, read: (buffer) => new Int8Array(buffer) },
  { dtype: 'uint8', bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  { dtype: 'bool', bytes: 1, read: (buffer) => new Uint8Array(buffer) },
];

export const kindOf = (dtype: string): Kind | undefined => kinds.find((kind) => kind.dtype === dtype);

/** The bytes of a storage as elements, in a copy. Bytes after the last whole element are left out. */
export function elementsOf(bytes: Uint8Array, dtype: TorchDtype): TorchArray {
  const kind = kindOf(dtype)!;
  const copy = bytes.slice(0, bytes.length - (bytes.length % kind.bytes));
  return kind.read(copy.buffer as ArrayBuffer);
}

/**
 * A strided view of a storage, row-major. A contiguous one shares the memory of `storage`, any other is a copy.
 *
 * @returns undefined if it reaches beyond the storage.
 */
export function viewOf(
  storage: TorchArray,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): TorchArray | undefined {
  const size = sizeOf(shape);
  if (size === 0) return storage.slice(0, 0);
  const last = shape.reduce((at, n, axis) => at + (n - 1) * strides[axis]!, offset);
  if (!(last < storage.length)) return undefined;
  let expected = 1;
  const isContiguous = shape.toReversed().every((n, i) => {
    const fits = n === 1 || strides.at(-1 - i) === expected;
    expected *= n;
    return fits;
  });
  if (isContiguous) return storage.subarray(offset, offset + size);
  const data = storage.slice(0, 0).constructor as { new (length: number): TorchArray };
  const copy = new data(size);
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < size; i++) {
    copy[i] = storage[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return copy;
}
