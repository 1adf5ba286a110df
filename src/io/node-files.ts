// Files on Node. Code for browsers must not import this file.
import { randomBytes } from 'node:crypto';
import nodeFs from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArgumentError, expectType } from '../checks/argument-error.ts';
import { classOf } from '../host/class-of.ts';
import { utf8Of } from '../host/utf8.ts';
import { FileError } from './file-error.ts';

/** The functions of node:fs that are used here. A test can replace them, for example to simulate a full disk. */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'closeSync'
  | 'fchmodSync'
  | 'fsyncSync'
  | 'lstatSync'
  | 'openSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'readlinkSync'
  | 'realpathSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'writeFileSync'
>;

/**
 * Replaces a file's content whole or not at all: the bytes go to a temporary file in the same folder, are flushed to
 * the disk, and replace the file by one rename. A reader, or a run after a power cut, sees the old content or the new,
 * never a mixture. A symbolic link is followed, even if its target does not exist yet. An existing file keeps its
 * permissions. Temporary files that are more than a day old are removed. They come from processes that were killed
 * during a write.
 *
 * @param path where to write; its folder must exist
 * @param bytes the whole new content; not changed
 * @param fs replaces node:fs in tests
 * @throws FileError if a step fails (no space, no permission, no such folder) or the path is not a regular file. The
 *   old file is then unchanged, and the temporary file is removed
 */
export function writeFileAtomic(path: string, bytes: Uint8Array, fs: FileSystem = nodeFs): void {
  expectType('path', path, 'a string');
  let operation = 'write to';
  let temporary: string | undefined;
  let fd: number | undefined;
  try {
    const old = fs.statSync(path, { throwIfNoEntry: false });
    const target = old ? fs.realpathSync(path) : linkedFrom(path, fs);
    // A rename would replace a device such as /dev/null with a file.
    if (old && !old.isFile()) throw new FileError(path, operation, 'expected a regular file, got a folder or a device');

    // The name does not contain the name of the target, which may already have the maximum length.
    const name = join(dirname(target), `.tapeloop-${randomBytes(6).toString('hex')}.tmp`);
    operation = 'create a temporary file beside';
    fd = fs.openSync(name, 'wx');
    temporary = name;
    operation = 'write';
    if (old) fs.fchmodSync(fd, old.mode & 0o7777);
    fs.writeFileSync(fd, bytes);
    operation = 'flush';
    fs.fsyncSync(fd);
    const open = fd;
    fd = undefined;
    fs.closeSync(open);
    operation = 'replace';
    fs.renameSync(temporary, target);
    temporary = undefined;
    flushFolder(dirname(target), fs);
    attempt(() => removeStale(target, fs));
  } catch (error) {
    if (fd !== undefined) attempt(() => fs.closeSync(fd as number));
    if (temporary !== undefined) attempt(() => fs.rmSync(temporary as string, { force: true }));
    throw error instanceof FileError ? error : new FileError(path, operation, error);
  }
}

/** Follows symbolic links from a path to a file that does not exist. */
function linkedFrom(path: string, fs: FileSystem): string {
  let target = path;
  while (fs.lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) {
    target = resolve(fs.realpathSync(dirname(target)), fs.readlinkSync(target));
  }
  return target;
}

const DAY = 86_400_000;

/**
 * Removes temporary files beside `target` that are more than a day older than it: their processes have ended. All times
 * come from the disk, because several hosts may share it.
 */
function removeStale(target: string, fs: FileSystem): void {
  const folder = dirname(target);
  const newest = fs.statSync(target).mtimeMs;
  for (const name of fs.readdirSync(folder)) {
    if (!/^\.tapeloop-[0-9a-f]{12}\.tmp$/.test(name)) continue;
    const path = join(folder, name);
    if (fs.lstatSync(path).mtimeMs < newest - DAY) fs.rmSync(path, { force: true });
  }
}

/**
 * Makes the rename durable, if the system can. Windows cannot open folders, and some network disks cannot flush them.
 */
function flushFolder(folder: string, fs: FileSystem): void {
  attempt(() => {
    const fd = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** Runs a step and ignores its error. The error would hide an earlier one, or does not matter to the caller. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {}
}

/**
 * Reads a whole file, or all bytes of a pipe.
 *
 * @returns its bytes in a separate buffer, which the caller owns
 * @throws FileError if it does not exist, may not be read, or is a folder or a device
 */
export function readFileChecked(path: string, fs: FileSystem = nodeFs): Uint8Array<ArrayBuffer> {
  expectType('path', path, 'a string');
  try {
    const stat = fs.statSync(path);
    // A device such as /dev/zero never ends.
    if (!stat.isFile() && !stat.isFIFO()) {
      throw new FileError(path, 'read', `expected a file, got ${stat.isDirectory() ? 'a folder' : 'a device'}`);
    }
    // The bytes are copied, because a small Buffer is a view of a pool that it shares with other buffers.
    return new Uint8Array(fs.readFileSync(path));
  } catch (error) {
    throw error instanceof FileError ? error : new FileError(path, 'read', error);
  }
}

/**
 * Makes a folder and its missing parent folders.
 *
 * @throws FileError if one cannot be made
 */
export function makeFolder(path: string): void {
  try {
    makeWithParents(path);
  } catch (error) {
    throw new FileError(path, 'make', error);
  }
}

/**
 * Like mkdir -p. The option `recursive` of Node 20 never returns if the system reports ENOENT for a folder that exists,
 * as in /proc.
 */
function makeWithParents(path: string): void {
  if (nodeFs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeWithParents(parent);
  nodeFs.mkdirSync(path);
}

/** Reads a file with `readFileChecked`. Undefined if there is no such file. */
export const readFileIfAny = (path: string): Uint8Array<ArrayBuffer> | undefined =>
  nodeFs.statSync(path, { throwIfNoEntry: false }) ? readFileChecked(path) : undefined;

/** The path of a file that is given as a path or as a `file:` URL. Throws `ArgumentError` for another URL. */
export function pathOf(what: string, given: string | URL): string {
  if (classOf(given) !== 'URL') return given as string;
  const { protocol, href } = given as URL;
  if (protocol !== 'file:') throw new ArgumentError(`${what}: path expected an address of file:, got '${href}'`);
  return fileURLToPath(href);
}

/** The folder of a path's file. */
export const folderOf = (path: string): string => dirname(path);

/** Removes a file, if there is one. Throws `FileError` if it cannot be removed. */
export function removeFile(path: string): void {
  try {
    nodeFs.rmSync(path, { force: true });
  } catch (error) {
    throw new FileError(path, 'remove', error);
  }
}

/** A file that is written in pieces. Others can read the written pieces while it is open. */
export class GrowingFile {
  readonly #path: string;
  readonly #fd: number;
  /** Whether it had content when it was opened. */
  readonly hadContent: boolean;

  /**
   * @param append whether to keep its content.
   * @throws FileError if it cannot be opened
   */
  constructor(path: string, { append = false }: { append?: boolean } = {}) {
    this.#path = path;
    try {
      this.#fd = nodeFs.openSync(path, append ? 'a' : 'w');
      this.hadContent = nodeFs.fstatSync(this.#fd).size > 0;
    } catch (error) {
      throw new FileError(path, 'open', error);
    }
  }

  /** Appends `content`. Throws `FileError` if it cannot be written. */
  write(content: Uint8Array | string): void {
    try {
      const bytes = typeof content === 'string' ? utf8Of(content) : content;
      for (let at = 0; at < bytes.length; ) at += nodeFs.writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw new FileError(this.#path, 'write', error);
    }
  }

  /** Size in bytes. */
  get size(): number {
    return nodeFs.fstatSync(this.#fd).size;
  }

  /** Keeps the first `size` bytes. Throws `FileError` if it cannot be cut. */
  cut(size: number): void {
    try {
      nodeFs.ftruncateSync(this.#fd, size);
    } catch (error) {
      throw new FileError(this.#path, 'write', error);
    }
  }

  close(): void {
    nodeFs.closeSync(this.#fd);
  }
}

/** A name of this host and process. It distinguishes their files from others in a shared folder. */
export const processName = (): string => `${hostname()}.${process.pid}`;
