// The cache of downloads: a directory, or the Cache Storage of a page.
import { builtIn } from '../../host/built-in.ts';
import { utf8Of } from '../../host/utf8.ts';
import { reasonOf, SourceError } from './data-error.ts';
import { type HostFiles, hostFiles } from './host-files.ts';

/** The beginning of a file from an interrupted download, and the version of that file. */
export interface Part {
  /** A strong entity tag. */
  readonly etag: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Records a download as it arrives, so that a later one can resume it. */
export interface Journal {
  readonly path: string;
  write(bytes: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/** The cache entry of one URL. */
export interface CacheEntry {
  /** The whole file; undefined if it was never downloaded. */
  find(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Checks before a download that the cache can be written. */
  prepare(): Promise<void>;
  findPart(): Promise<Part | undefined>;
  /** Opens a journal for a download; undefined if the cache cannot keep parts of files. */
  openPart(etag: string): Promise<Journal | undefined>;
  dropParts(): Promise<void>;
  /** Stores the whole, verified file and removes its parts. */
  keep(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/**
 * The cache entry of a URL on this host; undefined if the host has no place for files.
 *
 * @param cache a directory, or in a page the name of a Cache Storage.
 */
export async function cacheEntry(url: string, cache: string | undefined): Promise<CacheEntry | undefined> {
  const files = hostFiles();
  if (!files) return storageEntry(url, cache ?? 'tapeloop');
  const directory = cache ?? files.join(files.cacheRoot(), 'tapeloop');
  return new FileEntry(files, directory, await entryName(url));
}

/** A hash of the whole URL, then the last name in the URL, so that people recognize the file. */
async function entryName(url: string): Promise<string> {
  const hash = await sha256(utf8Of(url));
  const path = new URL(url).pathname.split('/');
  const last = path.pop() || path.pop() || 'file';
  return `${hash.slice(0, 16)}-${last.replaceAll(/[^\w.-]/g, '_').slice(-80)}`;
}

/** The functions of node:crypto that this file uses. */
interface NodeCrypto {
  createHash(name: string): { update(bytes: Uint8Array): { digest(format: string): string } };
  randomUUID(): string;
}

/** The SHA-256 in hexadecimal digits, as `sha256sum` prints it. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    // The jsdom of Jest hides `crypto.subtle`.
    const node = builtIn('crypto') as NodeCrypto | undefined;
    if (node) return node.createHash('sha256').update(bytes).digest('hex');
    throw new SourceError('host', 'sha256 needs crypto.subtle, which pages have over https and on localhost');
  }
  const hash = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A file NAME, and beside it one file NAME.TAG.part for each version of the file whose download is incomplete.
 *
 * Processes may share the directory without locks. A part belongs to one entity tag, so all writers of a part write the
 * same bytes to the same places. Each writer begins at or before the end of the part, so a part never has a gap. NAME
 * is created only by renaming a file that one process has written completely.
 */
class FileEntry implements CacheEntry {
  readonly #files: HostFiles;
  readonly #directory: string;
  readonly #name: string;

  constructor(files: HostFiles, directory: string, name: string) {
    this.#files = files;
    this.#directory = directory;
    this.#name = name;
  }

  #path(name: string): string {
    return this.#files.join(this.#directory, name);
  }

  async #parts(): Promise<string[]> {
    const names = await this.#files.fs.readdir(this.#directory);
    return names.filter((name) => name.startsWith(`${this.#name}.`) && name.endsWith('.part'));
  }

  async find(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readIfThere(this.#files, this.#path(this.#name));
  }

  async prepare(): Promise<void> {
    await this.#writing(this.#directory, () => this.#files.fs.mkdir(this.#directory, { recursive: true }));
  }

  async findPart(): Promise<Part | undefined> {
    for (const name of await this.#parts()) {
      const bytes = await readIfThere(this.#files, this.#path(name));
      const etag = tagOf(name.slice(this.#name.length + 1, -'.part'.length));
      if (etag !== undefined && bytes && bytes.length > 0) return { etag, bytes };
    }
    return undefined;
  }

  async openPart(etag: string): Promise<Journal | undefined> {
    // Of the characters that encodeURIComponent keeps, Windows forbids only this one in names.
    const tag = encodeURIComponent(etag).replaceAll('*', '%2A');
    // Names may have 255 bytes. The part that comes from the URL has up to 97.
    if (tag.length > 140) return undefined;
    const path = this.#path(`${this.#name}.${tag}.part`);
    const { fs } = this.#files;
    const { O_CREAT, O_WRONLY } = fs.constants;
    const handle = await this.#writing(path, () => fs.open(path, O_CREAT | O_WRONLY));
    return {
      path,
      write: (bytes, position) =>
        this.#writing(path, async () => {
          for (let at = 0; at < bytes.length; ) {
            at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
          }
        }),
      close: () => handle.close(),
    };
  }

  async dropParts(): Promise<void> {
    for (const name of await this.#parts()) await this.#files.fs.rm(this.#path(name), { force: true });
  }

  async keep(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { fs } = this.#files;
    const temporary = this.#path(`${this.#name}.${(builtIn('crypto') as NodeCrypto).randomUUID()}.tmp`);
    await this.#writing(this.#path(this.#name), async () => {
      try {
        const handle = await fs.open(temporary, 'wx');
        try {
          await handle.writeFile(bytes);
          // After a power cut the name could point to a file of zeros, and without a checksum nothing would detect it.
          await handle.sync();
        } finally {
          await handle.close();
        }
        await fs.rename(temporary, this.#path(this.#name));
      } catch (error) {
        await fs.rm(temporary, { force: true });
        throw error;
      }
    });
    await this.dropParts();
    await this.#removeStale().catch(() => {});
  }

  /** Removes temporary files that interrupted processes left: those a day older than this entry. */
  async #removeStale(): Promise<void> {
    const { fs } = this.#files;
    const { mtimeMs } = await fs.stat(this.#path(this.#name));
    for (const name of await fs.readdir(this.#directory)) {
      if (!/\.[0-9a-f-]{36}\.tmp$/.test(name)) continue;
      if ((await fs.stat(this.#path(name))).mtimeMs < mtimeMs - DAY) await fs.rm(this.#path(name), { force: true });
    }
  }

  async #writing<T>(path: string, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const message = `cannot write ${path}: ${reasonOf(error)}; another cache directory can be given as cache, or cache: false`;
      throw new SourceError('cache', message, { cause: error });
    }
  }
}

const DAY = 86_400_000;

/** The entity tag in the name of a part; undefined if the name is not one of this cache. */
function tagOf(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

async function readIfThere({ fs }: HostFiles, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await fs.readFile(path));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new SourceError('cache', `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** An entry of Cache Storage, which keeps only whole files. */
async function storageEntry(url: string, name: string): Promise<CacheEntry | undefined> {
  const storage = await openStorage(name);
  if (!storage) return undefined;
  return {
    async find() {
      const response = await storage.match(url);
      return response && new Uint8Array(await response.arrayBuffer());
    },
    prepare: async () => {},
    findPart: async () => undefined,
    openPart: async () => undefined,
    dropParts: async () => {},
    async keep(bytes) {
      // If the quota is full, the data is used all the same.
      await storage.put(url, new Response(bytes)).catch(() => {});
    },
  };
}

/** The Cache Storage of a page; undefined if the page has none (over http) or may not use it (sandboxed frames). */
async function openStorage(name: string): Promise<Cache | undefined> {
  try {
    return await globalThis.caches?.open(name);
  } catch {
    return undefined;
  }
}
