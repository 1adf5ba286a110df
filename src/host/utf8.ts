// An AudioWorklet has no TextDecoder, and the jsdom of Jest neither that nor a TextEncoder. URI components do the same,
// slowly.

/** Text of UTF-8 bytes, with its byte-order mark. Throws if they are not UTF-8. */
export function textOfUtf8(bytes: Uint8Array): string {
  if (typeof TextDecoder !== 'undefined')
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
}

/** UTF-8 bytes of text; half a surrogate pair becomes U+FFFD. */
export function utf8Of(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder !== 'undefined') return new TextEncoder().encode(text);
  const bytes = unescape(encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}
