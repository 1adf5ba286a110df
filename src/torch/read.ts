// Files of PyTorch: zip archives of torch.save and torch.jit.save, the format before torch 1.6, and safetensors.

import { expectType } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { sizeOf } from '../checks/shape.ts';
import { refuseForeign } from '../io/foreign-formats.ts';
import { bytesOf, type FileBytes } from '../io/model-file.ts';
import { quote } from '../io/parsed-json.ts';
import { decodeSafetensors, isSafetensors, ModelFileError, type SafetensorsTensor } from '../io/safetensors.ts';
import { isZip, readZip } from '../io/zip.ts';
import { type MakeTensor, torchBuilders } from './pickle/builders.ts';
import { latin1, PickleError, readPickle, refuse } from './pickle/pickle-reader.ts';
import { PickledName, type PickledValue } from './pickle/values.ts';
import { elementsOf, kindOf, type TorchArrays, type TorchDtype, TorchTensor, viewOf } from './tensors.ts';

/** Options of `readTorch`. */
export interface ReadTorchOptions {
  /** The file's name, for errors. */
  file?: string | undefined;
}

/**
 * Reads a file of PyTorch: `.pt` or `.pth` of any version, a TorchScript archive, or `.safetensors`.
 *
 * Nothing of the file is executed. Objects of classes that are not known are inert `PickledObject`s, past which the
 * tensors are reached.
 *
 * @param bytes the whole file. It is not changed.
 * @param options.file name of the file, for errors.
 * @returns what `torch.load` would return, with a Map for a dict, an array for a list or a tuple, null for None, and a
 *   `TorchTensor` for each tensor; of a safetensors file a Map of its tensors. The caller owns it.
 * @throws ModelFileError if the bytes are not such a file, are damaged, ask to run code such as `os.system`, or have a
 *   tensor that is sparse, quantized, complex or big-endian; ArgumentError if an option is unknown or `bytes` are not
 *   bytes.
 * @see https://pytorch.org/docs/stable/generated/torch.load.html
 *
 * @example
 * const checkpoint = readTorch(await readFile('checkpoint.pt'));
 * checkpoint.get('epoch'); // 3
 */
export function readTorch(bytes: FileBytes, options: ReadTorchOptions = {}): PickledValue {
  const { file } = checkOptions('readTorch', options, { file: 1 });
  if (file !== undefined) expectType('readTorch: file', file, 'a string');
  const plain = bytesOf('readTorch', bytes);
  try {
    if (isZip(plain)) return readArchive(readZip(plain, file));
    if (isSafetensors(plain)) return tensorsOf(decodeSafetensors(plain, file).tensors);
    return readLegacy(plain);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    refuseForeign(plain, file);
    const other = otherFormat(plain);
    if (other !== undefined) throw new ModelFileError(`not a file of PyTorch: it is ${other}`, { file, cause: error });
    throw new ModelFileError(`not a file of PyTorch that can be read: ${error.message}`, { file, cause: error });
  }
}

/** What a file that is no pickle is, by its first bytes. */
function otherFormat(bytes: Uint8Array): string | undefined {
  const start = latin1(bytes.subarray(0, 64));
  if (start.startsWith('\x89HDF')) return 'an HDF5 file, which importKeras of tapeloop/keras reads if it is of Keras';
  if (/^\s*[{[]/.test(start)) return 'JSON or other text';
  return undefined;
}

const safetensorsTypes: Partial<Record<SafetensorsTensor['dtype'], TorchDtype>> = {
  F64: 'float64',
  F32: 'float32',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

function tensorsOf(tensors: ReadonlyMap<string, SafetensorsTensor>): PickledValue {
  return new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => {
      const type = safetensorsTypes[dtype] ?? refuse(`tensor ${quote(name)} has the data type ${dtype}`);
      return [name, new TorchTensor(type, shape, data as TorchArrays[TorchDtype])] as const;
    }),
  );
}

/** The data type of each storage class; the untyped one has bytes. */
const storageTypes: Readonly<Record<string, TorchDtype>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
  UntypedStorage: 'uint8',
};

/** Where the elements of tensors are. */
class Storage extends PickledName {
  readonly key: string;
  readonly dtype: TorchDtype;
  bytes: Uint8Array | undefined;
  readonly #elements = new Map<TorchDtype, TorchArrays[TorchDtype]>();

  constructor(key: string, dtype: TorchDtype) {
    super('torch', 'Storage');
    this.key = key;
    this.dtype = dtype;
  }

  elements(dtype: TorchDtype): TorchArrays[TorchDtype] {
    const bytes = this.bytes ?? refuse(`the data of storage ${quote(this.key)} are missing`);
    const known = this.#elements.get(dtype) ?? elementsOf(bytes, dtype);
    this.#elements.set(dtype, known);
    return known;
  }
}

/** The storages of a file and the tensors that view them. Data come after the pickle, so tensors are filled at last. */
class Storages {
  readonly all = new Map<string, Storage>();
  readonly #fills: (() => void)[] = [];
  readonly #views = new Map<string, TorchArrays[TorchDtype]>();
  #budget: number;

  /** @param fileBytes bounds what copies of views may take. */
  constructor(fileBytes: number) {
    this.#budget = 2 ** 20 + 4 * fileBytes;
  }

  /** The storage of a persistent id: 'storage', class, key, location, number of elements. */
  readonly persistent = (id: PickledValue): PickledValue => {
    const [kind, type, key] = Array.isArray(id) ? id : [];
    if (kind !== 'storage' || !(type instanceof PickledName) || (typeof key !== 'string' && typeof key !== 'number')) {
      return refuse('pickle: data outside of it expected a storage');
    }
    const name = type.qualified.slice(type.qualified.lastIndexOf('.') + 1);
    const dtype = Object.hasOwn(storageTypes, name)
      ? storageTypes[name]!
      : refuse(`a tensor with ${quote(name)} has a data type that is not supported`);
    const known = this.all.get(String(key)) ?? new Storage(String(key), dtype);
    this.all.set(known.key, known);
    return known;
  };

  readonly makeTensor: MakeTensor = ([storage, offset, shape, strides, given]) => {
    if (!(storage instanceof Storage)) return refuse('a tensor has no storage');
    if (!isSizes(shape) || !isSizes(strides) || shape.length !== strides.length || !isSizes([offset!])) {
      return refuse('a tensor expected an offset, sizes and strides');
    }
    const type = given instanceof PickledName ? given.qualified.replace(/^torch\./, '') : storage.dtype;
    const dtype = kindOf(type)?.dtype ?? refuse(`a tensor has the data type ${quote(type)}, which is not supported`);
    const key = `${storage.key} ${dtype} ${offset} ${shape.join()} ${strides.join()}`;
    const tensor = new TorchTensor(dtype, shape, new Float32Array(0), key);
    this.#fills.push(() => {
      let data = this.#views.get(key);
      if (!data) {
        const elements = storage.elements(dtype);
        const size = sizeOf(shape);
        this.#budget -= size;
        if (size > elements.length || this.#budget < 0) {
          refuse(
            `a tensor ${quote(`[${shape}]`)} repeats the ${elements.length} elements of its storage: save a clone()`,
          );
        }
        data =
          viewOf(elements, offset as number, shape, strides) ??
          refuse(`a tensor ${quote(`[${shape}]`)} reaches beyond the ${elements.length} elements of its storage`);
        this.#views.set(key, data);
      }
      tensor.data = data;
    });
    return tensor;
  };

  fill(): void {
    for (const fill of this.#fills) fill();
  }
}

const isSizes = (value: PickledValue | undefined): value is number[] =>
  Array.isArray(value) && value.length <= 64 && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);

/** A zip archive: `NAME/data.pkl` with its storages in `NAME/data/`. */
function readArchive(files: ReadonlyMap<string, Uint8Array>): PickledValue {
  const pickles = [...files.keys()].filter((name) => /(^|\/)data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    refuse(
      `expected one data.pkl in the archive, got ${pickles.length}${pickles.length === 0 ? otherArchive(files) : ''}`,
    );
  }
  const [name] = pickles as [string];
  const folder = name.slice(0, -'data.pkl'.length);
  const order = files.get(`${folder}byteorder`);
  if (order && latin1(order.subarray(0, 8)).trim() === 'big') refuse('its numbers are big-endian');
  let total = 0;
  for (const { length } of files.values()) total += length;
  const storages = new Storages(total);
  const { value } = readPickle(files.get(name)!, 0, torchBuilders(storages.makeTensor, storages.persistent));
  for (const storage of storages.all.values()) storage.bytes = files.get(`${folder}data/${storage.key}`);
  storages.fill();
  return value;
}

const otherArchive = (files: ReadonlyMap<string, Uint8Array>): string =>
  files.has('config.json') && files.has('model.weights.h5')
    ? '; it is a .keras file'
    : [...files.keys()].some((name) => name.endsWith('.npy'))
      ? '; it is an .npz file of NumPy'
      : '';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/**
 * The format before torch 1.6: pickles of a magic number, the protocol, the machine, the object and the keys of the
 * storages, then the storages, each with its number of elements before it.
 */
function readLegacy(bytes: Uint8Array): PickledValue {
  if (bytes.length > 262 && latin1(bytes.subarray(257, 262)) === 'ustar') {
    refuse('it is a tar file of a PyTorch before 0.1.10: load and save it by a newer one');
  }
  const storages = new Storages(bytes.length);
  const builders = torchBuilders(storages.makeTensor, storages.persistent);
  let at = 0;
  const next = (): PickledValue => {
    const { value, end } = readPickle(bytes, at, builders);
    at = end;
    return value;
  };
  const magic = next();
  if (magic !== MAGIC) return refuse('it does not begin as a file of torch.save does');
  if (next() !== PROTOCOL) refuse(`it expected protocol ${PROTOCOL}`);
  const system = next();
  if (system instanceof Map && system.get('little_endian') === false) refuse('its numbers are big-endian');
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) return refuse('the keys of its storages are missing');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys) {
    const storage = storages.all.get(String(key));
    if (!storage || storage.bytes) return refuse(`it lists storage ${quote(String(key))}, which no tensor has`);
    if (bytes.length - at < 8) return refuse('it ends too early');
    const length = Number(view.getBigInt64(at, true)) * kindOf(storage.dtype)!.bytes;
    at += 8;
    if (!(length >= 0 && length <= bytes.length - at)) return refuse('it ends too early');
    storage.bytes = bytes.subarray(at, at + length);
    at += length;
  }
  storages.fill();
  return value;
}
