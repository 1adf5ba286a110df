// Conversions between text and UTF-8. An AudioWorklet has no TextDecoder, and Jest's jsdom has neither TextDecoder nor
// TextEncoder. There the functions for URI components replace them, which is slow.

/** Decodes UTF-8 bytes. A byte-order mark stays in the text. Throws if the bytes are not UTF-8. */
export function textOfUtf8(bytes: Uint8Array): string {
  if (typeof TextDecoder !== 'undefined')
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
}

/** Encodes text as UTF-8 bytes. Half a surrogate pair becomes U+FFFD. */
export function utf8Of(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder !== 'undefined') return new TextEncoder().encode(text);
  const bytes = unescape(encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}
