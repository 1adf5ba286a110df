import { textOfUtf8 } from '../../host/utf8.ts';

/**
 * Offset of the first byte that cannot continue the text before it; the length if the text ends inside a character.
 * @internal
 */
export function invalidUtf8(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size === 0) return at;
    // After these lead bytes the second byte has a narrower range: no overlong forms, no surrogates, nothing above
    // U+10FFFF.
    let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    for (let i = 1; i < size; i++) {
      if (at + i === bytes.length || bytes[at + i] < low || bytes[at + i] > high) return at + i;
      low = 0x80;
      high = 0xbf;
    }
    at += size;
  }
  return bytes.length;
}

/** A decoder for the parts of a file. Bytes that are not a whole character become replacements. @internal */
export function utf8Decoder(): { decode(bytes: Uint8Array): string } {
  if (typeof TextDecoder !== 'undefined') return new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    decode(bytes) {
      try {
        return textOfUtf8(bytes);
      } catch {
        return textOfUtf8(bytes.map((byte) => (byte < 0x80 ? byte : 0x3f)));
      }
    },
  };
}
