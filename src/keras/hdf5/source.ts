// The bytes of an HDF5 file, behind checks: every read is inside the file, and all reads together are bounded, so that
// no file can make its reader loop or take memory without end.
import { textOfUtf8 } from '../../host/utf8.ts';
import { describe } from '../../io/parsed-json.ts';
import { ModelFileError } from '../../io/safetensors.ts';

/** The address of what was never written. */
export const UNDEFINED = -1;

/** How often the bytes of a file may be read, on average. A whole file reads its structures once, its values twice. */
const READS_PER_BYTE = 16;

/** What may come out of compressed chunks of one file, in bytes. */
const MAX_INFLATED = 2 ** 30;

export class Source {
  readonly bytes: Uint8Array;
  readonly #file: string | undefined;
  /** Where addresses count from. */
  base = 0;
  #left: number;
  #inflated = MAX_INFLATED;

  constructor(bytes: Uint8Array, file: string | undefined) {
    this.bytes = bytes;
    this.#file = file;
    this.#left = READS_PER_BYTE * bytes.length + 2 ** 16;
  }

  readonly fail = (message: string): never => {
    throw new ModelFileError(`HDF5: ${message}`, { file: this.#file });
  };

  /** A cursor over the `length` bytes at an address. Throws if they are not in the file. */
  at(address: number, length: number, what: string): Cursor {
    const start = this.base + address;
    if (address < 0 || !Number.isSafeInteger(start + length) || start + length > this.bytes.length) {
      this.fail(`${what} expected inside the ${this.bytes.length} bytes of the file, got ${length} at ${address}`);
    }
    return new Cursor(this, this.counted(this.bytes.subarray(start, start + length)));
  }

  /** Returns bytes that are about to be read, and counts them. Throws if more are read than a file can need. */
  counted(bytes: Uint8Array): Uint8Array {
    this.#left -= bytes.length + 8;
    if (this.#left < 0) this.fail('its structures refer to more than it holds');
    return bytes;
  }

  /** A cursor behind a signature of four letters. */
  signed(address: number, length: number, signature: string, what: string): Cursor {
    const cursor = this.at(address, length, what);
    cursor.expectSignature(signature, what);
    return cursor;
  }

  /** A text without the zeros that fill its place. Throws if it is not UTF-8. */
  text(bytes: Uint8Array): string {
    let length = bytes.length;
    while (length > 0 && bytes[length - 1] === 0) length--;
    try {
      return textOfUtf8(bytes.subarray(0, length));
    } catch {
      return this.fail('a text expected to be UTF-8, got bytes that are not');
    }
  }

  /** Throws if compressed chunks give more than a file may. */
  inflate(length: number): void {
    this.#inflated -= length;
    if (!(this.#inflated >= 0)) this.fail(`more than ${MAX_INFLATED} bytes would come out of its compressed chunks`);
  }
}

/** Reads little-endian numbers one after another. Throws at the end of its bytes. */
export class Cursor {
  readonly source: Source;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  offset = 0;

  constructor(source: Source, bytes: Uint8Array) {
    this.source = source;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A cursor at the beginning of the same bytes. */
  again(): Cursor {
    return new Cursor(this.source, this.bytes);
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  /** Moves on by `length` bytes and returns where they begin. */
  skip(length: number): number {
    const start = this.offset;
    if (!(length >= 0 && length <= this.left)) {
      this.source.fail(`a structure of ${this.bytes.length} bytes ends before its content`);
    }
    this.offset += length;
    return start;
  }

  u8(): number {
    return this.bytes[this.skip(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  /** An unsigned number of 1 to 8 bytes. Throws above 2^53. */
  uint(size: number): number {
    const start = this.skip(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.bytes[start + i]!;
    if (value > Number.MAX_SAFE_INTEGER) this.source.fail('a length or an address is above 2^53');
    return value;
  }

  length(): number {
    return this.uint(8);
  }

  /** An address; `UNDEFINED` if all its bits are set. */
  address(): number {
    const start = this.skip(8);
    if (this.bytes.subarray(start, start + 8).every((byte) => byte === 255)) return UNDEFINED;
    this.offset = start;
    return this.uint(8);
  }

  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A cursor over the next `length` bytes. */
  part(length: number): Cursor {
    return new Cursor(this.source, this.take(length));
  }

  expectSignature(signature: string, what: string): void {
    const got = String.fromCharCode(...this.take(signature.length));
    if (got !== signature) this.source.fail(`${what} expected to begin with ${signature}, got ${describe(got)}`);
  }
}
