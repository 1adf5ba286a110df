// An AudioWorklet has no TextDecoder, and the jsdom of Jest neither that nor a TextEncoder. URI components do the same, slowly.

/** What makes text of UTF-8 bytes, with its byte-order mark. It throws if they are not UTF-8. */
export const utf8Decoder = (): { decode(bytes: Uint8Array): string } =>
  typeof TextDecoder === 'undefined'
    ? {
        decode: (bytes) =>
          decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
      }
    : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of UTF-8 bytes; see `utf8Decoder`. */
export const textOfUtf8 = (bytes: Uint8Array): string => utf8Decoder().decode(bytes);

/** UTF-8 bytes of text; half a surrogate pair becomes U+FFFD. */
export function utf8Of(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder !== 'undefined') return new TextEncoder().encode(text);
  const bytes = unescape(encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}
