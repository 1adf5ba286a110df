import { builtIn } from '../../host/built-in.ts';

/** Concatenates chunks. @internal */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Decompresses gzip data. Throws the host's error if it is corrupt or cut. @internal */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof DecompressionStream === 'undefined') {
    // jsdom in Jest has no DecompressionStream; Node's zlib replaces it.
    const zlib = builtIn('zlib') as { gunzipSync(bytes: Uint8Array): Uint8Array } | undefined;
    if (zlib) return new Uint8Array(zlib.gunzipSync(bytes));
  }
  const { readable, writable } = new DecompressionStream('gzip');
  // The bytes are written without a Blob, because the Blob of jsdom cannot be streamed.
  const writer = writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  // The reader reports the same error.
  written.catch(() => {});
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks);
    chunks.push(value);
  }
}
