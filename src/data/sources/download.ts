import { joined } from './byte-stream.ts';
import { reasonOf, SourceError } from './data-error.ts';
import type { CacheEntry, Journal, Part } from './download-cache.ts';

export interface DownloadOptions {
  /** Replaces the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * Aborts the download with the signal's reason. If the server names versions, the bytes received so far are kept, and
   * the next call resumes.
   */
  signal?: AbortSignal | undefined;
  /** Called as bytes arrive, with the number received and, if known, the total. */
  onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/**
 * Fetches a file. If the cache has its beginning and the server still has that version, it resumes from there.
 *
 * @param entry the prepared cache entry that records the download; without it nothing is kept.
 * @returns the whole file, not yet in the cache: the caller verifies it first.
 * @throws SourceError of code `network`, `http`, `cut` or `cache`; the signal's reason if it is aborted.
 */
export async function download(
  url: string,
  entry: CacheEntry | undefined,
  options: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const part = await entry?.findPart();
  const first = await ask(url, part, options);
  if (part) {
    const { status, headers } = first;
    if (status === 206 && continues(first, part)) return receive(url, first, { part, entry, options });
    // The server has no bytes after the end of the part: the part was complete, but was not renamed.
    if (status === 416 && headers.get('content-range') === `bytes */${part.bytes.length}`) return part.bytes;
    if (status === 416 || status === 206) {
      await first.body?.cancel();
      await entry?.dropParts();
      return receive(url, await ask(url, undefined, options), { part: undefined, entry, options });
    }
    // Either the server has another version, which makes the part useless, or it does not support ranges.
    if (status === 200 && strongTag(first) !== part.etag) await entry?.dropParts();
  }
  return receive(url, first, { part: undefined, entry, options });
}

async function ask(url: string, part: Part | undefined, options: DownloadOptions): Promise<Response> {
  const { fetch = globalThis.fetch, signal } = options;
  if (typeof fetch !== 'function') {
    throw new SourceError(
      'host',
      `cannot download ${url}: this host has no fetch (Jest's jsdom hides it); the option fetch stands in for it`,
    );
  }
  // The bytes of a compressed transfer can be neither counted nor resumed. Pages may not set this header, and have no
  // parts.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (part) Object.assign(headers, { range: `bytes=${part.bytes.length}-`, 'if-range': part.etag });
  try {
    return await fetch(url, { headers, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    throw new SourceError('network', `cannot download ${url}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Whether a response with status 206 has exactly the missing bytes of the part. */
function continues({ headers }: Response, { bytes, etag }: Part): boolean {
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '');
  const [from, last, total] = range?.slice(1).map(Number) ?? [];
  return from === bytes.length && last! + 1 === total && (headers.get('etag') ?? etag) === etag;
}

/** The strong entity tag of a response. A weak tag does not guarantee equal bytes. */
function strongTag({ headers }: Response): string | undefined {
  const etag = headers.get('etag');
  return etag && !etag.startsWith('W/') && isPlain(headers) ? etag : undefined;
}

const isPlain = (headers: Headers): boolean => (headers.get('content-encoding') ?? 'identity') === 'identity';

interface Receiving {
  part: Part | undefined;
  entry: CacheEntry | undefined;
  options: DownloadOptions;
}

async function receive(
  url: string,
  response: Response,
  { part, entry, options: { signal, onProgress } }: Receiving,
): Promise<Uint8Array<ArrayBuffer>> {
  const { status, statusText, headers, body } = response;
  if (status !== (part ? 206 : 200)) {
    await body?.cancel();
    const got = `HTTP ${status}${statusText && ` ${statusText}`}`;
    throw new SourceError('http', `${url}: expected the file, got ${got}`, { status });
  }
  const chunks: Uint8Array[] = part ? [part.bytes] : [];
  let received = part?.bytes.length ?? 0;
  const length = headers.get('content-length');
  const total = length !== null && isPlain(headers) ? received + Number(length) : undefined;

  const etag = part?.etag ?? strongTag(response);
  const reader = body?.getReader();
  let journal: Journal | undefined;
  const cut = (cause?: unknown): SourceError => {
    const next = journal
      ? `they are kept in ${journal.path}, and the next call goes on from there`
      : 'the next call begins anew';
    const told = cause === undefined ? '' : ` (${reasonOf(cause)})`;
    const message = `${url}: the download was cut at ${received} of ${total ?? 'unknown'} bytes${told}; ${next}`;
    return new SourceError('cut', message, { cause });
  };
  try {
    if (etag !== undefined) journal = await entry?.openPart(etag);
    for (;;) {
      const { done, value } = (await reader?.read().catch((error: unknown) => {
        signal?.throwIfAborted();
        throw cut(error);
      })) ?? { done: true };
      if (done) break;
      await journal?.write(value!, received);
      chunks.push(value!);
      received += value!.length;
      onProgress?.(received, total);
    }
  } catch (error) {
    await reader?.cancel().catch(() => {});
    throw error;
  } finally {
    await journal?.close();
  }
  // For a compressed transfer a page sees the compressed length, but not that it is compressed. So only fewer bytes
  // than announced prove a cut.
  if (total !== undefined && received < total) throw cut();
  return joined(chunks);
}
