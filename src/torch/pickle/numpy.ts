// Arrays and scalars of NumPy in a pickle, where they are of a plain number type and little-endian.

import { sizeOf } from '../../checks/shape.ts';
import { elementsOf, kindOf, type TorchDtype, TorchTensor } from '../tensors.ts';
import { refuse } from './pickle-reader.ts';
import { PickledObject, type PickledValue } from './values.ts';

const dtypes: Readonly<Record<string, TorchDtype>> = {
  f4: 'float32',
  f8: 'float64',
  f2: 'float16',
  i8: 'int64',
  i4: 'int32',
  i2: 'int16',
  i1: 'int8',
  u1: 'uint8',
  b1: 'bool',
};

/** The type of a `numpy.dtype`; undefined for one that is not read. */
function dtypeOf(dtype: PickledValue | undefined): TorchDtype | undefined {
  if (!(dtype instanceof PickledObject) || dtype.className !== 'numpy.dtype') return undefined;
  const [code] = dtype.args;
  const order = Array.isArray(dtype.state) ? dtype.state[1] : undefined;
  if (typeof code !== 'string' || order === '>' || code.startsWith('>')) return undefined;
  const plain = code.replace(/^[<|=]/, '');
  return Object.hasOwn(dtypes, plain) ? dtypes[plain] : undefined;
}

const isShape = (value: PickledValue | undefined): value is number[] =>
  Array.isArray(value) &&
  value.length <= 32 &&
  value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0) &&
  Number.isSafeInteger(sizeOf(value as number[]));

/** An array of `raw` bytes; undefined if it is not read. */
function arrayOf(
  shape: PickledValue | undefined,
  dtype: PickledValue | undefined,
  raw: PickledValue | undefined,
  isFortran: boolean,
): TorchTensor | undefined {
  const type = dtypeOf(dtype);
  if (!type || !isShape(shape) || !(raw instanceof Uint8Array)) return undefined;
  if (raw.length !== sizeOf(shape) * kindOf(type)!.bytes) {
    return refuse(`pickle: an array of NumPy expected ${sizeOf(shape)} elements, got ${raw.length} bytes`);
  }
  return isFortran && shape.length > 1 ? undefined : new TorchTensor(type, shape, elementsOf(raw, type));
}

/** The number of a `numpy.core.multiarray.scalar`; undefined if it is not read. */
export function scalarOf([dtype, raw]: readonly PickledValue[]): PickledValue | undefined {
  const array = arrayOf([], dtype, raw, false);
  const value = array?.data[0];
  return array?.dtype === 'bool' ? value === 1 : value;
}

/** The array that the state of `numpy.core.multiarray._reconstruct` gives: version, shape, dtype, Fortran order, bytes. */
export function arrayOfState(state: PickledValue): TorchTensor | undefined {
  if (!Array.isArray(state)) return undefined;
  const [, shape, dtype, isFortran, raw] = state;
  return arrayOf(shape, dtype, raw, isFortran === true);
}
