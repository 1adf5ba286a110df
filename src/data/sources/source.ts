import { ArgumentError, expectSignal, shown } from '../../checks/argument-error.ts';
import { checkOptions, type Names } from '../../checks/options.ts';
import { classOf, isUrl } from '../../host/class-of.ts';
import { gunzip } from './byte-stream.ts';
import { DataError, reasonOf, SourceError } from './data-error.ts';
import { type DownloadOptions, download } from './download.ts';
import { cacheEntry, sha256 } from './download-cache.ts';
import { readPath, requireFiles } from './host-files.ts';

/** A source of data: a path, a URL (`http:`, `https:`, `file:`, `data:`, `blob:`) as text or object, or the bytes. */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob | Response;

export interface SourceOptions extends DownloadOptions {
  /**
   * The expected SHA-256, 64 hexadecimal digits, of the stored file; for a `.gz` file it is that of the compressed
   * bytes.
   */
  sha256?: string | undefined;
  /**
   * Where to keep downloads: a directory, which is made if missing (default `tapeloop` in `$XDG_CACHE_HOME` or
   * `~/.cache`); in a page the name of a Cache Storage (default `tapeloop`). `false` keeps nothing. It is the default
   * if `fetch` is given, so that a custom `fetch` is called every time.
   */
  cache?: string | false | undefined;
  /** The name of the source in errors. Default: its path or URL. */
  name?: string | undefined;
  /** Whether to decompress the bytes as gzip. Default: whether they begin as gzip does. */
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

/** Bytes and their name for errors. @internal */
export interface NamedBytes {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a whole source and decompresses gzip.
 *
 * A download is cached and not repeated. An interrupted download resumes if the server names the version by a strong
 * `ETag`. Several processes may share a cache.
 *
 * @param source a path (Node, Deno, Bun), a URL, or bytes. Bytes that need no decompression are returned themselves.
 * @param options.sha256 expected SHA-256, checked before the file reaches the cache. A cached file with another SHA-256
 *   is downloaded again.
 * @returns the bytes.
 * @throws SourceError if the source cannot be read, with the reason as `code`. DataError if the gzip is corrupt.
 *   ArgumentError if `source` is none of these, `sha256` is not 64 hexadecimal digits, or an option is of another kind
 *   or unknown. The signal's reason if it is aborted.
 * @see keras.utils.get_file
 * @example
 * const bytes = await readSource('text.txt');
 * decodeUtf8(bytes, 'text.txt');
 */
export async function readSource(source: Source, options: SourceOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  return (await openSource(source, checkOptions('readSource', options, sourceNames))).bytes;
}

/** Reads a source, and returns its name for errors as well. @internal */
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

// A path on Windows may begin with C:, so only these schemes count as URLs.
const urlOf = (text: string): URL | undefined => (/^(https?|file|data|blob):/i.test(text) ? new URL(text) : undefined);

function nameOf(source: Source, url: URL | undefined): string {
  if (url) return url.protocol === 'data:' ? 'data: URL' : url.href;
  if (typeof source === 'string') return source;
  if (isResponse(source)) return source.url || 'Response';
  // A File has a name; other Blobs have none.
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
  // The bytes of a shared buffer are read in place as well.
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

// A Blob is also recognized by its methods, because the Blobs of happy-dom have no class name.
const isBlob = (source: unknown): source is Blob =>
  ['Blob', 'File'].includes(classOf(source)) ||
  (isObject(source) && typeof source.slice === 'function' && typeof source.size === 'number' && 'type' in source);

const isResponse = (source: unknown): source is Response =>
  classOf(source) === 'Response' ||
  (isObject(source) && typeof source.arrayBuffer === 'function' && typeof source.status === 'number');

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The Blob of jsdom in Jest has no `arrayBuffer`. */
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
