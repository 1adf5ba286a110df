// Writes HDF5 files in the form of h5py's default, which every version of the library reads: groups with symbol tables,
// datasets in one piece, texts as attributes. https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
import { utf8Of } from '../../host/utf8.ts';

/** What is written: numbers, or a group of members. */
export type HdfInput = HdfGroupInput | HdfDatasetInput;

export interface HdfDatasetInput {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

export interface HdfGroupInput {
  readonly attributes?: Readonly<Record<string, string>>;
  /** By name. A name has neither `/` nor zeros. */
  readonly members: ReadonlyMap<string, HdfInput>;
}

/** Entries of a symbol node, and children of a tree's node: twice the numbers in the file's head. */
const SYMBOLS = 8;
const CHILDREN = 32;
const UNDEFINED = 0xffff_ffff_ffff_ffffn;

/** A growing file. */
class Output {
  #bytes = new Uint8Array(2 ** 16);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  /** Takes `size` bytes of zeros at a multiple of 8, and returns where they are. */
  reserve(size: number): number {
    const at = this.length;
    this.length = (at + size + 7) & ~7;
    if (this.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  set(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  /** Writes numbers of the given sizes one after another, and returns the end. */
  put(at: number, ...fields: readonly (readonly [size: 1 | 2 | 4 | 8, value: number | bigint])[]): number {
    for (const [size, value] of fields) {
      if (size === 1) this.#view.setUint8(at, Number(value));
      else if (size === 2) this.#view.setUint16(at, Number(value), true);
      else if (size === 4) this.#view.setUint32(at, Number(value), true);
      else this.#view.setBigUint64(at, BigInt(value), true);
      at += size;
    }
    return at;
  }

  text(at: number, text: string): number {
    this.set(at, utf8Of(text));
    return at + utf8Of(text).length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }
}

/**
 * Writes an HDF5 file.
 *
 * @param root its outermost group.
 * @returns the whole file; the caller owns it. Equal input gives equal bytes.
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 */
export function writeHdf5(root: HdfGroupInput): Uint8Array<ArrayBuffer> {
  const out = new Output();
  const head = out.reserve(96);
  const { header, tree, names } = writeGroup(out, root);
  out.set(head, Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a));
  let at = out.put(head + 8, [4, 0], [1, 0], [1, 8], [1, 8], [1, 0], [2, SYMBOLS / 2], [2, CHILDREN / 2], [4, 0]);
  at = out.put(at, [8, 0], [8, UNDEFINED], [8, out.length], [8, UNDEFINED]);
  out.put(at, [8, 0], [8, header], [4, 1], [4, 0], [8, tree], [8, names]);
  return out.finish();
}

interface Written {
  /** Addresses of the object's header and, of a group, of its tree and its names. */
  readonly header: number;
  readonly tree: number;
  readonly names: number;
}

interface Message {
  readonly type: number;
  /** A multiple of 8. */
  readonly size: number;
  write(at: number): void;
}

function writeHeader(out: Output, messages: readonly Message[]): number {
  const size = messages.reduce((sum, message) => sum + 8 + message.size, 0);
  const header = out.reserve(16 + size);
  let at = out.put(header, [1, 1], [1, 0], [2, messages.length], [4, 1], [4, size]) + 4;
  for (const message of messages) {
    message.write(out.put(at, [2, message.type], [2, message.size], [4, 0]));
    at += 8 + message.size;
  }
  return header;
}

function writeGroup(out: Output, { attributes = {}, members }: HdfGroupInput): Written {
  const children = [...members]
    .map(([name, input]) => ({ name, bytes: utf8Of(name), input }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ name, bytes, input }) => ({ name, bytes, ...writeObject(out, input), isGroup: 'members' in input }));

  // The empty name is first: the tree's first key refers to it.
  let end = 8;
  const offsets = children.map(({ bytes }) => {
    const start = end;
    end += (bytes.length + 8) & ~7;
    return start;
  });
  // A heap has room for its list of free blocks, which is one block.
  const data = out.reserve(end + 16);
  children.forEach(({ bytes }, i) => out.set(data + offsets[i]!, bytes));
  out.put(data + end, [8, 1], [8, 16]);
  const names = out.reserve(32);
  out.put(out.text(names, 'HEAP'), [4, 0], [8, end + 16], [8, end], [8, data]);

  let nodes = chunked(children, SYMBOLS).map((entries, index) => {
    const node = out.reserve(8 + 40 * SYMBOLS);
    let at = out.put(out.text(node, 'SNOD'), [1, 1], [1, 0], [2, entries.length]);
    for (const [i, { header, isGroup, ...own }] of entries.entries()) {
      const cached = isGroup ? ([own.tree, own.names] as const) : ([0, 0] as const);
      const offset = offsets[index * SYMBOLS + i]!;
      at = out.put(at, [8, offset], [8, header], [4, isGroup ? 1 : 0], [4, 0], [8, cached[0]], [8, cached[1]]);
    }
    return { at: node, first: 0, last: offsets[index * SYMBOLS + entries.length - 1]! };
  });
  let level = 0;
  do {
    let before = 0;
    const groups = nodes.length > 0 ? chunked(nodes, CHILDREN) : [[]];
    const made = groups.map((group) => {
      const node = out.reserve(24 + 16 * CHILDREN + 8);
      const first = before;
      let at = out.put(out.text(node, 'TREE'), [1, 0], [1, level], [2, group.length]);
      at = out.put(at, [8, UNDEFINED], [8, UNDEFINED], [8, first]);
      for (const child of group) {
        at = out.put(at, [8, child.at], [8, child.last]);
        before = child.last;
      }
      return { at: node, first, last: before };
    });
    // Siblings know each other.
    made.forEach(({ at }, i) => {
      out.put(at + 8, [8, made[i - 1]?.at ?? UNDEFINED], [8, made[i + 1]?.at ?? UNDEFINED]);
    });
    nodes = made;
    level++;
  } while (nodes.length > 1);

  const tree = nodes[0]!.at;
  const header = writeHeader(out, [
    { type: 0x11, size: 16, write: (at) => out.put(at, [8, tree], [8, names]) },
    ...Object.entries(attributes).map(([name, text]) => attribute(out, name, text)),
  ]);
  return { header, tree, names };
}

const writeObject = (out: Output, input: HdfInput): Written =>
  'members' in input ? writeGroup(out, input) : { header: writeDataset(out, input), tree: 0, names: 0 };

function writeDataset(out: Output, { shape, data }: HdfDatasetInput): number {
  const values = out.reserve(data.byteLength);
  // Typed arrays have the byte order of WebAssembly's hosts, which is the one of the file.
  out.set(values, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return writeHeader(out, [
    shapeMessage(out, shape),
    { type: 0x3, size: data instanceof Float32Array ? 24 : 16, write: (at) => putNumberType(out, at, data) },
    // No value where none is written: version 2, space taken early, fill value never written.
    { type: 0x5, size: 8, write: (at) => out.put(at, [1, 2], [1, 1], [1, 1], [1, 0]) },
    {
      type: 0x8,
      size: 24,
      write: (at) => out.put(at, [1, 3], [1, 1], [8, data.length === 0 ? UNDEFINED : values], [8, data.byteLength]),
    },
  ]);
}

const shapeMessage = (out: Output, shape: readonly number[]): Message => ({
  type: 0x1,
  size: 8 + 8 * shape.length,
  write: (at) => putShape(out, at, shape),
});

const putShape = (out: Output, at: number, shape: readonly number[]): number =>
  out.put(at, [1, 1], [1, shape.length], [2, 0], [4, 0], ...shape.map((size) => [8, size] as const));

/** IEEE 754 of single precision, or signed integers; little-endian. */
function putNumberType(out: Output, at: number, data: HdfDatasetInput['data']): void {
  if (data instanceof Float32Array) {
    at = out.put(at, [1, 0x11], [1, 0x20], [1, 31], [1, 0], [4, 4], [2, 0], [2, 32]);
    out.put(at, [1, 23], [1, 8], [1, 0], [1, 23], [4, 127]);
  } else {
    const size = data.BYTES_PER_ELEMENT;
    out.put(at, [1, 0x10], [1, 0x08], [2, 0], [4, size], [2, 0], [2, 8 * size]);
  }
}

/** One text as h5py writes it: of varying length, in a heap of its own. */
function attribute(out: Output, name: string, text: string): Message {
  const [nameBytes, bytes] = [utf8Of(name), utf8Of(text)];
  // A heap has 4,096 bytes at least.
  const heapSize = Math.max(4096, (16 + 16 + bytes.length + 16 + 7) & ~7);
  const heap = out.reserve(heapSize);
  let at = out.put(out.text(heap, 'GCOL'), [4, 1], [8, heapSize]);
  at = out.put(at, [2, 1], [2, 0], [4, 0], [8, bytes.length]);
  out.set(at, bytes);
  at += (bytes.length + 7) & ~7;
  out.put(at, [2, 0], [2, 0], [4, 0], [8, heap + heapSize - at]);
  const nameSize = (nameBytes.length + 8) & ~7;
  return {
    type: 0xc,
    size: 8 + nameSize + 24 + 8 + 16,
    write(start) {
      let next = out.put(start, [1, 1], [1, 0], [2, nameBytes.length + 1], [2, 20], [2, 8]);
      out.set(next, nameBytes);
      next += nameSize;
      // A text of varying length, ended by 0, in UTF-8; its base is one such byte.
      next = out.put(next, [1, 0x19], [1, 0x01], [1, 0x01], [1, 0], [4, 16]);
      next = out.put(next, [1, 0x13], [1, 0x10], [1, 0], [1, 0], [4, 1]) + 8;
      next = putShape(out, next, []);
      out.put(next, [4, bytes.length], [8, heap], [4, 1]);
    },
  };
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function chunked<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
