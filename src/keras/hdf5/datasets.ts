// Where the values of a dataset lie: in its header, in one piece, or in chunks, which may be compressed.
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, IV.A.2.i and IV.A.2.l
import { inflateZlib } from '../../io/zip.ts';
import { eachLeaf } from './groups.ts';
import { contentOf, MESSAGE, type Message } from './objects.ts';
import { type Cursor, type Source, UNDEFINED } from './source.ts';
import type { HdfArray } from './tree.ts';
import { countOf, readDatatype, readShape, type Texts } from './values.ts';

/** The shape and the values of the dataset with these messages. */
export function readDataset(source: Source, messages: readonly Message[], texts: Texts): HdfArray {
  const part = (type: number, what: string): Cursor =>
    contentOf(messages, type, what) ?? source.fail(`a dataset has no ${what}`);
  const shape = readShape(part(MESSAGE.dataspace, 'shape'));
  const count = countOf(source, shape);
  return {
    shape,
    values() {
      const type = readDatatype(part(MESSAGE.datatype, 'type').again(), texts);
      const layout = part(MESSAGE.layout, 'layout').again();
      const filters = contentOf(messages, MESSAGE.filters, 'filters')?.again();
      const bytes = count === 0 ? new Uint8Array(0) : bytesOf(layout, { shape, size: type.size, filters });
      return type.decode(bytes, count);
    },
  };
}

interface Stored {
  readonly shape: readonly number[];
  /** Bytes of one value. */
  readonly size: number;
  readonly filters: Cursor | undefined;
}

const COMPACT = 0;
const CONTIGUOUS = 1;
const CHUNKED = 2;

function bytesOf(layout: Cursor, stored: Stored): Uint8Array {
  const { source } = layout;
  const length = countOf(source, [...stored.shape, stored.size]);
  const version = layout.u8();
  if (version !== 3 && version !== 4) source.fail(`a layout expected version 3 or 4, got ${version}`);
  const kind = layout.u8();
  if (kind === COMPACT) {
    const bytes = layout.take(layout.u16());
    if (bytes.length < length) source.fail(`a dataset of ${length} bytes has only ${bytes.length}`);
    return source.counted(bytes.subarray(0, length));
  }
  if (kind === CONTIGUOUS) {
    const address = layout.address();
    const size = layout.length();
    if (address === UNDEFINED) source.fail('a dataset has no values: none were ever written');
    if (size < length) source.fail(`a dataset of ${length} bytes has only ${size}`);
    return source.at(address, length, 'a dataset').bytes;
  }
  if (kind !== CHUNKED) source.fail('datasets that are made of other datasets are not supported');
  return version === 3 ? treeOfChunks(layout, stored) : newChunks(layout, stored);
}

/** Chunks by the older tree. */
function treeOfChunks(layout: Cursor, stored: Stored): Uint8Array {
  const { source } = layout;
  const rank = layout.u8() - 1;
  const tree = layout.address();
  const dims = Array.from({ length: rank }, () => layout.u32());
  const assembly = assemble(source, dims, stored);
  if (tree !== UNDEFINED) {
    eachLeaf(source, tree, {
      type: 1,
      keySize: 8 + 8 * (rank + 1),
      visit(key, address) {
        const size = key.u32();
        const mask = key.u32();
        const offsets = dims.map(() => key.length());
        assembly.put(offsets, source.at(address, size, 'a chunk').bytes, mask);
      },
    });
  }
  return assembly.whole();
}

/** Chunks by the newer indexes, of which the two without an index are read. */
function newChunks(layout: Cursor, stored: Stored): Uint8Array {
  const { source } = layout;
  const flags = layout.u8();
  const rank = layout.u8() - 1;
  const width = layout.u8();
  const dims = Array.from({ length: rank }, () => layout.uint(width));
  layout.skip(width);
  const index = layout.u8();
  const assembly = assemble(source, dims, stored);
  const chunkBytes = countOf(source, [...dims, stored.size]);
  if (index === 1) {
    const isFiltered = (flags & 2) !== 0;
    const size = isFiltered ? layout.length() : chunkBytes;
    const mask = isFiltered ? layout.u32() : 0;
    assembly.put(
      dims.map(() => 0),
      source.at(layout.address(), size, 'a chunk').bytes,
      mask,
    );
  } else if (index === 2) {
    let at = layout.address();
    for (const offsets of assembly.grid()) {
      assembly.put(offsets, source.at(at, chunkBytes, 'a chunk').bytes, 0);
      at += chunkBytes;
    }
  } else {
    source.fail('a dataset in chunks by one of the newer indexes is not supported; write it without chunks');
  }
  return assembly.whole();
}

/** Puts chunks together. */
function assemble(source: Source, dims: readonly number[], { shape, size, filters }: Stored) {
  if (dims.length !== shape.length || dims.some((dim) => dim === 0)) {
    source.fail(`chunks [${dims.join(', ')}] do not fit a dataset [${shape.join(', ')}]`);
  }
  const unfilter = readFilters(source, filters, size);
  const chunkBytes = countOf(source, [...dims, size]);
  const counts = shape.map((length, axis) => Math.ceil(length / dims[axis]!));
  const expected = countOf(source, counts);
  const length = countOf(source, [...shape, size]);
  source.inflate(length);
  // Every chunk takes bytes of the file, so that there are not more chunks than bytes.
  if (expected > source.bytes.length) source.fail(`a dataset has fewer chunks than its ${expected}`);
  let bytes: Uint8Array | undefined;
  const seen = new Set<number>();
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, size));
  const copy = (chunk: Uint8Array, offsets: readonly number[]): void => {
    // Rows along the last axis are contiguous in both.
    const last = shape.length - 1;
    const rowBytes = Math.min(dims[last]!, shape[last]! - offsets[last]!) * size;
    const walk = (axis: number, from: number, to: number): void => {
      if (axis === last) bytes!.set(chunk.subarray(from, from + rowBytes), to + offsets[last]! * size);
      else {
        const inner = dims.slice(axis + 1).reduce((product, n) => product * n, size);
        const rows = Math.min(dims[axis]!, shape[axis]! - offsets[axis]!);
        for (let i = 0; i < rows; i++) walk(axis + 1, from + i * inner, to + (offsets[axis]! + i) * strides[axis]!);
      }
    };
    walk(0, 0, 0);
  };
  return {
    put(offsets: readonly number[], raw: Uint8Array, mask: number): void {
      const fits = offsets.every((at, axis) => at % dims[axis]! === 0 && at < shape[axis]!);
      const place = offsets.reduce((index, at, axis) => index * counts[axis]! + at / dims[axis]!, 0);
      if (!fits || seen.has(place))
        source.fail(`a chunk is outside its dataset or there twice: [${offsets.join(', ')}]`);
      seen.add(place);
      source.inflate(chunkBytes);
      const chunk = unfilter(raw, chunkBytes, mask);
      if (chunk.length !== chunkBytes) source.fail(`a chunk expected ${chunkBytes} bytes, got ${chunk.length}`);
      bytes ??= new Uint8Array(length);
      copy(chunk, offsets);
    },
    *grid(): Generator<number[]> {
      for (let place = 0; place < expected; place++) {
        let rest = place;
        const offsets = counts.map(() => 0);
        for (let axis = counts.length - 1; axis >= 0; axis--) {
          offsets[axis] = (rest % counts[axis]!) * dims[axis]!;
          rest = Math.floor(rest / counts[axis]!);
        }
        yield offsets;
      }
    },
    whole(): Uint8Array {
      if (seen.size !== expected) source.fail(`a dataset has ${seen.size} of its ${expected} chunks`);
      return bytes!;
    },
  };
}

type Unfilter = (raw: Uint8Array, length: number, mask: number) => Uint8Array;

/** Reads the filters of chunks. The result undoes them; a bit of `mask` says that a chunk was not filtered. */
function readFilters(source: Source, cursor: Cursor | undefined, size: number): Unfilter {
  const undo: Unfilter[] = [];
  if (cursor) {
    const version = cursor.u8();
    const count = cursor.u8();
    if (version === 1) cursor.skip(6);
    else if (version !== 2) source.fail(`filters expected version 1 or 2, got ${version}`);
    for (let i = 0; i < count; i++) {
      const id = cursor.u16();
      const nameSize = version === 1 || id >= 256 ? cursor.u16() : 0;
      cursor.skip(2);
      const values = cursor.u16();
      cursor.skip(version === 1 ? (nameSize + 7) & ~7 : nameSize);
      cursor.skip(4 * values + (version === 1 && values % 2 === 1 ? 4 : 0));
      if (id === 1) undo.push((raw, length) => inflate(source, raw, length));
      else if (id === 2) undo.push((raw) => unshuffle(raw, size));
      else if (id === 3) undo.push((raw) => raw.subarray(0, Math.max(0, raw.length - 4)));
      else source.fail(`filter ${id} is not supported; those of gzip, shuffle and fletcher32 are`);
    }
  }
  return (raw, length, mask) =>
    undo.reduceRight((bytes, one, i) => ((mask >> i) & 1 ? bytes : one(bytes, length, mask)), raw);
}

function inflate(source: Source, raw: Uint8Array, length: number): Uint8Array {
  try {
    // A check sum of 4 bytes may be part of what was compressed.
    return inflateZlib(raw, length + 4);
  } catch (error) {
    return source.fail(`a compressed chunk is damaged: ${(error as Error).message}`);
  }
}

/** Undoes the shuffle filter, which puts first bytes of all values first, then the second ones. */
function unshuffle(raw: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(raw.length / size);
  const bytes = raw.slice();
  for (let k = 0; k < size; k++) for (let i = 0; i < count; i++) bytes[i * size + k] = raw[k * count + i]!;
  return bytes;
}
