// Pickles of protocol 2 in an archive of torch.save, with opcodes that `torch.load(weights_only=True)` of PyTorch 2 takes.

import { sizeOf } from '../../checks/shape.ts';
import { utf8Of } from '../../host/utf8.ts';
import { writeZip } from '../../io/zip.ts';

/** A tensor to be written. */
export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** A value to be written. A number is an int; a float, a tuple and a tensor say what they are. A Map is a dict. */
export type WrittenValue =
  | null
  | boolean
  | number
  | string
  | { readonly float: number }
  | { readonly tuple: readonly WrittenValue[] }
  | { readonly tensor: WrittenTensor }
  | readonly WrittenValue[]
  | ReadonlyMap<string | number, WrittenValue>;

/** The bytes of a file that `torch.load` reads as `value`. */
export function writeTorch(value: WrittenValue): Uint8Array {
  const writer = new PickleWriter();
  const folder = 'archive/';
  const files = new Map([[`${folder}data.pkl`, writer.pickle(value)]]);
  files.set(`${folder}byteorder`, utf8Of('little'));
  writer.tensors.forEach(({ data }, i) => {
    files.set(`${folder}data/${i}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
  files.set(`${folder}version`, utf8Of('3\n'));
  return writeZip(files);
}

class PickleWriter {
  readonly tensors: WrittenTensor[] = [];
  readonly #bytes: number[] = [];

  pickle(value: WrittenValue): Uint8Array {
    this.#bytes.push(0x80, 2);
    this.#write(value);
    this.#text('.');
    return Uint8Array.from(this.#bytes);
  }

  /** Opcodes and lines of ASCII. */
  #text(text: string): void {
    for (const character of text) this.#bytes.push(character.charCodeAt(0));
  }

  #u32(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.#bytes.push((value >>> shift) & 255);
  }

  #all(open: string, values: Iterable<WrittenValue>, close: string): void {
    this.#text(open);
    for (const value of values) this.#write(value);
    this.#text(close);
  }

  #write(value: WrittenValue): void {
    if (value === null) this.#text('N');
    else if (typeof value === 'boolean') this.#bytes.push(value ? 0x88 : 0x89);
    else if (typeof value === 'number') {
      this.#text('J');
      this.#u32(value);
    } else if (typeof value === 'string') {
      const bytes = utf8Of(value);
      this.#text('X');
      this.#u32(bytes.length);
      this.#bytes.push(...bytes);
    } else if (value instanceof Map) this.#all('}(', [...value].flat(), 'u');
    else if (Array.isArray(value)) this.#all('](', value, 'e');
    else if ('float' in value) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, value.float);
      this.#text('G');
      this.#bytes.push(...bytes);
    } else if ('tuple' in value) this.#all('(', value.tuple, 't');
    else if ('tensor' in value) this.#tensor(value.tensor);
  }

  /** `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)` */
  #tensor(tensor: WrittenTensor): void {
    const { shape, data } = tensor;
    this.#text('ctorch._utils\n_rebuild_tensor_v2\n((');
    this.#write('storage');
    this.#text(`ctorch\n${data instanceof Float32Array ? 'FloatStorage' : 'LongStorage'}\n`);
    this.#write(String(this.tensors.length));
    this.#write('cpu');
    this.#write(data.length);
    this.#text('tQ');
    this.tensors.push(tensor);
    this.#write(0);
    this.#write({ tuple: shape });
    this.#write({ tuple: shape.map((_, axis) => sizeOf(shape.slice(axis + 1))) });
    this.#write(false);
    this.#text('ccollections\nOrderedDict\n)RtR');
  }
}
