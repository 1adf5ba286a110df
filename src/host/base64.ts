const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes of padded base64 text. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  // An AudioWorklet has no atob.
  if (typeof atob === 'undefined') return decodeBase64Alone(text);
  const characters = atob(text);
  // A loop takes a fifth of the time of `Uint8Array.from` when it is run for the first time, and that is all it is run.
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** The same without the host's help. */
export function decodeBase64Alone(text: string): Uint8Array<ArrayBuffer> {
  const length = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    bits = (bits << 6) | DIGITS.indexOf(text[i]!);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes[at++] = (bits >> count) & 0xff;
  }
  return bytes;
}

/**
 * The same for what Node's entries hold: its `Buffer` takes 0.1 ms the first time. Who requires the package in a page
 * has none.
 */
export const decodeInlined = (text: string): Uint8Array<ArrayBuffer> =>
  typeof Buffer === 'undefined' ? decodeBase64(text) : Buffer.from(text, 'base64');
