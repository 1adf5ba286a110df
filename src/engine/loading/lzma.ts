// A decoder of LZMA. The kernels are compressed, both builds as one stream, because they differ little. LZMA makes them
// a fifth smaller than deflate, which looks back less far. The decompressors of browsers are asynchronous.
// Specification: 7-zip.org/sdk.html (lzma-specification.txt), with lc = 3, lp = 0, pb = 2.

// Offsets of the probabilities, by kind of decision. IS_MATCH and IS_LONG_REP have one for each of 12 states and 4
// positions, IS_REP to IS_REP_3 one for each state.
const IS_MATCH = 0;
const IS_LONG_REP = IS_MATCH + 48;
const IS_REP = IS_LONG_REP + 48;
const IS_REP_1 = IS_REP + 12;
const IS_REP_2 = IS_REP_1 + 12;
const IS_REP_3 = IS_REP_2 + 12;
const SLOTS = IS_REP_3 + 12;
const DISTANCES = SLOTS + 4 * 64;
const ALIGN = DISTANCES + 115;
const LENGTH = ALIGN + 16;
const REP_LENGTH = LENGTH + 322;
const LITERALS = REP_LENGTH + 322;
const COUNT = LITERALS + 8 * 0x300;

/**
 * Decompresses the first `size` bytes of LZMA data.
 *
 * @param data the coded bytes without a header. They come with the package and are not validated.
 */
export function decodeLzma(data: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  const probabilities = new Uint16Array(COUNT).fill(1024);
  let range = 0xffffffff;
  let code = 0;
  // The first byte is 0, four more are the code.
  let at = 1;
  while (at < 5) code = ((code << 8) | data[at++]!) >>> 0;

  const normalize = (): void => {
    if (range >= 1 << 24) return;
    range = (range << 8) >>> 0;
    code = ((code << 8) | data[at++]!) >>> 0;
  };
  const bit = (i: number): number => {
    normalize();
    const probability = probabilities[i]!;
    const bound = (range >>> 11) * probability;
    if (code < bound) {
      range = bound;
      probabilities[i]! += (2048 - probability) >> 5;
      return 0;
    }
    range -= bound;
    code -= bound;
    probabilities[i]! -= probability >> 5;
    return 1;
  };
  const evenBits = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) {
      normalize();
      range >>>= 1;
      const one = Number(code >= range);
      code -= one * range;
      value = (value << 1) | one;
    }
    return value;
  };
  const tree = (base: number, bits: number): number => {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | bit(base + node);
    return node - (1 << bits);
  };
  const reversedTree = (base: number, bits: number): number => {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const one = bit(base + node);
      node = (node << 1) | one;
      value |= one << i;
    }
    return value;
  };
  const lengthOf = (base: number, position: number): number => {
    if (!bit(base)) return tree(base + 2 + 8 * position, 3);
    if (!bit(base + 1)) return 8 + tree(base + 34 + 8 * position, 3);
    return 16 + tree(base + 66, 8);
  };
  const distanceOf = (length: number): number => {
    const slot = tree(SLOTS + 64 * Math.min(length, 3), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const first = (2 | (slot & 1)) << bits;
    if (slot < 14) return first + reversedTree(DISTANCES + first - slot, bits);
    return first + (evenBits(bits - 4) << 4) + reversedTree(ALIGN, 4);
  };

  let state = 0;
  const reps = [0, 0, 0, 0];
  const literal = (end: number): number => {
    const base = LITERALS + 0x300 * ((out[end - 1] ?? 0) >> 5);
    let node = 1;
    // After a match, the next byte is not the byte that would continue the match. That byte selects the probabilities
    // of this one.
    if (state >= 7) {
      let match = out[end - reps[0]! - 1]!;
      while (node < 0x100) {
        const expected = (match >> 7) & 1;
        match <<= 1;
        const one = bit(base + ((1 + expected) << 8) + node);
        node = (node << 1) | one;
        if (one !== expected) break;
      }
    }
    while (node < 0x100) node = (node << 1) | bit(base + node);
    return node;
  };

  for (let end = 0; end < size; ) {
    const position = end & 3;
    if (!bit(IS_MATCH + 4 * state + position)) {
      out[end] = literal(end);
      end++;
      state = state < 4 ? 0 : state - (state < 10 ? 3 : 6);
      continue;
    }
    const fresh = state < 7;
    let length: number;
    if (!bit(IS_REP + state)) {
      length = 2 + lengthOf(LENGTH, position);
      reps.unshift(distanceOf(length - 2));
      reps.pop();
      state = fresh ? 7 : 10;
    } else {
      const which = bit(IS_REP_1 + state) && 1 + (bit(IS_REP_2 + state) && 1 + bit(IS_REP_3 + state));
      const isLong = which > 0 || bit(IS_LONG_REP + 4 * state + position);
      reps.unshift(...reps.splice(which, 1));
      length = isLong ? 2 + lengthOf(REP_LENGTH, position) : 1;
      state = (isLong ? 8 : 9) + (fresh ? 0 : isLong ? 3 : 2);
    }
    const back = reps[0]! + 1;
    for (const stop = Math.min(end + length, size); end < stop; end++) out[end] = out[end - back]!;
  }
  return out;
}
