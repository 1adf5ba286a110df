// Deflate backwards (RFC 1951): the kernels travel compressed, and one build as its difference to the other. The host's own
// decompressor is asynchronous and takes no dictionary.

// Length codes 257…285 and distance codes 0…29: bits that follow, and the first value, which rises by 2^bits from code to code.
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BITS = Array.from({ length: 30 }, (_, code) => Math.max(0, (code >> 1) - 1));
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const basesOf = (first: number, bits: readonly number[]): number[] => bits.map((n) => (first += 1 << n) - (1 << n));
const LENGTHS = basesOf(3, LENGTH_BITS);
LENGTHS[28] = 258;
const DISTANCES = basesOf(1, DISTANCE_BITS);

/** What any next `width` bits begin with, as symbol · 16 + length. */
interface Huffman {
  table: Uint16Array;
  width: number;
}

function huffman(lengths: ArrayLike<number>): Huffman {
  const counts = new Uint16Array(17);
  for (let i = 0; i < lengths.length; i++) counts[lengths[i]!]!++;
  counts[0] = 0;
  let width = 15;
  while (width > 1 && counts[width] === 0) width--;
  // The first code of each length; codes stand in the stream with their first bit lowest.
  const next = new Uint16Array(17);
  for (let length = 1; length <= width; length++) next[length + 1] = (next[length]! + counts[length]!) << 1;
  const table = new Uint16Array(1 << width);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    let code = next[length]!++;
    let reversed = 0;
    for (let bit = 0; bit < length; bit++, code >>= 1) reversed = (reversed << 1) | (code & 1);
    for (let i = reversed; i < table.length; i += 1 << length) table[i] = (symbol << 4) | length;
  }
  return { table, width };
}

/**
 * The bytes that raw deflate data stand for.
 *
 * @param data a whole stream, trusted: it is the package's own.
 * @param size how many bytes come out.
 * @param dictionary what the compressor was told had come before.
 */
export function inflateRaw(data: Uint8Array, size: number, dictionary = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const before = dictionary.length;
  const out = new Uint8Array(before + size);
  out.set(dictionary);
  let end = before;
  let at = 0;
  let buffer = 0;
  let buffered = 0;

  const bits = (count: number): number => {
    while (buffered < count) {
      buffer |= data[at++]! << buffered;
      buffered += 8;
    }
    const value = buffer & ((1 << count) - 1);
    buffer >>>= count;
    buffered -= count;
    return value;
  };
  const symbol = ({ table, width }: Huffman): number => {
    // Past the end there is nothing, which counts as zeros.
    while (buffered < width) {
      buffer |= data[at++]! << buffered;
      buffered += 8;
    }
    const entry = table[buffer & (table.length - 1)]!;
    buffer >>>= entry & 15;
    buffered -= entry & 15;
    return entry >> 4;
  };
  const dynamicCodes = (): [Huffman, Huffman] => {
    const [literals, distances, used] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
    const ofLengths = new Uint8Array(19);
    for (let i = 0; i < used; i++) ofLengths[CODE_LENGTH_ORDER[i]!] = bits(3);
    const code = huffman(ofLengths);
    const lengths: number[] = [];
    while (lengths.length < literals + distances) {
      const next = symbol(code);
      if (next < 16) lengths.push(next);
      else if (next === 16) lengths.push(...new Array(bits(2) + 3).fill(lengths.at(-1)));
      else lengths.push(...new Array(next === 17 ? bits(3) + 3 : bits(7) + 11).fill(0));
    }
    return [huffman(lengths.slice(0, literals)), huffman(lengths.slice(literals))];
  };
  const fixedCodes = (): [Huffman, Huffman] => [
    huffman(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
    huffman(new Uint8Array(30).fill(5)),
  ];

  for (let isLast = 0; !isLast; ) {
    isLast = bits(1);
    const kind = bits(2);
    if (kind === 0) {
      at -= buffered >> 3;
      buffer = buffered = 0;
      const length = data[at]! | (data[at + 1]! << 8);
      out.set(data.subarray(at + 4, at + 4 + length), end);
      at += 4 + length;
      end += length;
      continue;
    }
    const [literals, distances] = kind === 1 ? fixedCodes() : dynamicCodes();
    for (let code = symbol(literals); code !== 256; code = symbol(literals)) {
      if (code < 256) {
        out[end++] = code;
        continue;
      }
      const length = LENGTHS[code - 257]! + bits(LENGTH_BITS[code - 257]!);
      const back = symbol(distances);
      const distance = DISTANCES[back]! + bits(DISTANCE_BITS[back]!);
      if (distance >= length) {
        out.copyWithin(end, end - distance, end - distance + length);
        end += length;
      } else for (let i = 0; i < length; i++, end++) out[end] = out[end - distance]!;
    }
  }
  return out.slice(before, end);
}
