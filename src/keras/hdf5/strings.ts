// Texts of varying length, which lie in heaps that the whole file shares.
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, III.E
import { Cursor, type Source } from './source.ts';

export class Strings {
  readonly #source: Source;
  // The texts of each heap by their number, read once.
  readonly #heaps = new Map<number, Map<number, Uint8Array>>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** The texts that references of 16 bytes name: length, address of the heap, number in the heap. */
  decode(bytes: Uint8Array, count: number): string[] {
    const cursor = new Cursor(this.#source, bytes);
    return Array.from({ length: count }, () => {
      const length = cursor.u32();
      const address = cursor.address();
      const index = cursor.u32();
      if (length === 0) return '';
      const text = this.#heap(address).get(index);
      if (!text || text.length < length) return this.#source.fail('a text is not where its reference says');
      // Many references may name one text.
      return this.#source.text(this.#source.counted(text.subarray(0, length)));
    });
  }

  #heap(address: number): Map<number, Uint8Array> {
    const known = this.#heaps.get(address);
    if (known) return known;
    const head = this.#source.signed(address, 16, 'GCOL', 'a heap of texts');
    head.skip(4);
    const heap = this.#source.at(address, head.length(), 'a heap of texts');
    heap.skip(16);
    const texts = new Map<number, Uint8Array>();
    while (heap.left >= 16) {
      const index = heap.u16();
      heap.skip(6);
      const length = heap.length();
      // What follows is free.
      if (index === 0) break;
      texts.set(index, heap.take(length));
      heap.skip(Math.min(heap.left, -length & 7));
    }
    this.#heaps.set(address, texts);
    return texts;
  }
}
