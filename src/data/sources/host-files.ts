// Access to the host's files, if it has any.

import { checkOptions } from '../../checks/options.ts';
import { builtIn, type Host } from '../../host/built-in.ts';
import { classOf } from '../../host/class-of.ts';
import { reasonOf, SourceError } from './data-error.ts';

interface Stat {
  readonly mtimeMs: number;
  isFile(): boolean;
  isFIFO(): boolean;
  isDirectory(): boolean;
}

/** An open file. */
export interface FileHandle {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The functions of node:fs/promises that data needs, declared here so that the package does not depend on Node's types.
 */
export interface FileSystem {
  readonly constants: { readonly O_CREAT: number; readonly O_WRONLY: number };
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  open(path: string, flags: string | number): Promise<FileHandle>;
  readdir(path: string): Promise<string[]>;
  readFile(path: string): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
  stat(path: string): Promise<Stat>;
}

export interface HostFiles {
  readonly fs: FileSystem;
  join(...parts: string[]): string;
  fileUrlToPath(url: URL): string;
  /** The user's folder for files that can be downloaded again. */
  cacheRoot(): string;
}

/** The host's files; undefined if it has none. */
export function hostFiles(): HostFiles | undefined {
  const fs = builtIn('fs/promises') as FileSystem | undefined;
  if (!fs) return undefined;
  const { join } = builtIn('path') as { join(...parts: string[]): string };
  const { homedir } = builtIn('os') as { homedir(): string };
  const { fileURLToPath } = builtIn('url') as { fileURLToPath(url: URL): string };
  // An empty variable counts as unset, as the XDG base directory specification says.
  const cacheRoot = (): string => (globalThis as Host).process!.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return { fs, join, fileUrlToPath: fileURLToPath, cacheRoot };
}

/** Throws `SourceError` if the host has no files; `what` is the requested path. */
export function requireFiles(what: string): HostFiles {
  const files = hostFiles();
  if (files) return files;
  throw new SourceError(
    'host',
    `${what}: a path needs a file system (Node 20.16 or newer, Deno, Bun), which this host has not; give a URL, such as new URL('data.csv', location.href), or bytes`,
  );
}

/** Reads a whole file into memory of its own. */
export async function readPath({ fs }: HostFiles, path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const stat = await fs.stat(path);
    // A device such as /dev/zero never ends.
    if (!stat.isFile() && !stat.isFIFO()) {
      throw new SourceError('file', `${path}: expected a file, got ${stat.isDirectory() ? 'a directory' : 'a device'}`);
    }
    const bytes = await fs.readFile(path);
    // The host may place a small file in memory shared with others; then it is copied.
    const isAlone = classOf(bytes.buffer) === 'ArrayBuffer' && bytes.length === bytes.buffer.byteLength;
    return new Uint8Array(isAlone ? (bytes.buffer as ArrayBuffer) : bytes);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError('file', `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Lists the files of a directory, without those of its subdirectories.
 *
 * @param directory path of the directory.
 * @param options.extension keeps only names with this ending, such as `'.txt'`.
 * @returns the paths, sorted by name (by code unit, the same on every host).
 * @throws SourceError if there is no such directory, it may not be read, or the host has no file system. ArgumentError
 *   if an option is unknown.
 * @see https://nodejs.org/api/fs.html#fspromisesreaddirpath-options
 * @example
 * const paths = await listFiles('.', { extension: '.csv' }); // ['data.csv']
 */
export async function listFiles(
  directory: string,
  options: { extension?: string | undefined } = {},
): Promise<string[]> {
  checkOptions('listFiles', options, { extension: 1 });
  const { fs, join } = requireFiles(directory);
  const { extension = '' } = options;
  try {
    const names = (await fs.readdir(directory)).filter((name) => name.endsWith(extension)).sort();
    const paths = names.map((name) => join(directory, name));
    const stats = await Promise.all(paths.map((path) => fs.stat(path)));
    return paths.filter((_, i) => stats[i]!.isFile());
  } catch (error) {
    throw new SourceError('file', `cannot list ${directory}: ${reasonOf(error)}`, { cause: error });
  }
}
