import { utf8Of } from '../host/utf8.ts';

/**
 * Writes a protocol buffer message. The caller adds the fields in ascending order, as other writers do.
 *
 * @see https://protobuf.dev/programming-guides/encoding
 */
export class MessageWriter {
  readonly #bytes: number[] = [];

  /** An int64 ≥ 0. A value of 0 is not written. */
  int64(field: number, value: number): this {
    if (value === 0) return this;
    this.#varint(field * 8);
    return this.#varint(value);
  }

  double(field: number, value: number): this {
    this.#varint(field * 8 + 1);
    return this.#fixed(8, (view) => view.setFloat64(0, value, true));
  }

  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    return this.#fixed(4, (view) => view.setFloat32(0, value, true));
  }

  string(field: number, value: string): this {
    return this.#delimited(field, utf8Of(value));
  }

  message(field: number, value: MessageWriter): this {
    return this.#delimited(field, value.#bytes);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  #varint(value: number): this {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes.push((rest % 128) + 128);
    this.#bytes.push(rest);
    return this;
  }

  #fixed(size: number, set: (view: DataView) => void): this {
    const buffer = new ArrayBuffer(size);
    set(new DataView(buffer));
    this.#bytes.push(...new Uint8Array(buffer));
    return this;
  }

  #delimited(field: number, bytes: Uint8Array | number[]): this {
    this.#varint(field * 8 + 2);
    this.#varint(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }
}
