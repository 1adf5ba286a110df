// Links and attributes of which there are many, in newer files: a heap with an index.
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, III.A.2 and III.G
import { type Cursor, type Source, UNDEFINED } from './source.ts';

/** The bytes that hold a number up to `limit`. */
function bytesFor(limit: number): number {
  let bytes = 1;
  for (let rest = Math.floor(limit / 256); rest >= 1; rest = Math.floor(rest / 256)) bytes++;
  return bytes;
}

/** Rows of blocks until one of `size` bytes or more, when each row doubles the size of the one before. */
function doublings(from: number, size: number): number {
  let rows = 0;
  for (let reached = from; reached < size && rows < 64; reached *= 2) rows++;
  return rows;
}

/**
 * The records of an index, in its order.
 *
 * @param visit gets a cursor over one record.
 */
export function eachRecord(source: Source, address: number, visit: (record: Cursor) => void): void {
  if (address === UNDEFINED) return;
  const head = source.signed(address, 34, 'BTHD', 'an index');
  head.skip(2);
  const nodeSize = head.u32();
  const recordSize = head.u16();
  const depth = head.u16();
  head.skip(2);
  const root = head.address();
  const rootCount = head.u16();
  if (recordSize === 0 || depth > 16) source.fail('an index has no records or too many levels');
  if (rootCount === 0) return;
  // The widths of the counts in an inner node follow from what a node below can hold.
  const leafCapacity = Math.floor((nodeSize - 10) / recordSize);
  const countBytes = bytesFor(leafCapacity);
  const totalBytes = [0];
  let capacity = leafCapacity;
  for (let level = 1; level <= depth; level++) {
    const pointer = 8 + countBytes + totalBytes[level - 1]!;
    const own = Math.floor((nodeSize - 10 - pointer) / (recordSize + pointer));
    capacity = (own + 1) * capacity + own;
    totalBytes.push(bytesFor(capacity));
  }
  const read = (at: number, count: number, level: number): void => {
    const node = source.signed(at, nodeSize, level === 0 ? 'BTLF' : 'BTIN', 'a node of an index');
    node.skip(2);
    for (let i = 0; i < count; i++) visit(node.part(recordSize));
    if (level === 0) return;
    for (let i = 0; i <= count; i++) {
      const child = node.address();
      const childCount = node.uint(countBytes);
      node.skip(totalBytes[level - 1]!);
      read(child, childCount, level - 1);
    }
  };
  read(root, rootCount, depth);
}

/** A heap that grows by doubling, and finds an object by its id. */
export class FractalHeap {
  readonly #source: Source;
  readonly #offsetBytes: number;
  readonly #lengthBytes: number;
  readonly #width: number;
  readonly #firstBlock: number;
  readonly #largestBlock: number;
  readonly #root: number;
  readonly #rootRows: number;
  readonly #hugeIndex: number;

  constructor(source: Source, address: number) {
    this.#source = source;
    const head = source.signed(address, 146, 'FRHP', 'a heap');
    head.skip(3);
    if (head.u16() > 0) source.fail('a heap with filters is not supported');
    head.skip(1);
    const largestObject = head.u32();
    head.skip(8);
    this.#hugeIndex = head.address();
    head.skip(80);
    this.#width = head.u16();
    this.#firstBlock = head.length();
    this.#largestBlock = head.length();
    this.#offsetBytes = Math.ceil(head.u16() / 8);
    head.skip(2);
    this.#root = head.address();
    this.#rootRows = head.u16();
    this.#lengthBytes = Math.min(bytesFor(this.#largestBlock), bytesFor(largestObject));
    if (this.#width === 0 || this.#firstBlock === 0) source.fail('a heap expected blocks of more than 0 bytes');
  }

  /** The bytes of an object. */
  object(id: Cursor): Cursor {
    const kind = (id.u8() >> 4) & 3;
    if (kind === 0) {
      const offset = id.uint(this.#offsetBytes);
      return this.#managed(offset, id.uint(this.#lengthBytes));
    }
    if (kind === 1) return this.#huge(id.uint(Math.min(8, id.left)));
    return this.#source.fail('an object of a heap expected to be in a block, got one in its id');
  }

  /** An object that is too large for blocks. */
  #huge(number: number): Cursor {
    let found: Cursor | undefined;
    eachRecord(this.#source, this.#hugeIndex, (record) => {
      const address = record.address();
      const length = record.length();
      if (record.length() === number) found = this.#source.at(address, length, 'an object of a heap');
    });
    return found ?? this.#source.fail('an object of a heap is not in its index');
  }

  #managed(offset: number, length: number): Cursor {
    let [at, start, rows] = [this.#root, 0, this.#rootRows];
    // Every turn goes into a smaller block.
    while (rows > 0) {
      const next = this.#child(at, offset - start, rows);
      [at, start, rows] = [next.address, start + next.start, next.rows];
    }
    if (at === UNDEFINED) this.#source.fail('an object of a heap is in a block that is not there');
    return this.#source.at(at + offset - start, length, 'an object of a heap');
  }

  /** Where the block is that holds an offset, within an indirect block of `rows` rows. */
  #child(address: number, offset: number, rows: number): { address: number; start: number; rows: number } {
    let start = 0;
    let size = this.#firstBlock;
    for (let row = 0; row < rows; row++) {
      // The first two rows have blocks of one size.
      if (row > 1) size *= 2;
      const column = Math.floor((offset - start) / size);
      if (column < this.#width) {
        const headSize = 13 + this.#offsetBytes;
        const entry = row * this.#width + column;
        const block = this.#source.signed(address, headSize + 8 * (entry + 1), 'FHIB', 'a block of a heap');
        block.skip(headSize - 4 + 8 * entry);
        const isDirect = size <= this.#largestBlock;
        const inner = isDirect ? 0 : doublings(this.#firstBlock * this.#width, size) + 1;
        if (!(inner < rows)) this.#source.fail('a block of a heap is not smaller than the one around it');
        return { address: block.address(), start: start + column * size, rows: inner };
      }
      start += size * this.#width;
    }
    return this.#source.fail('an object of a heap is behind its last block');
  }
}
