import { builtIn } from './host-files.ts';

/** Chunks put together to one array. @internal */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** What gzip data holds. Throws what the host throws if it is corrupt or cut. @internal */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof DecompressionStream === 'undefined') {
    // Jest's jsdom hides it.
    const zlib = builtIn('zlib') as { gunzipSync(bytes: Uint8Array): Uint8Array } | undefined;
    if (zlib) return new Uint8Array(zlib.gunzipSync(bytes));
  }
  const { readable, writable } = new DecompressionStream('gzip');
  // Written without a Blob, for that of jsdom and of other pages that are none cannot be streamed.
  const writer = writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  // What is wrong with the bytes the reader tells, too.
  written.catch(() => {});
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks);
    chunks.push(value);
  }
}
