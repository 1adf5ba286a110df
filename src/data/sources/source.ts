import { ArgumentError, expectSignal, shown } from '../../checks/argument-error.ts';
import { checkOptions, type Names } from '../../checks/options.ts';
import { classOf } from '../../host/class-of.ts';
import { gunzip } from './byte-stream.ts';
import { DataError, reasonOf, SourceError } from './data-error.ts';
import { type DownloadOptions, download } from './download.ts';
import { cacheEntry, sha256 } from './download-cache.ts';
import { readPath, requireFiles } from './host-files.ts';

/**
 * Where data comes from: a path, a URL (`http:`, `https:`, `file:`, `data:`, `blob:`) as text or object, or the bytes
 * themselves.
 */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob | Response;

export interface SourceOptions extends DownloadOptions {
  /** What the file's SHA-256 must be, 64 hexadecimal digits: of the file as it is stored, not of what a `.gz` holds. */
  sha256?: string | undefined;
  /**
   * Where downloads are kept: a directory, made if there is none (default `tapeloop` in `$XDG_CACHE_HOME` or
   * `~/.cache`); in a page the name of a Cache Storage (default `tapeloop`). `false` keeps nothing, and is the default
   * where `fetch` is given: what stands in for it should be asked every time.
   */
  cache?: string | false | undefined;
  /** What errors call the source; its path or URL unless given. */
  name?: string | undefined;
  /** Whether to open the bytes as gzip; by default if they begin as gzip does. */
  gzip?: boolean | undefined;
}

/** @internal */
export const sourceNames: Names<SourceOptions> = {
  fetch: 1,
  signal: 1,
  onProgress: 1,
  sha256: 1,
  cache: 1,
  name: 1,
  gzip: 1,
};

/** Bytes, and what to call them in errors. @internal */
export interface NamedBytes {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a whole source. A download is kept and not asked for a second time; one that ended early goes on where it ended
 * if the server names the file's version by a strong `ETag`; processes may share a cache. gzip is opened.
 *
 * @param source a path (Node, Deno, Bun), a URL, or bytes, which are returned themselves if they need no opening.
 * @param options.sha256 is checked before anything reaches the cache; a cached file with another one is downloaded
 *   anew.
 * @returns the bytes.
 * @throws SourceError if it cannot be read, with the reason as `code`; DataError if gzip is corrupt; ArgumentError if
 *   `source` is none of these or `sha256` no such number; the signal's reason if it is aborted.
 */
export async function readSource(source: Source, options: SourceOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  return (await openSource(source, checkOptions('readSource', options, sourceNames))).bytes;
}

/** `readSource` with the name for errors. @internal */
export async function openSource(source: Source, options: SourceOptions): Promise<NamedBytes> {
  const { sha256, name: given } = options;
  if (given !== undefined && typeof given !== 'string')
    throw new ArgumentError(`name expected text, got ${shown(given)}`);
  if (sha256 !== undefined && !(typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256))) {
    throw new ArgumentError(`sha256 expected 64 hexadecimal digits, got ${shown(sha256)}`);
  }
  expectSignal('readSource', options.signal);
  options.signal?.throwIfAborted();
  const { name, bytes } = await fetchOrRead(source, options, sha256?.toLowerCase());
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
  return { name, bytes: (options.gzip ?? isGzip) ? await opened(bytes, name) : bytes };
}

async function fetchOrRead(source: Source, options: SourceOptions, expected: string | undefined): Promise<NamedBytes> {
  const url = isUrl(source) ? source : typeof source === 'string' ? urlOf(source) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return fetchFile(url, options, expected);

  const { name = nameOf(source, url) } = options;
  const bytes = await readBytes(source, url, { ...options, name });
  await verify(bytes, expected, name);
  return { name, bytes };
}

// A path on Windows may begin with C:, so only these are taken for URLs.
const urlOf = (text: string): URL | undefined => (/^(https?|file|data|blob):/i.test(text) ? new URL(text) : undefined);

const isUrl = (source: Source): source is URL => classOf(source) === 'URL';

function nameOf(source: Source, url: URL | undefined): string {
  if (url) return url.protocol === 'data:' ? 'data: URL' : url.href;
  if (typeof source === 'string') return source;
  if (isResponse(source)) return source.url || 'Response';
  // A File has a name, other Blobs have none.
  return isBlob(source) ? (source as Partial<File>).name || 'Blob' : 'bytes';
}

async function readBytes(
  source: Source,
  url: URL | undefined,
  { name, ...options }: SourceOptions & { name: string },
): Promise<Uint8Array<ArrayBuffer>> {
  if (url?.protocol === 'file:') {
    const files = requireFiles(url.href);
    return readPath(files, files.fileUrlToPath(url));
  }
  if (url?.protocol === 'data:' || url?.protocol === 'blob:') return download(url.href, undefined, options);
  if (typeof source === 'string') return readPath(requireFiles(source), source);
  // Of a shared buffer, too, the bytes are looked at in place.
  const kind = classOf(source);
  if (kind === 'Uint8Array') return source as Uint8Array<ArrayBuffer>;
  if (kind === 'ArrayBuffer') return new Uint8Array(source as ArrayBuffer);
  if (isBlob(source)) return new Uint8Array(await bufferOf(source));
  if (isResponse(source)) return readResponse(source, name);
  const got = url ? `a URL of ${url.protocol}` : shown(source);
  throw new ArgumentError(
    `source expected a path, a URL (http, https, file, data, blob), a Uint8Array, an ArrayBuffer, a Blob or a Response, got ${got}`,
  );
}

// Told by what they can do, too: those of happy-dom do not say what they are.
const isBlob = (source: unknown): source is Blob =>
  ['Blob', 'File'].includes(classOf(source)) ||
  (isObject(source) && typeof source.slice === 'function' && typeof source.size === 'number' && 'type' in source);

const isResponse = (source: unknown): source is Response =>
  classOf(source) === 'Response' ||
  (isObject(source) && typeof source.arrayBuffer === 'function' && typeof source.status === 'number');

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** A Blob of Jest's jsdom has no `arrayBuffer`. */
const bufferOf = (blob: Blob): Promise<ArrayBuffer> =>
  blob.arrayBuffer?.() ??
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob);
  });

async function readResponse(response: Response, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { ok, status } = response;
  if (!ok) throw new SourceError('http', `${name}: expected a file, got HTTP ${status}`, { status });
  if (response.bodyUsed)
    throw new ArgumentError(`${name}: expected a Response not yet read, got one whose body was used`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new SourceError('cut', `${name}: the download was cut: ${reasonOf(error)}`, { cause: error });
  }
}

async function fetchFile(url: URL, options: SourceOptions, expected: string | undefined): Promise<NamedBytes> {
  const address = new URL(url);
  address.hash = '';
  const { href } = address;
  const { name = href } = options;
  const { cache = options.fetch && false } = options;
  const entry = cache === false ? undefined : await cacheEntry(href, cache);
  const cached = await entry?.find();
  if (cached && (expected === undefined || (await sha256(cached)) === expected)) return { name, bytes: cached };

  await entry?.prepare();
  const bytes = await download(href, entry, options);
  try {
    await verify(bytes, expected, name);
  } catch (error) {
    await entry?.dropParts();
    throw error;
  }
  await entry?.keep(bytes);
  return { name, bytes };
}

async function verify(bytes: Uint8Array<ArrayBuffer>, expected: string | undefined, name: string): Promise<void> {
  if (expected === undefined) return;
  const got = await sha256(bytes);
  if (got === expected) return;
  throw new SourceError('checksum', `${name}: expected sha256 ${expected}, got ${got} (${bytes.length} bytes)`);
}

async function opened(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await gunzip(bytes);
  } catch (error) {
    throw new DataError(file, `expected whole gzip data, got a fault in its ${bytes.length} bytes: ${reasonOf(error)}`);
  }
}
