import { checkOptions } from '../../checks/options.ts';
import { NdArray } from '../array.ts';
import { DataError } from './data-error.ts';
import { openSource, type Source, type SourceOptions, sourceNames } from './source.ts';

/** Typed arrays of the number types in idx files. */
export type IdxArray = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

interface IdxType {
  readonly bytes: number;
  readonly make: new (length: number) => IdxArray;
  readonly read: (view: DataView, at: number) => number;
}

/** Number types by the third byte of a file. */
const types: Readonly<Record<number, IdxType>> = {
  8: { bytes: 1, make: Uint8Array, read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, make: Int8Array, read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, make: Int16Array, read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, make: Int32Array, read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, make: Float32Array, read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, make: Float64Array, read: (view, at) => view.getFloat64(at) },
};

/**
 * Reads an array in the idx format, the format of MNIST's files.
 *
 * A file has two zero bytes, the number type, the number of axes, the size of each axis as a big-endian 32-bit number,
 * then the values, big-endian and row-major.
 *
 * @param source a path, a URL or bytes.
 * @param options sha256, cache, fetch, signal, onProgress, name and gzip, as `readSource` takes them.
 * @returns the array, in the typed array of the file's number type: `Uint8Array [60000, 28, 28]` for MNIST's images.
 *   The caller owns it.
 * @throws DataError if the file is not in the idx format, has another number of bytes than its sizes say, or its gzip
 *   is corrupt. SourceError if the source cannot be read. ArgumentError if `source` or an option is of another kind or
 *   unknown. The signal's reason if it is aborted.
 * @see http://yann.lecun.com/exdb/mnist/
 * @example
 * const bytes = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7); // in practice: 'train-images-idx3-ubyte.gz'
 * const { data, shape } = await loadIdx(bytes); // Uint8Array [5, 6, 7], [3]
 */
export async function loadIdx(source: Source, options: SourceOptions = {}): Promise<NdArray<IdxArray>> {
  checkOptions('loadIdx', options, sourceNames);
  const { name, bytes } = await openSource(source, options);
  const [zero, zero2, code, axes] = bytes;
  const type = types[code!];
  if (bytes.length < 4 || zero !== 0 || zero2 !== 0 || !type || axes === 0) {
    const got = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const expected = 'an idx file, which begins with 00 00, a type of 08, 09, 0b, 0c, 0d or 0e, and 01 or more axes';
    throw new DataError(name, `expected ${expected}, got ${got || 'an empty file'}`);
  }
  const start = 4 + 4 * axes!;
  if (bytes.length < start) {
    throw new DataError(
      name,
      `expected ${start} bytes before the values of ${axes} axes, got ${bytes.length}: the file is cut short`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: axes! }, (_, i) => view.getUint32(4 + 4 * i));
  const length = shape.reduce((product, size) => product * size, 1);
  const expected = start + length * type.bytes;
  if (bytes.length !== expected) {
    const sizes = shape.length > 20 ? `of ${axes} axes` : `[${shape.join(', ')}]`;
    const message = `expected ${expected} bytes for its shape ${sizes}, got ${bytes.length}`;
    throw new DataError(name, bytes.length < expected ? `${message}: the file is cut short` : message);
  }
  const data = new type.make(length);
  if (data instanceof Uint8Array) data.set(bytes.subarray(start));
  else for (let i = 0; i < length; i++) data[i] = type.read(view, start + i * type.bytes);
  return new NdArray(data, shape);
}
