/**
 * Encodes bytes as the text that `decodeBase91` reads. The last bits are padded with zeros, which may add one byte.
 */
export function encodeBase91(bytes: Uint8Array): string {
  const character = (digit: number): string => String.fromCharCode(digit + (digit > 56 ? 36 : 35));
  let text = '';
  let bits = 0;
  let count = 0;
  const write = (value: number): void => {
    text += character(Math.floor(value / 91)) + character(value % 91);
  };
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfffff;
    count += 8;
    if (count < 13) continue;
    count -= 13;
    write((bits >> count) & 0x1fff);
  }
  if (count > 0) write((bits << (13 - count)) & 0x1fff);
  return text;
}
